/**
 * Decides when to wait for the disk and when to block on it. On a local disk a blocking call takes
 * a few microseconds and the same through the runtime's thread pool five times as long; on a slow or
 * remote one blocking would hold up the datagrams of every connection.
 *
 * Belongs to the disk adapter: reads the clock, and yields to the event loop.
 */
import { setImmediate } from "node:timers";

/** How many file operations are judged together: a busy machine makes single ones look slow. */
const JUDGED_OPERATIONS = 64;
/** When they block for more than this each, files go through the thread pool for a while. */
const SLOW_OPERATION_MS = 2;
/** How many operations go that way before blocking is tried again. */
const WAITING_OPERATIONS = 1024;
/** The event loop gets a turn after this much blocking; datagrams wait no longer than that. */
const SLICE_MS = 2;

/** Watches how long blocking calls take. */
export class DiskPace {
  readonly #now: () => number;
  #operations = 0;
  #blockedMs = 0;
  #sliceMs = 0;
  #waitingLeft = 0;

  /** @param now The clock, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Begins a file operation; whether the disk answers quickly enough to block on it. */
  begin(): boolean {
    if (this.#waitingLeft > 0) {
      this.#waitingLeft--;
      return false;
    }
    if (this.#operations === JUDGED_OPERATIONS) {
      const isSlow = this.#blockedMs > SLOW_OPERATION_MS * JUDGED_OPERATIONS;
      this.#operations = 0;
      this.#blockedMs = 0;
      if (isSlow) {
        this.#waitingLeft = WAITING_OPERATIONS - 1;
        return false;
      }
    }
    this.#operations++;
    return true;
  }

  /** Makes a blocking call; what it throws is a rejection. */
  block<Result>(call: () => Result): Promise<Result> {
    const start = this.#now();
    try {
      return Promise.resolve(call());
    } catch (error) {
      return Promise.reject(error);
    } finally {
      const elapsedMs = this.#now() - start;
      this.#blockedMs += elapsedMs;
      this.#sliceMs += elapsedMs;
    }
  }

  /** Lets other things happen if blocking calls took long enough by now. */
  async breathe(): Promise<void> {
    if (this.#sliceMs < SLICE_MS) return;
    this.#sliceMs = 0;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
