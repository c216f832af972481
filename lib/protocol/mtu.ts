/**
 * Which datagram size the path carries: a ladder of sizes, each probed once, all in the first
 * moments (RFC 8899 in spirit). All at once because after the first ICMP too-big the kernel
 * fragments larger datagrams silently, and every later probe would seem to succeed.
 */
import {
  BASE_DATAGRAM_BYTES,
  BLACK_HOLE_PROBES,
  MAX_DATAGRAM_BYTES_V4,
  MAX_DATAGRAM_BYTES_V6,
  MTU_FIRST_RETRY_MS,
  MTU_RETRY_MS,
} from "./params.ts";
import { after, type Instant } from "../time.ts";

/**
 * Sizes worth probing on IPv4: Ethernet, PPPoE (1492), IPv6-sized tunnels (1480), WireGuard (1420),
 * mobile (1400), IPsec (1380), and 1280. Over IPv6 the same MTUs leave 20 bytes less.
 */
const LADDER_V4: readonly number[] = [1472, 1464, 1452, 1392, 1372, 1352, 1252];
const IPV6_EXTRA_BYTES = MAX_DATAGRAM_BYTES_V4 - MAX_DATAGRAM_BYTES_V6;

/** The datagram size of one path. */
export class MtuLadder {
  /** Bytes of the largest datagram known to pass. */
  datagramBytes: number = BASE_DATAGRAM_BYTES;
  readonly #ladder: readonly number[];
  #nextProbe = 0;
  #timeouts = 0;
  #fallbacks = 0;

  /**
   * @param family Of the path's addresses.
   * @param peerLimitBytes Largest datagram the peer takes.
   */
  constructor(family: 4 | 6, peerLimitBytes: number) {
    const extra = family === 6 ? IPV6_EXTRA_BYTES : 0;
    this.#ladder = LADDER_V4.map((size) => size - extra)
      .filter((size) => size > BASE_DATAGRAM_BYTES && size <= peerLimitBytes);
  }

  /** Size of the next probe to send, or 0: each once [MTU-1]. */
  nextProbeBytes(): number {
    return this.#ladder[this.#nextProbe] ?? 0;
  }

  /** The probe was sent. */
  onProbeSent(): void {
    this.#nextProbe++;
  }

  /**
   * A probe of this size arrived.
   *
   * @returns Whether datagrams may be larger now.
   */
  onProbeAcked(bytes: number): boolean {
    if (bytes <= this.datagramBytes) return false;
    this.datagramBytes = bytes;
    return true;
  }

  /** Something arrived: the size in use works. */
  onProgress(): void {
    this.#timeouts = 0;
  }

  /**
   * A probe timeout passed without an answer: several in a row are a black hole [MTU-2].
   *
   * @returns When to probe again if the size fell back to the base, else undefined.
   */
  onTimeout(now: Instant): Instant | undefined {
    this.#timeouts++;
    if (this.#timeouts < BLACK_HOLE_PROBES || this.datagramBytes === BASE_DATAGRAM_BYTES) {
      return undefined;
    }
    this.datagramBytes = BASE_DATAGRAM_BYTES;
    this.#nextProbe = this.#ladder.length;
    // The first time it may have been an outage of the whole path: look again soon.
    return after(now, this.#fallbacks++ === 0 ? MTU_FIRST_RETRY_MS : MTU_RETRY_MS);
  }

  /** Probes the whole ladder again. */
  restart(): void {
    this.#nextProbe = 0;
  }
}
