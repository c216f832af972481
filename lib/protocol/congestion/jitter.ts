/**
 * How much the delay of the path wanders without any queue of ours: radio, and queues elsewhere. It is
 * a quantile, over round trips, of what the delay of the moment is above the least of the last two:
 * two thirds of them have less. Not a mean, in which the few large ones would count that a queue makes
 * when it fills or empties.
 */

/** How far the quantile goes in a round trip that has less: a share of the path's, and ms. */
const STEP_SHARE = 1 / 256;
const STEP_MS = 0.15;
/** And how much further in one that has more. */
const UP = 2;
/**
 * What is below this share of the path's round trip does not matter, and may be a queue's; all of it
 * counts from twice as much on.
 */
const FREE_SHARE = 1 / 32;

/** The path's jitter. */
export class Jitter {
  /** What counts of it, ms. */
  valueMs = 0;
  #quantileMs = 0;

  /**
   * A round trip is over.
   *
   * @param deviationMs What the delay of the moment is above the least of two round trips.
   */
  handleRound(deviationMs: number, minRttMs: number): void {
    const stepMs = Math.max(STEP_SHARE * minRttMs, STEP_MS);
    const awayMs = deviationMs - this.#quantileMs;
    this.#quantileMs += Math.max(Math.min(awayMs, UP * stepMs), -stepMs);
    const aboveMs = Math.max(this.#quantileMs - FREE_SHARE * minRttMs, 0);
    this.valueMs = Math.min(this.#quantileMs, 2 * aboveMs);
  }
}
