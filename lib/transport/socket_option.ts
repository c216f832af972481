/**
 * Options of a UDP socket that Deno has no API for, through `setsockopt` of the system's C library:
 * finds the file descriptor behind a socket, reads and sets integer options on it. Only where FFI is
 * granted (nobody is prompted) and only on Linux with glibc: other systems have other numbers and
 * structures, and the addresses below would be read wrongly there.
 *
 * What an option is good for belongs to its user (`hop_limit.ts`). Everything here answers with
 * undefined or false where it cannot help, and never throws.
 */
import { ipAddressToBytes, type SocketAddress } from "../nat/address.ts";

/** IPv4 level of `setsockopt`. */
export const IPPROTO_IP = 0;
/** IPv6 level of `setsockopt`. */
export const IPPROTO_IPV6 = 41;
/** Socket level of `setsockopt`. */
export const SOL_SOCKET = 1;

const SO_TYPE = 3;
const SOCK_DGRAM = 2;
const AF_INET = 2;
const AF_INET6 = 10;

/** Descriptors are given out from the lowest; more sockets than this a process here never has. */
const MAX_DESCRIPTORS = 2048;

/** sockaddr_in and sockaddr_in6: family (host order), port (network order), then the address. */
const PORT_OFFSET = 2;
const ADDRESS_OFFSET = { 4: 4, 6: 8 } as const;
const SOCKADDR_BYTES = 28;
const INT_BYTES = 4;

const SYMBOLS = {
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
} as const;

type Library = Deno.DynamicLibrary<typeof SYMBOLS>;

/** Loaded when it is needed first; null when it cannot be. */
let library: Library | null | undefined;
/** Where the last socket was found: sockets opened in a row have descriptors in a row. */
let lastDescriptor = 0;

/** The options of one bound socket. */
export class SocketOptions {
  readonly #library: Library;
  readonly #descriptor: number;
  readonly #value = new Int32Array(1);
  readonly #length = new Uint32Array(1);

  private constructor(library: Library, descriptor: number) {
    this.#library = library;
    this.#descriptor = descriptor;
  }

  /**
   * Finds the socket that this process has bound to an address.
   *
   * @param family Of the socket.
   * @param address What it is bound to.
   * @returns Undefined where options cannot be had. Not to be used after the socket was closed: the
   * system gives its descriptor to somebody else.
   */
  static of(family: 4 | 6, address: SocketAddress): SocketOptions | undefined {
    if (address.family !== family || !isAvailable()) return undefined;
    if (library === undefined) library = loadLibrary();
    if (library === null) return undefined;
    const descriptor = findDescriptor(library, family, address);
    return descriptor === undefined ? undefined : new SocketOptions(library, descriptor);
  }

  /** The value of an integer option; undefined when the system does not tell. */
  get(level: number, name: number): number | undefined {
    return readOption(this.#library, this.#descriptor, level, name, this.#value, this.#length);
  }

  /** Sets an integer option; false when the system refuses. It may still not mean what was asked. */
  set(level: number, name: number, value: number): boolean {
    this.#value[0] = value;
    const { setsockopt } = this.#library.symbols;
    return setsockopt(this.#descriptor, level, name, this.#value, INT_BYTES) === 0;
  }
}

function isAvailable(): boolean {
  return Deno.build.os === "linux" &&
    Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

function loadLibrary(): Library | null {
  try {
    return Deno.dlopen("libc.so.6", SYMBOLS);
  } catch {
    return null; // another C library (musl)
  }
}

/**
 * Asks every descriptor for its address. Reading `/proc/self/fd` would name the sockets, but needs a
 * permission for all files.
 */
function findDescriptor(
  { symbols }: Library,
  family: 4 | 6,
  address: SocketAddress,
): number | undefined {
  const wanted = ipAddressToBytes(address);
  const bound = new Uint8Array(SOCKADDR_BYTES);
  const view = new DataView(bound.buffer);
  const host = bound.subarray(ADDRESS_OFFSET[family], ADDRESS_OFFSET[family] + wanted.length);
  const value = new Int32Array(1);
  const length = new Uint32Array(1);
  const systemFamily = family === 4 ? AF_INET : AF_INET6;
  const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  for (let tries = 0; tries < MAX_DESCRIPTORS; tries++) {
    const descriptor = (lastDescriptor + tries) % MAX_DESCRIPTORS;
    length[0] = SOCKADDR_BYTES;
    if (symbols.getsockname(descriptor, bound, length) !== 0) continue;
    if (view.getUint16(0, isLittleEndian) !== systemFamily) continue;
    if (view.getUint16(PORT_OFFSET) !== address.port) continue;
    if (host.some((byte, index) => byte !== wanted[index])) continue;
    // TCP sockets may have the same address and port.
    const type = readOption({ symbols }, descriptor, SOL_SOCKET, SO_TYPE, value, length);
    if (type !== SOCK_DGRAM) continue;
    lastDescriptor = descriptor;
    return descriptor;
  }
  return undefined;
}

function readOption(
  { symbols }: Pick<Library, "symbols">,
  descriptor: number,
  level: number,
  name: number,
  value: Int32Array<ArrayBuffer>,
  length: Uint32Array<ArrayBuffer>,
): number | undefined {
  value[0] = 0;
  length[0] = INT_BYTES;
  const status = symbols.getsockopt(descriptor, level, name, value, length);
  return status === 0 && length[0] === INT_BYTES ? value[0] : undefined;
}
