/**
 * One wake-up at a time, more exact than `setTimeout` and without spinning: where FFI is granted,
 * libc sleeps on a thread of Deno's pool (about 0.1 ms late). Elsewhere `setTimeout` is armed early
 * by what it is known to oversleep, and is up to 2 ms late when the wait is shorter than that.
 */

/** How the timer waits; shown in statistics. */
export type TimerKind = "usleep" | "setTimeout";

const LIBC: Partial<Record<typeof Deno.build.os, string>> = {
  linux: "libc.so.6",
  darwin: "libSystem.dylib",
};

/** `setTimeout` in Deno wakes this much late, measured; its own grain is a whole millisecond. */
const TIMEOUT_OVERSLEEP_MS = 1.1;

/** A sleep cannot be cut short, so long waits are made of several: closing takes this long. */
const MAX_SLEEP_MS = 20;

/** A wake-up costs processor time; waiting less than this would wake for every single datagram. */
const MIN_SLEEP_MS = 0.5;

type Usleep = (microseconds: number) => Promise<unknown>;

let openedUsleep: Usleep | null | undefined;

// Opened once and never closed: a sleep may be under way at any time.
function openUsleep(): Usleep | null {
  if (openedUsleep !== undefined) return openedUsleep;
  openedUsleep = null;
  const path = LIBC[Deno.build.os];
  if (path === undefined || Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    return openedUsleep;
  }
  try {
    const library = Deno.dlopen(path, {
      usleep: { parameters: ["u32"], result: "i32", nonblocking: true },
    });
    openedUsleep = library.symbols.usleep;
  } catch {
    // A system without that library under that name (musl): the timer of the runtime will do.
  }
  return openedUsleep;
}

/** Calls back at or soon after the time it is armed for. */
export class PreciseTimer {
  /** How this timer waits. */
  readonly kind: TimerKind;
  readonly #wake: () => void;
  readonly #usleep: Usleep | null;
  // Sleeps under way, by when they end. An earlier need starts a second sleep beside the first.
  readonly #pending: number[] = [];
  #timeout: ReturnType<typeof setTimeout> | undefined;
  #rested: (() => void) | undefined;
  #closed = false;

  /**
   * @param wake Called after each wait, perhaps early or for nothing: it looks what is due and arms
   * again.
   */
  constructor(wake: () => void) {
    this.#wake = wake;
    this.#usleep = openUsleep();
    this.kind = this.#usleep === null ? "setTimeout" : "usleep";
  }

  /** Asks for a wake-up at `atMs` of `performance.now()`; at infinity for none. */
  arm(atMs: number): void {
    if (this.#closed || atMs === Number.POSITIVE_INFINITY) return;
    for (const pendingMs of this.#pending) if (pendingMs <= atMs + MIN_SLEEP_MS) return;
    const nowMs = performance.now();
    if (this.#usleep === null) {
      clearTimeout(this.#timeout);
      this.#pending.length = 0;
      this.#pending.push(atMs);
      const waitMs = Math.max(0, Math.round(atMs - nowMs - TIMEOUT_OVERSLEEP_MS));
      this.#timeout = setTimeout(() => this.#awake(atMs), waitMs);
      return;
    }
    const sleepMs = Math.min(MAX_SLEEP_MS, Math.max(MIN_SLEEP_MS, atMs - nowMs));
    const endMs = nowMs + sleepMs;
    this.#pending.push(endMs);
    void this.#usleep(Math.round(sleepMs * 1000)).then(() => this.#awake(endMs));
  }

  /** Wakes nobody any more; resolves when the last sleep is over. */
  close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timeout);
    if (this.#usleep === null || this.#pending.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#rested = resolve);
  }

  #awake(pendingMs: number): void {
    this.#pending.splice(this.#pending.indexOf(pendingMs), 1);
    if (!this.#closed) this.#wake();
    else if (this.#pending.length === 0) this.#rested?.();
  }
}
