/**
 * Which datagram size the path carries: a ladder of sizes, each probed once, all in the first
 * moments (RFC 8899 in spirit). All at once because after the first ICMP too-big the kernel
 * fragments larger datagrams silently, and every later probe would seem to succeed. That a single
 * probe is lost by chance costs little: the next size is close. Only where that says nothing of the
 * size, because all were lost or because it was in use already, is one tried twice.
 */
import {
  BASE_DATAGRAM_BYTES,
  BLACK_HOLE_PROBES,
  MAX_DATAGRAM_BYTES_V4,
  MAX_DATAGRAM_BYTES_V6,
  MTU_RETRY_MS,
  MTU_TRIES,
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
  /** Probes of the present ladder that were lost. */
  #lostProbes = 0;
  /** Ladders in a row of which nothing arrived. */
  #failedTries = 0;
  #timeouts = 0;
  /** The size given up for a black hole, or 0. */
  #fallenFrom = 0;

  /**
   * @param family Of the path's addresses.
   * @param peerLimitBytes Largest datagram the peer takes.
   */
  constructor(family: 4 | 6, peerLimitBytes: number) {
    const extra = family === 6 ? IPV6_EXTRA_BYTES : 0;
    this.#ladder = LADDER_V4.map((size) => size - extra)
      .filter((size) => size > BASE_DATAGRAM_BYTES && size <= peerLimitBytes);
  }

  /** Size of the next probe to send, or 0: each once, and none that is known to pass [MTU-1]. */
  nextProbeBytes(): number {
    const bytes = this.#ladder[this.#nextProbe] ?? 0;
    return bytes > this.datagramBytes ? bytes : 0;
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
    this.#failedTries = 0;
    if (bytes <= this.datagramBytes) return false;
    this.datagramBytes = bytes;
    return true;
  }

  /**
   * A probe was lost. When it was the last of a ladder, and nothing arrived, that is sent again.
   *
   * @returns When to send it again, if not at once: then the owner calls `restart`.
   */
  onProbeLost(now: Instant): Instant | undefined {
    this.#lostProbes++;
    if (this.datagramBytes > BASE_DATAGRAM_BYTES || this.#lostProbes < this.#nextProbe) {
      return undefined;
    }
    if (this.#nextProbe < this.#ladder.length) return undefined;
    if (++this.#failedTries >= MTU_TRIES) return after(now, MTU_RETRY_MS);
    this.#probeFrom(0);
    return undefined;
  }

  /**
   * Something arrived: the size in use works, and what was given up may have been an outage.
   *
   * @returns When to look for larger ones still, after a fall: then the owner calls `restart`.
   */
  onProgress(now: Instant): Instant | undefined {
    this.#timeouts = 0;
    if (this.#fallenFrom === 0) return undefined;
    // At once only what was in use: the larger ones did not pass.
    this.#probeFrom(this.#ladder.indexOf(this.#fallenFrom));
    this.#fallenFrom = 0;
    return after(now, MTU_RETRY_MS);
  }

  /**
   * A probe timeout passed without an answer: several in a row are a black hole [MTU-2].
   *
   * @returns Whether the size fell back to the base.
   */
  onTimeout(): boolean {
    this.#timeouts++;
    if (this.#timeouts < BLACK_HOLE_PROBES || this.datagramBytes === BASE_DATAGRAM_BYTES) {
      return false;
    }
    this.#fallenFrom = this.datagramBytes;
    this.datagramBytes = BASE_DATAGRAM_BYTES;
    this.#nextProbe = this.#ladder.length;
    return true;
  }

  /** Probes the whole ladder again. */
  restart(): void {
    this.#failedTries = 0;
    this.#probeFrom(0);
  }

  #probeFrom(index: number): void {
    this.#nextProbe = index;
    this.#lostProbes = index;
  }
}
