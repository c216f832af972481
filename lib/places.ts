/** How many clients a share still serves, and who waits for one to be done with. */

/** The places of a share. A place is used up by a client that was served, by no other. */
export class Places {
  #free: number;
  readonly #waiting: ((isTaken: boolean) => void)[] = [];
  /** Told when the place of a silent client goes to another. */
  readonly #offered = new Set<() => void>();
  #isClosed = false;

  /** @param count How many clients are served in all. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Whether nobody has to wait. */
  get hasFree(): boolean {
    return this.#free > 0 || this.#offered.size > 0;
  }

  /** Takes a place if one is free now. */
  tryTake(): boolean {
    if (this.#isClosed || !this.hasFree) return false;
    if (this.#free > 0) this.#free--;
    else this.#pass();
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

  /**
   * A client fell silent that holds a place: whoever comes may have it. It may be the same person,
   * whose program was killed and started again.
   *
   * @param onPassed The place is another client's from now on.
   * @returns Takes the offer back.
   */
  offer(onPassed: () => void): () => void {
    this.#offered.add(onPassed);
    const next = this.#waiting.shift();
    if (next) {
      this.#pass();
      next(true);
    }
    return () => void this.#offered.delete(onPassed);
  }

  /** Gives a place back: its client was not served. */
  giveBack(): void {
    const next = this.#waiting.shift();
    if (next) next(true);
    else this.#free++;
  }

  #pass(): void {
    const [onPassed] = this.#offered;
    this.#offered.delete(onPassed!);
    onPassed!();
  }

  /** Sends away whoever waits. */
  close(): void {
    this.#isClosed = true;
    for (const resolve of this.#waiting.splice(0)) resolve(false);
  }
}
