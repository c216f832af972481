/**
 * IPv4 packets with UDP in them, changed in place: what a router must read and rewrite. Checksums
 * are kept up by the difference that a change makes (RFC 1624), so a damaged packet stays damaged.
 *
 * Not here: fragments, which have no ports, IP options (they are left alone) and IPv6.
 */

/** An address and a port as numbers. */
export interface Ipv4Endpoint {
  /** The address, big-endian, unsigned. */
  readonly host: number;
  readonly port: number;
}

const PROTOCOL_UDP = 17;
const MIN_HEADER_BYTES = 20;
const UDP_HEADER_BYTES = 8;

// Offsets in the IPv4 header (RFC 791) and in the UDP header (RFC 768).
const TOTAL_LENGTH = 2;
const FRAGMENT = 6;
const TTL = 8;
const PROTOCOL = 9;
const IP_CHECKSUM = 10;
const SOURCE = 12;
const DESTINATION = 16;
const UDP_SOURCE = 0;
const UDP_DESTINATION = 2;
const UDP_CHECKSUM = 6;

/** "More fragments" and the offset; "do not fragment" is no matter. */
const IS_FRAGMENT_MASK = 0x3fff;

/**
 * Where the UDP header of a packet begins.
 *
 * @param packet All of one IP packet; may be followed by padding.
 * @returns Its offset, or 0 when this is not a whole IPv4 packet with UDP.
 */
export function udpOffset(packet: Uint8Array): number {
  if (packet.length < MIN_HEADER_BYTES + UDP_HEADER_BYTES || packet[0]! >> 4 !== 4) return 0;
  const headerBytes = (packet[0]! & 15) * 4;
  const totalBytes = word(packet, TOTAL_LENGTH);
  const isWhole = headerBytes >= MIN_HEADER_BYTES && totalBytes <= packet.length &&
    totalBytes >= headerBytes + UDP_HEADER_BYTES &&
    (word(packet, FRAGMENT) & IS_FRAGMENT_MASK) === 0;
  return isWhole && packet[PROTOCOL] === PROTOCOL_UDP ? headerBytes : 0;
}

/** Who sent it. */
export function sourceOf(packet: Uint8Array, udpAt: number): Ipv4Endpoint {
  return { host: long(packet, SOURCE), port: word(packet, udpAt + UDP_SOURCE) };
}

/** Where it goes. */
export function destinationOf(packet: Uint8Array, udpAt: number): Ipv4Endpoint {
  return { host: long(packet, DESTINATION), port: word(packet, udpAt + UDP_DESTINATION) };
}

/** Gives it another sender. */
export function setSource(packet: Uint8Array, udpAt: number, source: Ipv4Endpoint): void {
  setHost(packet, udpAt, SOURCE, source.host);
  setPort(packet, udpAt, UDP_SOURCE, source.port);
}

/** Sends it elsewhere. */
export function setDestination(packet: Uint8Array, udpAt: number, target: Ipv4Endpoint): void {
  setHost(packet, udpAt, DESTINATION, target.host);
  setPort(packet, udpAt, UDP_DESTINATION, target.port);
}

/** How many routers it may still pass. */
export function ttlOf(packet: Uint8Array): number {
  return packet[TTL]!;
}

/** Changes how many routers it may still pass. */
export function setTtl(packet: Uint8Array, ttl: number): void {
  const old = word(packet, TTL);
  packet[TTL] = ttl;
  amend(packet, IP_CHECKSUM, old, word(packet, TTL));
}

/** The address of dotted decimal text that is known to be one. */
export function ipv4FromText(text: string): number {
  return text.split(".").reduce((host, octet) => host * 256 + Number(octet), 0);
}

/** Dotted decimal text of an address. */
export function ipv4ToText(host: number): string {
  return `${host >>> 24}.${(host >>> 16) & 255}.${(host >>> 8) & 255}.${host & 255}`;
}

function setHost(packet: Uint8Array, udpAt: number, at: number, host: number): void {
  for (const [offset, value] of [[at, host >>> 16], [at + 2, host & 0xffff]] as const) {
    const old = word(packet, offset);
    setWord(packet, offset, value);
    amend(packet, IP_CHECKSUM, old, value);
    // The pseudo header that the UDP checksum covers holds the addresses.
    amendUdp(packet, udpAt, old, value);
  }
}

function setPort(packet: Uint8Array, udpAt: number, at: number, port: number): void {
  const old = word(packet, udpAt + at);
  setWord(packet, udpAt + at, port);
  amendUdp(packet, udpAt, old, port);
}

function amendUdp(packet: Uint8Array, udpAt: number, old: number, value: number): void {
  const at = udpAt + UDP_CHECKSUM;
  // Zero says that there is none (RFC 768); a sum that comes out as zero is written as all ones.
  if (word(packet, at) === 0) return;
  amend(packet, at, old, value);
  if (word(packet, at) === 0) setWord(packet, at, 0xffff);
}

/** RFC 1624, equation 3: HC' = ~(~HC + ~m + m'). */
function amend(packet: Uint8Array, checksumAt: number, old: number, value: number): void {
  let sum = (~word(packet, checksumAt) & 0xffff) + (~old & 0xffff) + value;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  setWord(packet, checksumAt, ~sum & 0xffff);
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function setWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value & 255;
}

function long(bytes: Uint8Array, at: number): number {
  return word(bytes, at) * 65_536 + word(bytes, at + 2);
}
