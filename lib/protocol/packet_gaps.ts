/**
 * [ACK-6] Which packet numbers a connection leaves out. A peer that acknowledges what it did not
 * receive, to be sent to faster than the path carries, cannot tell such a number from a packet that
 * was lost, and gives itself away (RFC 9000, section 21.4).
 *
 * The places are drawn ahead, many at once: a gap costs no call of the system.
 */
import type { RandomSource } from "../crypto/provider.ts";
import {
  FIRST_GAP_PACKET,
  GAP_SHARE_OF_SENT,
  LARGEST_GAP_DISTANCE,
  LEAST_GAP_DISTANCE,
} from "./params.ts";

/** Random bytes for one place. */
const DRAW_BYTES = 2;
/** Places drawn at once. */
const DRAWS = 32;

/** The gaps of one connection. */
export class PacketGaps {
  /** Numbers left out so far. */
  count = 0;
  readonly #random: RandomSource;
  readonly #drawn = new Uint8Array(DRAWS * DRAW_BYTES);
  #used = DRAWS * DRAW_BYTES;
  /** From which number on there is something to do: draw the first place, or leave it out. */
  #nextAt = FIRST_GAP_PACKET;
  #isDrawn = false;

  /** @param random Nobody else may foresee what it gives. */
  constructor(random: RandomSource) {
    this.#random = random;
  }

  /**
   * Whether a number is to be left out; the one behind it is asked about next.
   *
   * @param packetNumber The next to be used; larger than in every call before.
   */
  take(packetNumber: number): boolean {
    if (packetNumber < this.#nextAt) return false;
    const isGap = this.#isDrawn;
    this.#isDrawn = true;
    if (isGap) this.count++;
    this.#nextAt = packetNumber + this.#draw(packetNumber);
    return isGap;
  }

  /** Numbers to the next gap: 1 to twice their mean, each as likely. */
  #draw(packetNumber: number): number {
    if (this.#used === this.#drawn.length) {
      this.#random.fill(this.#drawn);
      this.#used = 0;
    }
    const value = (this.#drawn[this.#used++]! << 8) | this.#drawn[this.#used++]!;
    const mean = Math.max(Math.floor(packetNumber * GAP_SHARE_OF_SENT), LEAST_GAP_DISTANCE);
    return 1 + value % (2 * Math.min(mean, LARGEST_GAP_DISTANCE));
  }
}
