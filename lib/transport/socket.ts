/**
 * The one door to the network. Adapters: `deno_socket.ts` (the base), `node_socket.ts` (last
 * resort), `memory_network.ts` (simulation and tests). All pass the same contract suite.
 */
import type { SocketAddress } from "../nat/address.ts";
import { MAX_DATAGRAM_BYTES } from "../protocol/params.ts";

/**
 * Called for every datagram; `datagram` is a view that is only valid during the call. From a socket
 * whose {@linkcode DatagramSocket.acceleration} is `turbo` it may be several of one address in one
 * piece, one behind the other: all of one length, the last may be shorter.
 */
export type DatagramHandler = (datagram: Uint8Array, from: SocketAddress) => void;

/** Which way a socket's datagrams go, and what the system granted; for display. */
export interface SocketAcceleration {
  /** `turbo` where the kernel cuts and joins trains of datagrams, `base` for one call each. */
  readonly path: "base" | "turbo";
  /** Bytes the system holds for a program that is busy, its bookkeeping included; if known. */
  readonly receiveBufferBytes: number | undefined;
  /** The same of what was sent and has not left yet. */
  readonly sendBufferBytes: number | undefined;
}

/** Most datagrams of a train; the kernel's bound (`UDP_MAX_SEGMENTS` of `linux/udp.h`). */
export const MAX_TRAIN_SEGMENTS = 64;

/** Most bytes of a train: until it is cut up it is one datagram. */
export const MAX_TRAIN_BYTES = MAX_DATAGRAM_BYTES;

/** See {@linkcode DatagramSocket.sendTrain}. */
export type SendTrain = (
  buffer: Uint8Array,
  length: number,
  segmentBytes: number,
  to: SocketAddress,
) => Promise<boolean>;

/** A bound UDP socket of one address family. */
export interface DatagramSocket {
  /** Which addresses it can send to. */
  readonly family: 4 | 6;
  /** What it is bound to; the host may be `0.0.0.0` or `::`. */
  readonly localAddress: SocketAddress;
  /**
   * Hands every received datagram to `handler` until {@linkcode DatagramSocket.close}; called once.
   * Errors the system reports for earlier sends (ICMP unreachable, Windows 10054) are not errors
   * here. Resolves when the socket is closed; rejects when the socket broke for good.
   */
  receive(handler: DatagramHandler): Promise<void>;
  /**
   * Sends one datagram. Resolves when `datagram` may be reused. Datagrams are allowed to vanish, so
   * an unreachable destination or a full buffer resolves too, with false.
   */
  send(datagram: Uint8Array, to: SocketAddress): Promise<boolean>;
  /**
   * Sends several datagrams to one address in one call: `buffer[0..length)` holds them one behind the
   * other, each of `segmentBytes`, the last may be shorter. At most {@linkcode MAX_TRAIN_SEGMENTS} and
   * {@linkcode MAX_TRAIN_BYTES}. Nothing else may be sent on the socket until it resolved; otherwise
   * as {@linkcode DatagramSocket.send}. Undefined where, or as soon as, it is of no use.
   */
  readonly sendTrain?: SendTrain | undefined;
  /**
   * Bytes of datagrams that the system holds for a program that is busy, at least; undefined when
   * unknown, and for a socket that has no system behind it.
   */
  readonly heldDatagramBytes?: number | undefined;
  /**
   * Largest datagram that the link towards an address carries in one piece, as far as this system
   * knows: routers behind it may carry less. A socket without this method never knows.
   *
   * @returns Undefined if unknown.
   */
  linkDatagramBytes?(to: SocketAddress): number | undefined;
  /** Undefined for a socket that has no system behind it. */
  readonly acceleration?: SocketAcceleration | undefined;
  /**
   * Limits how many routers the datagrams of the following sends may pass (IPv4 TTL, IPv6 hop limit).
   * A socket without this method cannot.
   *
   * @param hops 1 to 255; undefined for the system's default.
   * @returns Whether it is in effect; false also for undefined where it can never be.
   */
  limitHops?(hops: number | undefined): boolean;
  /** Closes at once; calling it again does nothing. */
  close(): void;
}
