/**
 * When progress is worth a line of its own, where no line can be redrawn: every ten percent of a
 * quick transfer, every ten seconds of a slow one, or of several together. What limits it is said when that is another thing
 * than what was said last.
 */
import type { LimitedBy, ProgressEvent } from "../events.ts";
import { after, type Instant } from "../time.ts";
import { percentOf } from "./format.ts";

/** A slow transfer shows a sign of life this often. */
const PLAIN_PROGRESS_INTERVAL_MS = 10_000;

/** A quick one shows each step of this many percent. */
const PLAIN_PROGRESS_STEP_PERCENT = 10;

/** Picks the progress events to print; one for each session. */
export class PlainProgress {
  #shownPercent = 0;
  #shownAt: Instant | undefined;
  #shownLimit: LimitedBy | undefined;

  /**
   * Whether to print `progress`; true counts as printed.
   *
   * @param count How many move at the same time: of several each is a sign of life of all.
   */
  isDue(now: Instant, progress: ProgressEvent, count = 1): boolean {
    // Of a stream nobody knows what all of it is.
    const percent = progress.hasStream ? 0 : percentOf(progress.bytesDone, progress.bytesTotal);
    // Before the first line the interval counts from the first event.
    this.#shownAt ??= now;
    const isStep = count === 1 && percent >= this.#shownPercent + PLAIN_PROGRESS_STEP_PERCENT;
    const isInterval = now >= after(this.#shownAt, count * PLAIN_PROGRESS_INTERVAL_MS);
    if (!isStep && !isInterval) return false;
    this.#shownPercent = percent - (percent % PLAIN_PROGRESS_STEP_PERCENT);
    this.#shownAt = now;
    return true;
  }

  /** Whether to print what limits; true counts as printed. */
  isNewLimit(limitedBy: LimitedBy | undefined): boolean {
    if (limitedBy === this.#shownLimit) return false;
    this.#shownLimit = limitedBy;
    return true;
  }
}
