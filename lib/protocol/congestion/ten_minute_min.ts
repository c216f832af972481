/**
 * The least of some minutes, kept as the least of each minute (RFC 6817, section 3.4.2,
 * BASE_HISTORY): what was seen long ago is forgotten a minute at a time.
 */
import type { Instant } from "../../time.ts";

const MINUTES = 10;
const MINUTE_MS = 60_000;

/** A minimum over ten minutes. */
export class TenMinuteMin {
  /** The least; infinite before the first value. */
  value = Number.POSITIVE_INFINITY;
  readonly #minutes = new Float64Array(MINUTES).fill(Number.POSITIVE_INFINITY);
  #index = 0;
  #minuteEndsAt = Number.NEGATIVE_INFINITY;

  /** Takes a value. */
  add(now: Instant, value: number): void {
    if (now > this.#minuteEndsAt) {
      this.#minuteEndsAt = now + MINUTE_MS;
      this.#index = (this.#index + 1) % MINUTES;
      this.#minutes[this.#index] = value;
      this.value = Math.min(...this.#minutes);
    }
    if (value < this.#minutes[this.#index]!) this.#minutes[this.#index] = value;
    if (value < this.value) this.value = value;
  }

  /** Forgets all. */
  clear(): void {
    this.value = Number.POSITIVE_INFINITY;
    this.#minutes.fill(Number.POSITIVE_INFINITY);
  }
}
