/** The bounded memory that groups on their way in are put together in [XFER-16]. */
import type { BufferPool } from "../buffer_pool.ts";
import { MAX_OPEN_GROUPS } from "../limits.ts";

/** Lends group buffers up to a bound. */
export class GroupMemory {
  readonly #pool: BufferPool;
  readonly #maxBytes: number;
  #lentBytes = 0;
  #openGroups = 0;

  /**
   * @param pool Where buffers come from.
   * @param maxBytes Most bytes lent at a time, counted as asked for.
   */
  constructor(pool: BufferPool, maxBytes: number) {
    this.#pool = pool;
    this.#maxBytes = maxBytes;
  }

  /** Bytes lent now. */
  get lentBytes(): number {
    return this.#lentBytes;
  }

  /** Counts a group that is begun, with a buffer or without; false when that is one too many. */
  begin(): boolean {
    if (this.#openGroups === MAX_OPEN_GROUPS) return false;
    this.#openGroups++;
    return true;
  }

  /** Counts groups that are finished or given up. */
  end(count: number): void {
    this.#openGroups -= count;
  }

  /** A buffer of at least `length` bytes, or undefined when that would be too much. */
  take(length: number): Uint8Array<ArrayBuffer> | undefined {
    if (this.#lentBytes + length > this.#maxBytes) return undefined;
    this.#lentBytes += length;
    return this.#pool.take(length);
  }

  /** A buffer that is lent turned out to be larger than needed: that much of it counts no more. */
  shrink(bytes: number): void {
    this.#lentBytes -= bytes;
  }

  /** Takes back a buffer that was asked for with `length`. */
  give(buffer: Uint8Array<ArrayBuffer>, length: number): void {
    this.#lentBytes -= length;
    this.#pool.give(buffer);
  }
}
