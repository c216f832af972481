/** Events on their way from callbacks to one `for await` loop. */
import { Fifo } from "../protocol/fifo.ts";

/** An event that waits to be read, and may be replaced meanwhile. */
interface Slot<T> {
  event: T;
}

/** How events of a queue replace each other. */
export interface ReplacementRules<T> {
  /** Names what an event is about: a later one replaces only the last that waits of the same name. */
  readonly subjectOf: (event: T) => number | undefined;
  /** Whether an event still waiting may be dropped in favour of a later one of the same subject. */
  readonly isReplaceable: (earlier: T, later: T) => boolean;
}

/**
 * An unbounded queue that is iterated once. Its writers bound themselves: progress is replaced, not
 * queued, while nobody reads (see {@linkcode EventQueue.push}).
 */
export class EventQueue<T> implements AsyncIterableIterator<T> {
  // A hostile list can be a million warnings at once: taking the first must not move the rest.
  readonly #events = new Fifo<Slot<T>>();
  /** The last that waits, by its subject. */
  readonly #last = new Map<number, Slot<T>>();
  /** Readers that came before there was an event, in that order. */
  readonly #readers = new Fifo<(result: IteratorResult<T>) => void>();
  readonly #rules: ReplacementRules<T>;
  #isEnded = false;

  /** @param rules How events replace each other. */
  constructor(rules: ReplacementRules<T>) {
    this.#rules = rules;
  }

  /** Adds an event; nothing happens after the end. */
  push(event: T): void {
    if (this.#isEnded) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) return reader({ done: false, value: event });
    const { subjectOf, isReplaceable } = this.#rules;
    const subject = subjectOf(event);
    const last = subject === undefined ? undefined : this.#last.get(subject);
    if (last !== undefined && isReplaceable(last.event, event)) {
      last.event = event;
      return;
    }
    const slot = { event };
    this.#events.push(slot);
    if (subject !== undefined) this.#last.set(subject, slot);
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
    const slot = this.#events.shift();
    if (slot !== undefined) {
      const subject = this.#rules.subjectOf(slot.event);
      if (subject !== undefined && this.#last.get(subject) === slot) this.#last.delete(subject);
      return Promise.resolve({ done: false, value: slot.event });
    }
    if (this.#isEnded) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
