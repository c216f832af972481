/** The largest of what was seen in the present period and in the one before. */

/** A maximum that forgets: a value counts in its own period and in the next. */
export class WindowedMax {
  #present = 0;
  #previous = 0;

  /** The maximum; 0 before anything was seen. */
  get value(): number {
    return Math.max(this.#present, this.#previous);
  }

  /** Takes a value into the present period. */
  add(value: number): void {
    if (value > this.#present) this.#present = value;
  }

  /** Begins a new period. */
  advance(): void {
    this.#previous = this.#present;
    this.#present = 0;
  }

  /** Forgets all. */
  clear(): void {
    this.#present = 0;
    this.#previous = 0;
  }
}
