/** Which way datagrams go between two endpoints. */
import { isSameSocketAddress, type SocketAddress } from "./address.ts";

/** A local socket, as those see it that only choose between sockets. */
export interface PathSocket {
  /** Index of the socket, by which paths name it. */
  readonly index: number;
  /** What it can send to. */
  readonly family: 4 | 6;
}

/** A local socket and an address behind it. */
export interface Path {
  /** Index of the local socket. */
  readonly socket: number;
  /** The other side. */
  readonly remote: SocketAddress;
}

/** Whether two paths are one. */
export function isSamePath(a: Path, b: Path): boolean {
  return a.socket === b.socket && isSameSocketAddress(a.remote, b.remote);
}
