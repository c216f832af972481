/**
 * The system's C library through FFI: what of the socket calls Deno has no API for, and addresses as
 * they take them. Only where FFI is granted (nobody is prompted) and only on Linux with glibc: other
 * systems have other numbers and structures, and addresses would be read wrongly there.
 */
import { ipAddressToBytes, type SocketAddress } from "../nat/address.ts";

/** IPv4 level of socket options. */
export const IPPROTO_IP = 0;
/** IPv6 level of socket options. */
export const IPPROTO_IPV6 = 41;
/** Socket level of socket options. */
export const SOL_SOCKET = 1;

/** The type of UDP sockets. */
export const SOCK_DGRAM = 2;

/** Numbers of the address families. */
export const SYSTEM_FAMILY = { 4: 2, 6: 10 } as const;

/** sockaddr_in and sockaddr_in6: family (host order), port (network order), then the address. */
const PORT_OFFSET = 2;
const ADDRESS_OFFSET = { 4: 4, 6: 8 } as const;

/** Bytes of sockaddr_in6, the longer of both. */
export const SOCKADDR_BYTES = 28;

/** Bytes of an integer option. */
export const INT_BYTES = 4;

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
} as const;

/** The calls. */
export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Loaded when it is needed first; null when it cannot be. */
let library: Libc | null | undefined;

/** The library; undefined where there is none, or no permission to use it. */
export function loadedLibc(): Libc | undefined {
  if (Deno.build.os !== "linux") return undefined;
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return undefined;
  if (library === undefined) library = load();
  return library ?? undefined;
}

function load(): Libc | null {
  try {
    return Deno.dlopen("libc.so.6", SYMBOLS).symbols;
  } catch {
    return null; // another C library (musl)
  }
}

/** An address as the calls take it: sockaddr_in or sockaddr_in6, without flow and scope. */
export function sockaddrOf(address: SocketAddress): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SOCKADDR_BYTES);
  new Uint16Array(bytes.buffer)[0] = SYSTEM_FAMILY[address.family];
  new DataView(bytes.buffer).setUint16(PORT_OFFSET, address.port);
  bytes.set(ipAddressToBytes(address), ADDRESS_OFFSET[address.family]);
  return bytes;
}

/** Whether two such addresses of a family have the same host and port. */
export function isSameSockaddr(family: 4 | 6, a: Uint8Array, b: Uint8Array): boolean {
  const hostEnd = ADDRESS_OFFSET[family] + (family === 4 ? 4 : 16);
  for (let at = 0; at < hostEnd; at++) if (a[at] !== b[at]) return false;
  return true;
}

/**
 * An integer option.
 *
 * @param value Room for it.
 * @param length Room for its length.
 * @returns Undefined when the system does not tell.
 */
export function readOption(
  libc: Libc,
  descriptor: number,
  level: number,
  name: number,
  value: Int32Array<ArrayBuffer>,
  length: Uint32Array<ArrayBuffer>,
): number | undefined {
  value[0] = 0;
  length[0] = INT_BYTES;
  const status = libc.getsockopt(descriptor, level, name, value, length);
  return status === 0 && length[0] === INT_BYTES ? value[0] : undefined;
}
