/**
 * Ctrl-C and its relatives: the first one ends the operation cleanly, the second ends the program
 * at once.
 */
import { after, type Instant } from "../time.ts";

/**
 * Signals closer together than this are one: a started-again program gets Ctrl-C from the terminal
 * and once more from the process that started it.
 */
export const SAME_INTERRUPT_MS = 300;

/** Turns signals into an {@linkcode AbortSignal}. */
export class Interrupt {
  readonly #controller = new AbortController();
  readonly #endNow: () => void;
  #first: Instant | undefined;

  /** @param endNow Ends the program, for the impatient second signal. */
  constructor(endNow: () => void) {
    this.#endNow = endNow;
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Takes a signal from the system. */
  handleSignal(now: Instant): void {
    if (this.#first === undefined) {
      this.#first = now;
      this.#controller.abort();
    } else if (now >= after(this.#first, SAME_INTERRUPT_MS)) {
      this.#endNow();
    }
  }
}

/** Signals that end a program; Windows knows only the first two. */
export const ENDING_SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGBREAK", "SIGTERM", "SIGHUP"];

/** The terminal has another size. */
export const RESIZE_SIGNALS: readonly Deno.Signal[] = ["SIGWINCH"];

/**
 * Calls `handle` for each of these signals, as far as the system has them.
 *
 * @returns Stops listening.
 */
export function listenForSignals(
  signals: readonly Deno.Signal[],
  handle: () => void,
): () => void {
  const listening: Deno.Signal[] = [];
  for (const signal of signals) {
    try {
      Deno.addSignalListener(signal, handle);
      listening.push(signal);
    } catch (error) {
      // Not a signal of this system.
      if (!(error instanceof TypeError)) throw error;
    }
  }
  return () => {
    for (const signal of listening) Deno.removeSignalListener(signal, handle);
  };
}
