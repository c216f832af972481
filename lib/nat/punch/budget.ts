/** A limit on what is sent within any stretch of time: exact, however the sending is spread. */
import { after, type Instant } from "../../time.ts";

/** Allows so many within any window, wherever the window begins. */
export class PunchBudget {
  readonly #windowMs: number;
  /** When each of the last ones was spent; the oldest stands at `#oldest`. */
  readonly #spentAt: Float64Array;
  #oldest = 0;

  /** Nothing is spent yet. */
  constructor(count: number, windowMs: number) {
    this.#windowMs = windowMs;
    this.#spentAt = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  }

  /** From when on one more may be spent. */
  get nextAt(): Instant {
    return after(this.#spentAt[this.#oldest]! as Instant, this.#windowMs);
  }

  /** One was sent. */
  spend(now: Instant): void {
    this.#spentAt[this.#oldest] = now;
    this.#oldest = (this.#oldest + 1) % this.#spentAt.length;
  }
}
