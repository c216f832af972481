/**
 * The one door to the network. Adapters: `deno_socket.ts` (the base), `node_socket.ts` (last
 * resort), `memory_network.ts` (simulation and tests). All pass the same contract suite.
 */
import type { SocketAddress } from "../nat/address.ts";

/** Called for every datagram; `datagram` is a view that is only valid during the call. */
export type DatagramHandler = (datagram: Uint8Array, from: SocketAddress) => void;

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
