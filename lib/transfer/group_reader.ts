/** Reads a large file group by group, some groups ahead of whoever sends them. */
import { Fifo } from "../protocol/fifo.ts";
import type { BufferPool } from "./buffer_pool.ts";
import { GROUP_BYTES, READ_AHEAD_GROUPS } from "./limits.ts";
import type { ByteRange } from "./messages.ts";
import { type SourceFile, StorageError } from "../storage/storage.ts";

/** A group that was read. */
export interface ReadGroup {
  /** Which part of the file it is. */
  readonly range: ByteRange;
  /** Of the pool; whoever takes the group gives it back. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  /** How many bytes there were; −1 when it could not be read. */
  readonly readBytes: number;
}

/** How a {@linkcode GroupReader} reads. */
export interface GroupReaderOptions {
  /** Where buffers come from. */
  readonly pool: BufferPool;
  /** Asked before each read; after the first no the rest counts as missing. */
  readonly isWanted: () => boolean;
}

/** Reads the groups of some ranges of one file, in order. */
export class GroupReader {
  readonly #source: Pick<SourceFile, "read">;
  readonly #ranges: Iterator<ByteRange, undefined>;
  readonly #options: GroupReaderOptions;
  readonly #ahead = new Fifo<Promise<ReadGroup>>();
  #lastRead: Promise<unknown> = Promise.resolve();
  /** Whether a group was short or could not be read: nothing is read behind it. */
  #hasEnded = false;

  /**
   * Begins to read.
   *
   * @param source The file; not used by anyone else until {@linkcode GroupReader.stop}.
   * @param ranges What to read; each begins a group.
   * @param options How.
   */
  constructor(
    source: Pick<SourceFile, "read">,
    ranges: readonly ByteRange[],
    options: GroupReaderOptions,
  ) {
    this.#source = source;
    this.#ranges = groupsOf(ranges);
    this.#options = options;
    this.#readAhead();
  }

  /** The next group, or undefined after the last. */
  async next(): Promise<ReadGroup | undefined> {
    const next = await this.#ahead.shift();
    this.#readAhead();
    return next;
  }

  /** Waits until nothing is being read, and drops what nobody took. */
  async stop(): Promise<void> {
    for (let read = this.#ahead.shift(); read !== undefined; read = this.#ahead.shift()) {
      this.#options.pool.give((await read).buffer);
    }
  }

  #readAhead(): void {
    while (this.#ahead.length < READ_AHEAD_GROUPS) {
      const range = this.#ranges.next().value;
      if (range === undefined) return;
      // One after another: a file has one position.
      const read = this.#read(range, this.#lastRead);
      this.#lastRead = read;
      this.#ahead.push(read);
    }
  }

  async #read(range: ByteRange, previous: Promise<unknown>): Promise<ReadGroup> {
    await previous;
    const { pool, isWanted } = this.#options;
    const buffer = pool.take(range.length);
    if (this.#hasEnded || !isWanted()) return { range, buffer, readBytes: 0 };
    try {
      const into = buffer.subarray(0, range.length);
      const readBytes = await this.#source.read(range.offset, into);
      this.#hasEnded = readBytes < range.length;
      return { range, buffer, readBytes };
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#hasEnded = true;
      return { range, buffer, readBytes: -1 };
    }
  }
}

function* groupsOf(ranges: readonly ByteRange[]): Generator<ByteRange, undefined> {
  for (const range of ranges) {
    const end = range.offset + range.length;
    for (let offset = range.offset; offset < end; offset += GROUP_BYTES) {
      yield { offset, length: Math.min(GROUP_BYTES, end - offset) };
    }
  }
}
