/**
 * A file that is open once for all requests that read it. Groups that several want at about the same
 * time are read and hashed once; what is sent and its hash always belong together, since a group that
 * is read again is hashed again.
 */
import type { BufferPool } from "../buffer_pool.ts";
import type { FileHashes } from "./file_hashes.ts";
import type { FileReader } from "./file_reader.ts";
import type { CachedFile, GroupCache } from "./group_cache.ts";
import { GROUP_BYTES } from "../limits.ts";
import type { ByteRange } from "../messages.ts";
import { type GroupReading, SharedGroup } from "./shared_group.ts";
import { type FileInfo, type SourceFile, StorageError } from "../../storage/storage.ts";

/** Counts the groups that were taken of all files of a share. */
export interface TakeClock {
  taken: number;
}

/** What a {@linkcode SharedFile} works with. */
export interface SharedFileOptions {
  /** The file, open; closed in the end. */
  readonly source: SourceFile;
  /** Hashes of it that are known. */
  readonly hashes: FileHashes;
  /** Where buffers come from. */
  readonly pool: BufferPool;
  /** Where groups are kept. */
  readonly cache: GroupCache;
  /** Counts the groups that anybody took of this share: a clock that tells who is slow. */
  readonly clock: TakeClock;
  /** Told when nobody uses it any more; it is closed then. */
  readonly onUnused: (file: SharedFile) => void;
}

/** A file that several clients may be reading. */
export class SharedFile implements CachedFile {
  /** The file when it was opened. */
  readonly info: FileInfo;
  /** The hashes of its groups that are known. */
  readonly hashes: FileHashes;
  readonly #options: SharedFileOptions;
  /** Those that are used, being read or kept, by index. */
  readonly #groups = new Map<number, SharedGroup>();
  readonly #readers = new Set<FileReader>();
  #users = 1;
  #lastCall: Promise<unknown> = Promise.resolve();
  readonly #handleUnused = (group: SharedGroup): void => this.#leave(group);

  /** @param options What it works with. */
  constructor(options: SharedFileOptions) {
    this.#options = options;
    this.info = options.source.info;
    this.hashes = options.hashes;
  }

  /** One more request uses it. */
  hold(): void {
    this.#users++;
  }

  /** A request uses it no more, and waits for none of its calls. */
  release(): void {
    if (--this.#users > 0) return;
    this.#options.source.close();
    this.#options.onUnused(this);
  }

  /** The file now. */
  async inspect(): Promise<FileInfo> {
    return await this.#inTurn(() => this.#options.source.inspect());
  }

  /** A request will want groups. */
  addReader(reader: FileReader): void {
    this.#readers.add(reader);
  }

  /** It wants no more. */
  removeReader(reader: FileReader): void {
    this.#readers.delete(reader);
    this.#options.cache.drop(this);
  }

  /**
   * The group of a range: one that is there or being read, else it is read when its turn comes. Held
   * for the caller.
   */
  take({ offset, length }: ByteRange, reading: GroupReading): SharedGroup {
    const index = offset / GROUP_BYTES;
    const there = this.#groups.get(index);
    if (there !== undefined) {
      if (there.users === 0) this.#options.cache.take(there);
      there.hold();
      there.readings?.push(reading);
      return there;
    }
    const group = new SharedGroup(index, length, this.#handleUnused);
    group.readings!.push(reading);
    this.#groups.set(index, group);
    group.whenRead = this.#inTurn(() => this.#read(group));
    return group;
  }

  /** See {@linkcode CachedFile.distanceTo}. */
  distanceTo(index: number): number {
    let least = Infinity;
    const now = this.#options.clock.taken;
    for (const reader of this.#readers) {
      const groups = reader.distanceTo(index);
      if (groups === Infinity) continue;
      // Who has taken nothing for a while will be there later than others as far away.
      const delay = (now - reader.lastTaken) / this.#readers.size;
      least = Math.min(least, groups + delay);
    }
    return least;
  }

  /** See {@linkcode CachedFile.handleDropped}. */
  handleDropped(group: SharedGroup): void {
    this.#forget(group);
    this.#options.pool.give(group.buffer);
  }

  /** One call after another: a file has one position. */
  #inTurn<Result>(call: () => Promise<Result>): Promise<Result> {
    const result = this.#lastCall.then(call);
    this.#lastCall = result.catch(() => {}); // told to whoever called
    return result;
  }

  async #read(group: SharedGroup): Promise<void> {
    const { pool, source } = this.#options;
    const readings = group.readings!;
    if (readings.some((reading) => reading.isWanted)) {
      group.buffer = pool.take(group.length);
      try {
        const into = group.buffer.subarray(0, group.length);
        group.readBytes = await source.read(group.index * GROUP_BYTES, into);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        group.readBytes = -1;
      }
    }
    if (group.readBytes < group.length) {
      // Nobody who comes later is to have it.
      this.#forget(group);
      for (const reading of readings) reading.handleShort();
    }
    group.readings = undefined;
  }

  #leave(group: SharedGroup): void {
    const isWhole = this.#groups.get(group.index) === group;
    if (isWhole && this.#options.cache.keep(group, this)) return;
    this.#forget(group);
    if (group.buffer.length > 0) this.#options.pool.give(group.buffer);
  }

  #forget(group: SharedGroup): void {
    if (this.#groups.get(group.index) === group) this.#groups.delete(group.index);
  }
}
