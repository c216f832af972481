/**
 * Runs one operation of the library from its first event to its last, and turns its end into an
 * exit status, whatever way it ends.
 */
import { setImmediate } from "node:timers";
import { ERRORS } from "../errors.ts";
import type { DoneEvent, ErrorEvent, TransferEvent } from "../events.ts";
import { after } from "../time.ts";
import type { Clock } from "../transport/clock.ts";
import { errorEvent, errorEventOf } from "./failure.ts";
import type { Reporter } from "./reporter.ts";

/** A running share or receive. */
export interface Operation extends AsyncIterable<TransferEvent> {
  /** Ends it and frees what it holds. */
  close(): Promise<void>;
}

/** How to run an operation. */
export interface RunOptions {
  /** Starts it. */
  readonly start: () => Operation | Promise<Operation>;
  readonly reporter: Reporter;
  /** Aborted by Ctrl-C; the operation was given the same signal. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** Time to end cleanly after Ctrl-C; then the program ends without waiting further. */
export const CLEAN_END_MS = 900;

/** Events reported in one turn of the event loop. */
const EVENTS_PER_TURN = 256;

/** Runs it and returns the exit status. */
export async function runOperation(options: RunOptions): Promise<number> {
  const run = new OperationRun(options);
  return await Promise.race([run.finish(), run.interruptedTooLong()]);
}

class OperationRun {
  readonly #options: RunOptions;
  /** Exit status of the last event that has one; of a session done both ways that of the worse. */
  #exit: number | undefined;
  /** The half of a session that was done last. */
  #done: DoneEvent | undefined;
  #isOver = false;
  #eventCount = 0;

  constructor(options: RunOptions) {
    this.#options = options;
  }

  /** The normal way: all events, then the end of the iteration, then closing. */
  async finish(): Promise<number> {
    const { start, signal } = this.#options;
    let isStarted = false;
    let operation: Operation | undefined;
    try {
      operation = await start();
      isStarted = true;
      for await (const event of operation) {
        if (this.#isOver) break;
        this.#report(event);
        // Not waited for each time: that is a promise for each of tens of thousands of files.
        if (++this.#eventCount % EVENTS_PER_TURN === 0) await breathe();
      }
    } catch (error) {
      // Wrong arguments are all the library throws a TypeError for, and only when called.
      const isUsage = error instanceof TypeError && !isStarted;
      this.#fail(
        signal.aborted
          ? interruptedEvent()
          : isUsage
          ? errorEvent("usage", error.message)
          : errorEventOf(error),
        error,
      );
    }
    await operation?.close();
    if (this.#exit === undefined) {
      this.#fail(
        signal.aborted
          ? interruptedEvent()
          : errorEvent("internal", "The operation ended without a result"),
      );
    }
    this.#isOver = true;
    return this.#exit ?? ERRORS.internal.exit;
  }

  /** Resolves only if the operation does not end in time after Ctrl-C. */
  async interruptedTooLong(): Promise<number> {
    const { signal, clock } = this.#options;
    await new Promise<void>((resolve) => {
      const arm = () => clock.setTimer(after(clock.now(), CLEAN_END_MS), resolve);
      if (signal.aborted) arm();
      else signal.addEventListener("abort", arm, { once: true });
    });
    if (this.#exit === undefined && !this.#isOver) this.#fail(interruptedEvent());
    this.#isOver = true;
    return this.#exit ?? ERRORS.interrupted.exit;
  }

  #report(event: TransferEvent): void {
    if ("exit" in event) this.#exit = this.#exitOf(event);
    this.#options.reporter.handleEvent(event);
  }

  #exitOf(event: TransferEvent & { readonly exit: number }): number {
    if (event.event !== "done") return event.exit;
    const other = this.#done?.session === event.session ? this.#done.exit : 0;
    this.#done = event;
    return other || event.exit;
  }

  #fail(event: ErrorEvent, error?: unknown): void {
    if (this.#isOver) return;
    if (error !== undefined) this.#options.reporter.handleException(error);
    this.#report(event);
  }
}

/** Lets signals and datagrams in: a hostile list can be a million warnings that wait at once. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function interruptedEvent(): ErrorEvent {
  return errorEvent("interrupted", "Interrupted");
}
