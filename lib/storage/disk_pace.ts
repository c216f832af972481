/**
 * Decides when to wait for the disk and when to block on it. On a local disk a blocking call takes
 * a few microseconds and the same through the runtime's thread pool five times as long; on a slow or
 * remote one blocking would hold up the datagrams of every connection.
 *
 * Belongs to the disk adapter: reads the clock, and yields to the event loop.
 */
import { setImmediate } from "node:timers";

/** Files of up to so many bytes are worth blocking for. */
export const QUICK_BYTES = 65_536;
/** How many file operations are judged together: a busy machine makes single ones look slow. */
const JUDGED_OPERATIONS = 64;
/** When they block for more than this each, files go through the thread pool for a while. */
const SLOW_OPERATION_MS = 2;
/** How many operations go that way before blocking is tried again. */
const WAITING_OPERATIONS = 1024;
/** The event loop gets a turn this often while files are blocked for; datagrams wait no longer. */
const SLICE_MS = 2;

/** Watches how long blocking operations take. */
export class DiskPace {
  readonly #now: () => number;
  #operations = 0;
  #blockedMs = 0;
  #blockStart = 0;
  #sliceStart = -Infinity;
  #lastEnd = -Infinity;
  #waitingLeft = 0;

  /** @param now The clock, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether {@linkcode DiskPace.breathe} is due before the next operation. */
  get isSliceOver(): boolean {
    return this.#lastEnd - this.#sliceStart >= SLICE_MS;
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

  /** Makes the blocking calls of an operation. */
  block<Result>(operation: () => Result): Result {
    this.startBlocking();
    try {
      return operation();
    } finally {
      this.endBlocking();
    }
  }

  /** The blocking calls of an operation begin; {@linkcode DiskPace.endBlocking} follows. */
  startBlocking(): void {
    this.#blockStart = this.#now();
    if (this.#sliceStart === -Infinity) this.#sliceStart = this.#blockStart;
  }

  /** They have ended, well or not. */
  endBlocking(): void {
    this.#lastEnd = this.#now();
    this.#blockedMs += this.#lastEnd - this.#blockStart;
  }

  /** Lets other things happen if the last time is long enough ago. */
  async breathe(): Promise<void> {
    if (this.isSliceOver) await this.yield();
  }

  /** Lets other things happen now. */
  async yield(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#sliceStart = this.#now();
  }
}
