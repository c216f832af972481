/**
 * UDP and IP addresses: text, bytes, and what kind of network an address belongs to. One address
 * has one text here, so that addresses can be compared, counted and used as keys: dotted decimal,
 * or RFC 5952; an IPv4 address that arrives as `::ffff:a.b.c.d` becomes plain IPv4.
 *
 * No names and no zones (`fe80::1%eth0`): resolving a name is the caller's business, and a zone
 * means nothing on another machine.
 */

/** An IP address. */
export interface IpAddress {
  /** 4 for IPv4, 6 for IPv6. IPv4-mapped IPv6 never appears: adapters normalise it to 4. */
  readonly family: 4 | 6;
  /** Canonical text: dotted decimal, or RFC 5952 without brackets and zone. */
  readonly host: string;
}

/** A UDP address as every layer passes it. */
export interface SocketAddress extends IpAddress {
  /** 1 to 65535. */
  readonly port: number;
}

/**
 * What kind of network an address belongs to. `private` is RFC 1918, `shared` the 100.64.0.0/10 of
 * carrier-grade NAT (RFC 6598), `unique_local` fc00::/7 (RFC 4193), `unspecified` all of
 * 0.0.0.0/8 and `::`, `reserved` 240.0.0.0/4; what is left is `global`.
 */
export type AddressScope =
  | "unspecified"
  | "loopback"
  | "link_local"
  | "private"
  | "shared"
  | "unique_local"
  | "multicast"
  | "broadcast"
  | "reserved"
  | "global";

const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const IPV6_GROUPS = 8;
/** The longest text of an IPv6 address, with an IPv4 tail. */
const MAX_IP_TEXT = 45;

const OCTET = /^(?:0|[1-9][0-9]{0,2})$/;
const GROUP = /^[0-9a-fA-F]{1,4}$/;
const PORT = /^[1-9][0-9]{0,4}$/;

/**
 * Reads an IP address without brackets, port or zone. Octets of IPv4 are decimal without leading
 * zeros (which some systems read as octal), all four of them.
 *
 * @returns The address in canonical form, or undefined when `text` is not one.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (text.length > MAX_IP_TEXT) return undefined;
  const bytes = text.includes(":") ? parseIpv6(text) : parseIpv4(text);
  return bytes === undefined ? undefined : ipAddressFromBytes(bytes);
}

/**
 * Reads `a.b.c.d:port` or `[v6]:port`; with `defaultPort` also the bare address, and IPv6 with or
 * without brackets. Ports are decimal, 1 to 65535, without leading zeros.
 *
 * @returns The address in canonical form, or undefined when `text` is not one.
 *
 * @example Read and write an address
 * ```ts
 * import { formatSocketAddress, parseSocketAddress } from "@p2pft/cli/nat";
 * import assert from "node:assert/strict";
 *
 * const address = parseSocketAddress("[2001:DB8:0:0::1]:4000");
 * assert.deepEqual(address, { family: 6, host: "2001:db8::1", port: 4000 });
 * assert.equal(formatSocketAddress(address!), "[2001:db8::1]:4000");
 * ```
 */
export function parseSocketAddress(text: string, defaultPort?: number): SocketAddress | undefined {
  const split = splitHostPort(text);
  if (split === undefined) return undefined;
  const port = split.port ?? defaultPort;
  const address = parseIpAddress(split.host);
  if (port === undefined || address === undefined) return undefined;
  if (split.bracketed && !split.host.includes(":")) return undefined;
  return { family: address.family, host: address.host, port };
}

/**
 * Takes `HOST`, `HOST:PORT`, `[v6]` or `[v6]:PORT` apart without looking at the host: it may be a
 * name. Text with two or more colons and no brackets is an IPv6 address without a port.
 *
 * @returns The host without brackets, and the port when there is one; undefined when the brackets do
 * not match, the host is empty or the port is not a number from 1 to 65535.
 */
export function splitHostPort(
  text: string,
): { readonly host: string; readonly port?: number; readonly bracketed: boolean } | undefined {
  const bracketed = text.startsWith("[");
  let host: string;
  let rest: string;
  if (bracketed) {
    const end = text.indexOf("]");
    if (end < 0) return undefined;
    host = text.slice(1, end);
    rest = text.slice(end + 1);
  } else {
    const colon = text.indexOf(":");
    const end = colon < 0 || colon !== text.lastIndexOf(":") ? text.length : colon;
    host = text.slice(0, end);
    rest = text.slice(end);
  }
  if (host === "") return undefined;
  if (rest === "") return { host, bracketed };
  if (!rest.startsWith(":") || !PORT.test(rest.slice(1))) return undefined;
  const port = Number(rest.slice(1));
  return port > 65_535 ? undefined : { host, port, bracketed };
}

/** `a.b.c.d:port` or `[v6]:port`. */
export function formatSocketAddress(address: SocketAddress): string {
  return address.family === 4
    ? `${address.host}:${address.port}`
    : `[${address.host}]:${address.port}`;
}

/** Whether two UDP addresses are the same; both must be canonical. */
export function isSameSocketAddress(a: SocketAddress, b: SocketAddress): boolean {
  return a.port === b.port && a.host === b.host;
}

/**
 * The address in network byte order: 4 or 16 bytes.
 *
 * @throws {RangeError} If `host` is not a canonical address of `family`.
 */
export function ipAddressToBytes(address: IpAddress): Uint8Array<ArrayBuffer> {
  const bytes = address.family === 4 ? parseIpv4(address.host) : parseIpv6(address.host);
  if (bytes === undefined) {
    throw new RangeError(`Cannot encode address: ${address.host} is not IPv${address.family}`);
  }
  return bytes;
}

