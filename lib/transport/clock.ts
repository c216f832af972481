/** Time and the one timer of a pump, handed in so that tests run on a virtual clock. */
import process from "node:process";
import { setImmediate } from "node:timers";
import { type Instant, instant } from "../time.ts";

/** A monotonic clock with timers. */
export interface Clock {
  /** Now, on a clock that never goes back. */
  now(): Instant;
  /** Calls `callback` once at or after `deadline`. Returns a function that cancels it. */
  setTimer(deadline: Instant, callback: () => void): () => void;
  /**
   * Resolves when everything else in this program that waits for its turn has had one: timers, reads
   * from files and terminals. Missing where there is nothing else.
   */
  letOthers?(): Promise<void>;
  /** Processor time this program has used, ms; of a clock that is not the system's nobody knows. */
  processorMs?(): number;
}

/** Longest delay of the runtime's timers; it takes a longer one for none at all. */
const MAX_DELAY_MS = 2 ** 31 - 1;

function setFarTimer(deadline: Instant, callback: () => void): () => void {
  let cancel: () => void;
  const timer = setTimeout(() => cancel = systemClock.setTimer(deadline, callback), MAX_DELAY_MS);
  cancel = () => clearTimeout(timer);
  return () => cancel();
}

/** The system's clock. */
export const systemClock: Clock = {
  now: () => instant(performance.now()),
  setTimer(deadline, callback) {
    const delayMs = deadline - performance.now();
    if (delayMs > MAX_DELAY_MS) return setFarTimer(deadline, callback);
    const timer = setTimeout(callback, Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
  letOthers: () => new Promise((resolve) => void setImmediate(resolve)),
  processorMs() {
    const { user, system } = process.cpuUsage(); // µs, of all threads
    return (user + system) / 1000;
  },
};
