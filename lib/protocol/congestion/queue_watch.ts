/**
 * The queue in front of the path, as round trips show it: what is above the path's own round trip.
 * Two views of it: the least of the last two round trips says what *stands*, and is deaf to jitter
 * and short bursts; the least of the last four samples says what is *building* just now.
 */
import { Jitter } from "./jitter.ts";

/** A queue this deep is visible: a share of the path's round trip, and at least so many ms. */
const VISIBLE_SHARE = 1 / 8;
const VISIBLE_MS = 2.5;
/** On top of it, so many times the jitter. */
const JITTERS = 2;
const SAMPLES = 4;

/** The queue by its delay, all in milliseconds. */
export class QueueWatch {
  readonly #jitter: Jitter;
  #presentMs = Number.POSITIVE_INFINITY;
  #previousMs = Number.POSITIVE_INFINITY;
  readonly #recent = new Float64Array(SAMPLES);
  #sampleCount = 0;

  /** @param jitter Of the path: what is below a few of it is no visible queue. */
  constructor(jitter: Jitter = new Jitter()) {
    this.#jitter = jitter;
  }

  /** Takes a sample; NaN for an ACK without one. */
  handleAck(sampleMs: number, isRoundStart: boolean): void {
    if (isRoundStart) {
      this.#previousMs = this.#presentMs;
      this.#presentMs = Number.POSITIVE_INFINITY;
    }
    if (Number.isNaN(sampleMs)) return;
    this.#recent[this.#sampleCount++ % SAMPLES] = sampleMs;
    if (sampleMs < this.#presentMs) this.#presentMs = sampleMs;
  }

  /** The delay of the queue that stands; 0 while nothing is known. */
  standingMs(minRttMs: number): number {
    const leastMs = Math.min(this.#presentMs, this.#previousMs);
    return leastMs === Number.POSITIVE_INFINITY ? 0 : Math.max(leastMs - minRttMs, 0);
  }

  /** The delay of the queue as it is now; 0 before there are enough samples. */
  recentMs(minRttMs: number): number {
    if (this.#sampleCount < SAMPLES) return 0;
    let leastMs = this.#recent[0]!;
    for (let index = 1; index < SAMPLES; index++) leastMs = Math.min(leastMs, this.#recent[index]!);
    return Math.max(leastMs - minRttMs, 0);
  }

  /** Whether a queue stands that is too long to be noise. */
  isStanding(minRttMs: number): boolean {
    return this.standingMs(minRttMs) > this.#visibleMs(minRttMs);
  }

  /** Whether such a queue is there just now. */
  isBuilding(minRttMs: number): boolean {
    return this.recentMs(minRttMs) > this.#visibleMs(minRttMs);
  }

  #visibleMs(minRttMs: number): number {
    return Math.max(minRttMs * VISIBLE_SHARE, VISIBLE_MS) + JITTERS * this.#jitter.valueMs;
  }
}
