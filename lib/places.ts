/** How many clients a share still serves, and who waits for one to be done with. */

/** The places of a share. A place is used up by a client that was served, by no other. */
export class Places {
  #free: number;
  readonly #waiting: ((isTaken: boolean) => void)[] = [];
  #isClosed = false;

  /** @param count How many clients are served in all. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Whether nobody has to wait. */
  get hasFree(): boolean {
    return this.#free > 0;
  }

  /** Takes a place if one is free now. */
  tryTake(): boolean {
    if (this.#isClosed || this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /**
   * Takes a place as soon as one is free, first come, first served.
   *
   * @returns False when the share ended first.
   */
  take(): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false);
    if (this.tryTake()) return Promise.resolve(true);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Gives a place back: its client was not served. */
  giveBack(): void {
    const next = this.#waiting.shift();
    if (next) next(true);
    else this.#free++;
  }

  /** Sends away whoever waits. */
  close(): void {
    this.#isClosed = true;
    for (const resolve of this.#waiting.splice(0)) resolve(false);
  }
}