/**
 * The address in `bytes`, in network byte order. IPv4-mapped IPv6 comes out as IPv4.
 *
 * @returns The address, or undefined unless there are 4 or 16 bytes.
 */
export function ipAddressFromBytes(bytes: Uint8Array): IpAddress | undefined {
  if (bytes.length === IPV4_BYTES) return { family: 4, host: bytes.join(".") };
  if (bytes.length !== IPV6_BYTES) return undefined;
  if (isIpv4Mapped(bytes)) return { family: 4, host: bytes.subarray(12).join(".") };
  return { family: 6, host: formatIpv6(bytes) };
}

/**
 * What kind of network `address` belongs to.
 *
 * @throws {RangeError} If `host` is not a canonical address of `family`.
 */
export function addressScope(address: IpAddress): AddressScope {
  const bytes = ipAddressToBytes(address);
  return address.family === 4 ? ipv4Scope(bytes) : ipv6Scope(bytes);
}

function ipv4Scope(bytes: Uint8Array): AddressScope {
  const a = bytes[0]!;
  const b = bytes[1]!;
  if (a === 0) return "unspecified";
  if (a === 127) return "loopback";
  if (a === 169 && b === 254) return "link_local";
  if (a === 10 || (a === 172 && (b & 0xf0) === 16) || (a === 192 && b === 168)) return "private";
  if (a === 100 && (b & 0xc0) === 64) return "shared";
  if (a >= 224 && a < 240) return "multicast";
  if (a >= 240) return bytes.every((byte) => byte === 255) ? "broadcast" : "reserved";
  return "global";
}

function ipv6Scope(bytes: Uint8Array): AddressScope {
  const a = bytes[0]!;
  const b = bytes[1]!;
  if (a === 0xff) return "multicast";
  if (a === 0xfe && (b & 0xc0) === 0x80) return "link_local";
  if ((a & 0xfe) === 0xfc) return "unique_local";
  if (bytes.subarray(0, 15).every((byte) => byte === 0)) {
    if (bytes[15] === 0) return "unspecified";
    if (bytes[15] === 1) return "loopback";
  }
  return "global";
}

function isIpv4Mapped(bytes: Uint8Array): boolean {
  return bytes[10] === 0xff && bytes[11] === 0xff &&
    bytes.subarray(0, 10).every((byte) => byte === 0);
}

function parseIpv4(text: string): Uint8Array<ArrayBuffer> | undefined {
  const parts = text.split(".");
  if (parts.length !== IPV4_BYTES) return undefined;
  const bytes = new Uint8Array(IPV4_BYTES);
  for (const [index, part] of parts.entries()) {
    const value = Number(part);
    if (!OCTET.test(part) || value > 255) return undefined;
    bytes[index] = value;
  }
  return bytes;
}

/** RFC 4291, section 2.2: eight groups, one run of zeros left out as `::`, perhaps an IPv4 tail. */
function parseIpv6(text: string): Uint8Array<ArrayBuffer> | undefined {
  const gap = text.indexOf("::");
  if (gap !== text.lastIndexOf("::")) return undefined;
  const head = gap < 0 ? parseGroups(text, true) : parseGroups(text.slice(0, gap), false);
  const tail = gap < 0 ? [] : parseGroups(text.slice(gap + 2), true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = IPV6_GROUPS - head.length - tail.length;
  if (gap < 0 ? missing !== 0 : missing < 1) return undefined;
  const bytes = new Uint8Array(IPV6_BYTES);
  for (const [index, group] of head.entries()) writeGroup(bytes, index, group);
  for (const [index, group] of tail.entries()) {
    writeGroup(bytes, head.length + missing + index, group);
  }
  return bytes;
}

function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (GROUP.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const ipv4 = mayEndInIpv4 && index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (ipv4 === undefined) return undefined;
    groups.push((ipv4[0]! << 8) | ipv4[1]!, (ipv4[2]! << 8) | ipv4[3]!);
  }
  return groups;
}

function writeGroup(bytes: Uint8Array, index: number, group: number): void {
  bytes[index * 2] = group >>> 8;
  bytes[index * 2 + 1] = group;
}

/** RFC 5952, section 4: lower case, the longest run of two or more zero groups as `::`. */
function formatIpv6(bytes: Uint8Array): string {
  const groups: string[] = [];
  let longestStart = 0;
  let longestCount = 0;
  let runCount = 0;
  for (let index = 0; index < IPV6_GROUPS; index++) {
    const group = (bytes[index * 2]! << 8) | bytes[index * 2 + 1]!;
    groups.push(group.toString(16));
    runCount = group === 0 ? runCount + 1 : 0;
    // Strictly longer: of two runs of one length the first is shortened (section 4.2.3).
    if (runCount > longestCount) {
      longestCount = runCount;
      longestStart = index + 1 - runCount;
    }
  }
  if (longestCount < 2) return groups.join(":");
  return groups.slice(0, longestStart).join(":") + "::" +
    groups.slice(longestStart + longestCount).join(":");
}

/** Stands for one IPv4 address, or one IPv6 /64: what a single customer usually has. */
export function hostKey(address: SocketAddress): string {
  if (address.family === 4) return address.host;
  return expandedGroups(address.host).slice(0, 4).join(":");
}

/** The eight groups of an IPv6 address in RFC 5952 text. */
function expandedGroups(host: string): string[] {
  const [head = "", tail] = host.split("::");
  const before = head === "" ? [] : head.split(":");
  if (tail === undefined) return before;
  const behind = tail === "" ? [] : tail.split(":");
  const zeros = new Array<string>(Math.max(0, 8 - before.length - behind.length)).fill("0");
  return [...before, ...zeros, ...behind];
}
