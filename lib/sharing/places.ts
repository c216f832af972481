/** How many clients a share serves at a time and in all, and who waits until one is done. */

/** How many places there are. */
export interface PlacesOptions {
  /** Clients at a time. */
  readonly atOnce: number;
  /** How often the share may be taken to the end; Infinity for no limit. */
  readonly reads: number;
  /** Told when a place may have become free, and nobody waits for it. */
  readonly onFree?: () => void;
}

/**
 * The places of a share: so many as there are at a time, and never more than reads are left. Who was
 * served has used up a read; who was not gives the place back, and another may have it.
 */
export class Places {
  readonly #atOnce: number;
  readonly #onFree: () => void;
  #reads: number;
  #taken = 0;
  /** First come, first served. */
  readonly #waiting = new Set<() => void>();
  /** Told when the place of a silent client goes to another. */
  readonly #offered = new Set<() => void>();
  #isClosed = false;

  /** @param options How many there are. */
  constructor({ atOnce, reads, onFree = () => {} }: PlacesOptions) {
    this.#atOnce = atOnce;
    this.#reads = reads;
    this.#onFree = onFree;
  }

  /** How many can be taken now; those of silent clients are among them. */
  get free(): number {
    if (this.#isClosed) return 0;
    return this.#unused + this.#offered.size;
  }

  /** Whether the share was taken as often as it may be. */
  get isUsedUp(): boolean {
    return this.#reads === 0;
  }

  /** Takes a place if one is free now. */
  tryTake(): boolean {
    if (this.free === 0) return false;
    if (this.#unused === 0) this.#pass();
    this.#taken++;
    return true;
  }

  /**
   * Waits for a place behind those who wait already; {@linkcode Places.tryTake} was in vain.
   *
   * @param onPlace The place is taken for who waits.
   * @returns Ends the waiting.
   */
  wait(onPlace: () => void): () => void {
    // A function of its own each time: the set tells by it who waits.
    const waiting = () => onPlace();
    if (!this.#isClosed) this.#waiting.add(waiting);
    return () => void this.#waiting.delete(waiting);
  }

  /**
   * A client fell silent that holds a place: whoever waits, or comes, may have it. It may be the same
   * person, whose program was killed and started again.
   *
   * @param onPassed The place is another client's from now on.
   * @returns Takes the offer back.
   */
  offer(onPassed: () => void): () => void {
    const offered = () => onPassed();
    this.#offered.add(offered);
    this.#serveNext();
    return () => void this.#offered.delete(offered);
  }

  /** Gives a place back: its client was not served. */
  giveBack(): void {
    this.#taken--;
    this.#serveNext();
  }

  /** Gives a place back whose client was served. */
  useUp(): void {
    this.#reads--;
    this.giveBack();
  }

  /** Nobody gets a place any more. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.clear();
  }

  /** Places that nobody holds. */
  get #unused(): number {
    return Math.max(0, Math.min(this.#atOnce, this.#reads) - this.#taken);
  }

  #serveNext(): void {
    for (const waiting of this.#waiting) {
      if (!this.tryTake()) return;
      this.#waiting.delete(waiting);
      waiting();
    }
    if (this.free > 0) this.#onFree();
  }

  #pass(): void {
    const [onPassed] = this.#offered;
    this.#offered.delete(onPassed!);
    this.#taken--;
    onPassed!();
  }
}
