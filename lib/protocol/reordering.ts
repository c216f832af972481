/**
 * How far packets of one path overtake one another, as far as that was seen, and what that means for
 * loss detection: how many packets, and how much time, must pass before a packet that has not
 * arrived is lost (RFC 9002, section 6.1; the time as RACK has it, RFC 8985, but measured). Every
 * late packet is a measurement, whether it had been declared lost or not, so that a path which goes
 * on reordering is not mistaken for a lossy one each time its memory fades.
 */
import {
  GRANULARITY_MS,
  MAX_REORDER_MS,
  MAX_REORDER_THRESHOLD_PACKETS,
  REORDER_MEMORY_EPISODES,
  REORDER_THRESHOLD_PACKETS,
  TIME_THRESHOLD,
} from "./params.ts";
import type { RttEstimator } from "./rtt.ts";

/** The largest value of the last {@linkcode REORDER_MEMORY_EPISODES} episodes. */
class FadingMax {
  value = 0;
  /** The largest since that; what is left when it fades. */
  #next = 0;
  #age = 0;

  add(value: number): void {
    if (value < this.value) {
      if (value > this.#next) this.#next = value;
      return;
    }
    this.value = value;
    this.#next = 0;
    this.#age = 0;
  }

  age(): void {
    if (++this.#age < REORDER_MEMORY_EPISODES) return;
    this.value = this.#next;
    this.#next = 0;
    this.#age = 0;
  }

  clear(): void {
    this.value = this.#next = this.#age = 0;
  }
}

/** The loss thresholds of one path. */
export class Reordering {
  readonly #packets = new FadingMax();
  readonly #delayMs = new FadingMax();

  /** Packets a packet is overtaken by when it counts as lost. */
  get thresholdPackets(): number {
    const needed = this.#packets.value + 1;
    if (needed <= REORDER_THRESHOLD_PACKETS) return REORDER_THRESHOLD_PACKETS;
    return Math.min(needed, MAX_REORDER_THRESHOLD_PACKETS);
  }

  /** How long after it was sent an overtaken packet counts as lost, ms. */
  thresholdMs(rtt: RttEstimator): number {
    const roundTripMs = Math.max(rtt.latestMs, rtt.smoothedMs);
    const mostMs = Math.max(roundTripMs, MAX_REORDER_MS);
    return Math.max(
      TIME_THRESHOLD * roundTripMs,
      roundTripMs + Math.min(TIME_THRESHOLD * this.#delayMs.value, mostMs),
      GRANULARITY_MS,
    );
  }

  /**
   * A packet was acknowledged after others that were sent later [LOSS-2].
   *
   * @param packets By how many at least it was overtaken.
   * @param elapsedMs Since it was sent.
   */
  handleLate(packets: number, elapsedMs: number, rtt: RttEstimator): void {
    this.#packets.add(packets);
    this.#delayMs.add(Math.max(elapsedMs - rtt.smoothedMs, 0));
  }

  /** A round trip with losses began. */
  handleEpisode(): void {
    this.#packets.age();
    this.#delayMs.age();
  }

  /** The path is another one. */
  clear(): void {
    this.#packets.clear();
    this.#delayMs.clear();
  }
}
