/**
 * A value that others change as often as they like, handed on with a pause in between: the newest one
 * counts, what it was in the meantime is forgotten. Knows nothing of what the value is.
 */
import { after } from "../time.ts";
import type { Clock } from "../transport/clock.ts";

/** What {@linkcode PacedValue} works with. */
export interface PacedValueOptions {
  readonly clock: Clock;
  /** Shortest time from one change that is told to the next, ms. */
  readonly pauseMs: number;
  /** Called when {@linkcode PacedValue.current} has become another. */
  readonly onChange: () => void;
}

/** A value, undefined at first. */
export class PacedValue<T> {
  readonly #options: PacedValueOptions;
  #current: T | undefined;
  #newest: T | undefined;
  #cancelPause: (() => void) | undefined;

  constructor(options: PacedValueOptions) {
    this.#options = options;
  }

  /** The value that was told last. */
  get current(): T | undefined {
    return this.#current;
  }

  /** Takes a value; it is told at once, or when the pause is over unless it was replaced by then. */
  set(value: T | undefined): void {
    this.#newest = value;
    if (this.#cancelPause === undefined) this.#tell();
  }

  /** Tells nothing more. */
  close(): void {
    this.#cancelPause?.();
    // A pause without end.
    this.#cancelPause = () => {};
  }

  #tell(): void {
    if (this.#newest === this.#current) return;
    this.#current = this.#newest;
    const { clock, pauseMs, onChange } = this.#options;
    this.#cancelPause = clock.setTimer(after(clock.now(), pauseMs), () => {
      this.#cancelPause = undefined;
      this.#tell();
    });
    onChange();
  }
}
