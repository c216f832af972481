/**
 * What a machine must be to share its sockets with others: STUN, hole punching and the endpoint of
 * `lib/protocol` all work on the sockets that carry data, because a NAT's mapping belongs to a
 * socket.
 *
 * The contract: *after any call that changes the machine, drain `pollTransmit`, then arm one timer
 * for `pollTimeout`.* Early or repeated calls of `handleTimeout` do nothing.
 */
import type { Instant } from "../time.ts";
import type { Path } from "./path.ts";

/** A pure machine that shares sockets: datagrams and time in, datagrams and deadlines out. */
export interface DatagramMachine {
  /** Where the datagram of the last {@linkcode DatagramMachine.pollTransmit} goes. */
  readonly transmitPath: Path;
  /**
   * How many routers that datagram may pass (IPv4 TTL, IPv6 hop limit); undefined for the system's
   * default. Where it cannot be set, such a datagram is not sent.
   */
  readonly transmitHops?: number | undefined;
  /**
   * Takes a datagram that nobody with a better claim took.
   *
   * @param datagram A view that is only valid during the call.
   * @param path The socket it came in on, and who sent it.
   * @returns Whether it was for this machine. False leaves it to others and changes nothing.
   */
  handleDatagram(now: Instant, datagram: Uint8Array, path: Path): boolean;
  /**
   * How long a datagram of this machine's kind at the start of `piece` says to be. The kernel may join
   * datagrams of one sender, and does not say where one ends.
   *
   * @returns 0 when it is not of its kind or cannot be told; it may be more than there is.
   */
  peekLength?(piece: Uint8Array): number;
  /** Tells that a datagram to `path`, whoever's it was, did not leave: the system refused it. */
  handleUnsent?(now: Instant, path: Path): void;
  /** Does what is due. */
  handleTimeout(now: Instant): void;
  /** The one deadline to arm; `NEVER` when there is none. */
  pollTimeout(): Instant;
  /**
   * Writes the next datagram to send.
   *
   * @param out Written from index 0; at least 1472 bytes.
   * @returns Bytes of the datagram, or 0 when there is nothing to send now.
   */
  pollTransmit(now: Instant, out: Uint8Array): number;
}
