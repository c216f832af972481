/** Time and the one timer of a pump, handed in so that tests run on a virtual clock. */
import { type Instant, instant } from "../protocol/time.ts";

/** A monotonic clock with timers. */
export interface Clock {
  /** Now, on a clock that never goes back. */
  now(): Instant;
  /** Milliseconds since the Unix epoch: for file times and cookies' minutes, never for deadlines. */
  wallTimeMs(): number;
  /** Calls `callback` once at or after `deadline`. Returns a function that cancels it. */
  setTimer(deadline: Instant, callback: () => void): () => void;
}

/** The system's clock. */
export const systemClock: Clock = {
  now: () => instant(performance.now()),
  wallTimeMs: () => Date.now(),
  setTimer(deadline, callback) {
    const timer = setTimeout(callback, Math.max(0, deadline - performance.now()));
    return () => clearTimeout(timer);
  },
};
