/**
 * Options of a UDP socket that Deno has no API for, through `setsockopt` of the system's C library
 * (`libc.ts`, which says where there is one): finds the file descriptor behind a socket, reads and
 * sets integer options on it.
 *
 * What an option is good for belongs to its user (`hop_limit.ts`). Everything here answers with
 * undefined or false where it cannot help, and never throws.
 */
import type { SocketAddress } from "../nat/address.ts";
import {
  INT_BYTES,
  isSameSockaddr,
  type Libc,
  loadedLibc,
  readOption,
  SOCK_DGRAM,
  SOCKADDR_BYTES,
  sockaddrOf,
  SOL_SOCKET,
} from "./libc.ts";

const SO_TYPE = 3;

/** Descriptors are given out from the lowest; more sockets than this a process here never has. */
const MAX_DESCRIPTORS = 2048;

/** Where the last socket was found: sockets opened in a row have descriptors in a row. */
let lastDescriptor = 0;

/** The options of one bound socket. */
export class SocketOptions {
  readonly #libc: Libc;
  readonly #descriptor: number;
  readonly #value = new Int32Array(1);
  readonly #length = new Uint32Array(1);

  private constructor(libc: Libc, descriptor: number) {
    this.#libc = libc;
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
    const libc = address.family === family ? loadedLibc() : undefined;
    if (libc === undefined) return undefined;
    const descriptor = findDescriptor(libc, family, address);
    return descriptor === undefined ? undefined : new SocketOptions(libc, descriptor);
  }

  /** The value of an integer option; undefined when the system does not tell. */
  get(level: number, name: number): number | undefined {
    return readOption(this.#libc, this.#descriptor, level, name, this.#value, this.#length);
  }

  /** Sets an integer option; false when the system refuses. It may still not mean what was asked. */
  set(level: number, name: number, value: number): boolean {
    this.#value[0] = value;
    return this.#libc.setsockopt(this.#descriptor, level, name, this.#value, INT_BYTES) === 0;
  }
}

/**
 * Asks every descriptor for its address. Reading `/proc/self/fd` would name the sockets, but needs a
 * permission for all files.
 */
function findDescriptor(
  libc: Libc,
  family: 4 | 6,
  address: SocketAddress,
): number | undefined {
  const wanted = sockaddrOf(address);
  const bound = new Uint8Array(SOCKADDR_BYTES);
  const value = new Int32Array(1);
  const length = new Uint32Array(1);
  for (let tries = 0; tries < MAX_DESCRIPTORS; tries++) {
    const descriptor = (lastDescriptor + tries) % MAX_DESCRIPTORS;
    length[0] = SOCKADDR_BYTES;
    if (libc.getsockname(descriptor, bound, length) !== 0) continue;
    if (!isSameSockaddr(family, bound, wanted)) continue;
    // TCP sockets may have the same address and port.
    if (readOption(libc, descriptor, SOL_SOCKET, SO_TYPE, value, length) !== SOCK_DGRAM) continue;
    lastDescriptor = descriptor;
    return descriptor;
  }
  return undefined;
}
