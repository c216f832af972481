/**
 * How long which thing held a connection's sending back: the accounts that tell why a transfer is
 * not faster. What they mean for people is decided above, in `lib/operation/limit_watch.ts`.
 */
import type { Instant } from "../time.ts";

/** What holds sending back, as indices of {@linkcode HoldTimes.spentMs}. */
export const Hold = {
  /** There is nothing to send: the application has given nothing, or the peer asked for nothing. */
  APPLICATION: 0,
  /** The peer has no room for more blocks. */
  CREDIT: 1,
  /** A limit of this side. */
  LIMIT: 2,
  /** The limit that the peer asked for. */
  WISH: 3,
  /** The congestion controller's window or rate. */
  CONGESTION: 4,
  /** Nothing: one datagram follows the other as fast as this machine makes them. */
  NOTHING: 5,
} as const;

/** One of {@linkcode Hold}. */
export type HoldId = typeof Hold[keyof typeof Hold];

const HOLD_COUNT = 6;

/** Milliseconds by what held sending back, since the start. */
export class HoldTimes {
  /** By {@linkcode Hold}, up to the last call. */
  readonly spentMs: Float64Array = new Float64Array(HOLD_COUNT);
  #hold: HoldId = Hold.APPLICATION;
  #since: Instant;

  /** Begins with nothing to send. */
  constructor(now: Instant) {
    this.#since = now;
  }

  /** From now on it is `hold`. */
  note(now: Instant, hold: HoldId): void {
    if (hold === this.#hold) return;
    this.settle(now);
    this.#hold = hold;
  }

  /** Counts the time until now. */
  settle(now: Instant): void {
    if (now <= this.#since) return;
    this.spentMs[this.#hold]! += now - this.#since;
    this.#since = now;
  }
}
