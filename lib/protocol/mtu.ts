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
  ETHERNET_DATAGRAM_BYTES_V4,
  ETHERNET_DATAGRAM_BYTES_V6,
  HELD_LARGE_DATAGRAMS,
  MTU_RETRY_MS,
  MTU_TRIES,
} from "./params.ts";
import { after, type Instant } from "../time.ts";

/**
 * Sizes worth probing on IPv4: Ethernet with jumbo frames (9000) and without, PPPoE (1492),
 * IPv6-sized tunnels (1480), WireGuard (1420), mobile (1400), IPsec (1380), and 1280. Over IPv6 the
 * same MTUs leave 20 bytes less.
 */
const LADDER_V4: readonly number[] = [8972, 1472, 1464, 1452, 1392, 1372, 1352, 1252];
const IPV6_EXTRA_BYTES = ETHERNET_DATAGRAM_BYTES_V4 - ETHERNET_DATAGRAM_BYTES_V6;

/** What bounds the datagrams of a path before the first of them is sent. */
export interface DatagramBounds {
  /** Of the path's addresses. */
  readonly family: 4 | 6;
  /** Largest datagram that the peer takes. */
  readonly peerBytes: number;
  /** Bytes of datagrams that the peer's system holds while its program is busy; 0 if unknown. */
  readonly peerBufferBytes: number;
  /**
   * Largest datagram that this side's link to the path carries in one piece; undefined if unknown.
   * Then none larger than Ethernet's is tried, because a system would send it in fragments.
   */
  readonly linkBytes?: number | undefined;
}

/** The sizes to try, the largest first. */
function sizesWithin({ family, peerBytes, peerBufferBytes, linkBytes }: DatagramBounds): number[] {
  const extra = family === 6 ? IPV6_EXTRA_BYTES : 0;
  const ethernetBytes = ETHERNET_DATAGRAM_BYTES_V4 - extra;
  const heldBytes = Math.floor(peerBufferBytes / HELD_LARGE_DATAGRAMS);
  const mostBytes = Math.min(
    peerBytes,
    linkBytes === undefined
      ? ethernetBytes
      : Math.min(linkBytes, Math.max(heldBytes, ethernetBytes)),
  );
  const sizes = LADDER_V4.map((size) => size - extra)
    .filter((size) => size > BASE_DATAGRAM_BYTES && size <= mostBytes);
  // What a link says of itself is no guess: it may be none of the usual sizes.
  const isNew = linkBytes !== undefined && mostBytes > (sizes[0] ?? BASE_DATAGRAM_BYTES);
  return isNew ? [mostBytes, ...sizes] : sizes;
}

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

  /** @param bounds Of the path, as far as they are known now. */
  constructor(bounds: DatagramBounds) {
    this.#ladder = sizesWithin(bounds);
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
