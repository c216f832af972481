/** Events on their way from callbacks to one `for await` loop. */
import { Fifo } from "./protocol/fifo.ts";

/**
 * An unbounded queue that is iterated once. Its writers bound themselves: progress is replaced, not
 * queued, while nobody reads (see {@linkcode EventQueue.push}).
 */
export class EventQueue<T> implements AsyncIterableIterator<T> {
  // A hostile list can be a million warnings at once: taking the first must not move the rest.
  readonly #events = new Fifo<T>();
  /** Readers that came before there was an event, in that order. */
  readonly #readers = new Fifo<(result: IteratorResult<T>) => void>();
  readonly #isReplaceable: (earlier: T, later: T) => boolean;
  #isEnded = false;

  /** @param isReplaceable Whether an event still waiting may be dropped in favour of a later one. */
  constructor(isReplaceable: (earlier: T, later: T) => boolean) {
    this.#isReplaceable = isReplaceable;
  }

  /** Adds an event; nothing happens after the end. */
  push(event: T): void {
    if (this.#isEnded) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) return reader({ done: false, value: event });
    const last = this.#events.last;
    if (last !== undefined && this.#isReplaceable(last, event)) this.#events.replaceLast(event);
    else this.#events.push(event);
  }

  /** No more events; those that wait are still read. */
  end(): void {
    this.#isEnded = true;
    for (let reader = this.#readers.shift(); reader; reader = this.#readers.shift()) {
      reader({ done: true, value: undefined });
    }
  }

  /** The next event, once there is one; several calls at a time get one each, in order. */
  next(): Promise<IteratorResult<T>> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#isEnded) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
