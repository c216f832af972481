/** Events on their way from callbacks to one `for await` loop. */

/**
 * An unbounded queue that is iterated once. Its writers bound themselves: progress is replaced, not
 * queued, while nobody reads (see {@linkcode EventQueue.push}).
 */
export class EventQueue<T> implements AsyncIterableIterator<T> {
  readonly #events: T[] = [];
  readonly #isReplaceable: (earlier: T, later: T) => boolean;
  #wake: (() => void) | undefined;
  #isEnded = false;

  /** @param isReplaceable Whether an event still waiting may be dropped in favour of a later one. */
  constructor(isReplaceable: (earlier: T, later: T) => boolean) {
    this.#isReplaceable = isReplaceable;
  }

  /** Adds an event; nothing happens after the end. */
  push(event: T): void {
    if (this.#isEnded) return;
    const last = this.#events.at(-1);
    if (last !== undefined && this.#isReplaceable(last, event)) this.#events.pop();
    this.#events.push(event);
    this.#wake?.();
  }

  /** No more events; those that wait are still read. */
  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<T>> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return { done: false, value: event };
      if (this.#isEnded) return { done: true, value: undefined };
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
