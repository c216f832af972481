/**
 * Files of one group at most, which are read whole. What one client has got is kept a little where
 * another one will come to it soon: that has it after one look at the path, which must see the very
 * file that was read [READ-2]. For one client, or several that are far apart, nothing is kept.
 */
import type { BufferPool } from "../buffer_pool.ts";
import type { HeldBytes } from "./held_bytes.ts";
import { SHARED_SMALL_FILE_BYTES } from "../limits.ts";
import type { Manifest } from "../offer/manifest.ts";
import { failedReadStatus, isSameState, type ReadStatus, wholeReadStatus } from "./source_state.ts";
import type { FileInfo, SourceStorage, WholeRead } from "../../storage/storage.ts";

/** A small file, read or being read. */
export class SmallFile implements HeldBytes {
  /** See {@linkcode HeldBytes.buffer}. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  /** Its bytes, once it is read. */
  readonly bytes: Uint8Array;
  /** What became of it; a promise of that while it is being read, which never rejects. */
  status: ReadStatus | Promise<ReadStatus> = "unreadable";
  /** Its root, once somebody hashed it. */
  root: Uint8Array | undefined;
  /** What the file was when it was read; known once it is, when it did not change meanwhile. */
  info: FileInfo | undefined;
  /** How many use it. */
  users = 1;
  /** Whether it is kept for others. */
  isKept = false;
  readonly #pool: BufferPool;

  /**
   * @param length How long it should be.
   * @param pool Where its buffer comes from.
   */
  constructor(length: number, pool: BufferPool) {
    this.#pool = pool;
    this.buffer = pool.take(length);
    this.bytes = this.buffer.subarray(0, length);
  }

  /** See {@linkcode HeldBytes.hold}. */
  hold(): void {
    this.users++;
  }

  /** See {@linkcode HeldBytes.release}. */
  release(): void {
    this.users--;
    this.freeUnused();
  }

  /** Gives the buffer back when nobody uses it, now or later. */
  freeUnused(): void {
    if (this.users === 0 && !this.isKept) this.#pool.give(this.buffer);
  }
}

/** What {@linkcode SmallFiles} work with. */
export interface SmallFilesOptions {
  readonly storage: Pick<SourceStorage, "inspect" | "readWhole">;
  readonly manifest: Manifest;
  /** Where buffers come from. */
  readonly pool: BufferPool;
  /** How many bytes are kept (default {@linkcode SHARED_SMALL_FILE_BYTES}). */
  readonly maxBytes?: number;
}

/** How far somebody is who takes small files, mostly in the order of the manifest. */
export interface SmallFileCursor {
  /** The entry taken last; −1 before the first. */
  entry: number;
}

/** So many entries ahead of somebody a file is kept for it. */
const REACH_ENTRIES = 16_384;

/** The small files of a share. */
export class SmallFiles {
  readonly #options: SmallFilesOptions;
  readonly #maxBytes: number;
  /** By entry, the one that was used longest ago first. */
  readonly #kept = new Map<number, SmallFile>();
  readonly #cursors = new Set<SmallFileCursor>();
  #keptBytes = 0;

  /** @param options What they work with. */
  constructor(options: SmallFilesOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? SHARED_SMALL_FILE_BYTES;
  }

  /** Bytes of buffers that are kept. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Somebody begins to take files. */
  addCursor(cursor: SmallFileCursor): void {
    this.#cursors.add(cursor);
  }

  /** It takes no more. */
  removeCursor(cursor: SmallFileCursor): void {
    this.#cursors.delete(cursor);
  }

  /** Keeps nothing of what was kept so far. */
  clear(): void {
    for (const [entry, file] of this.#kept) this.#drop(entry, file);
  }

  /**
   * Reads a file, or gives what was read of it if it has not changed since. Held for the caller. Never
   * fails for what a disk does.
   *
   * @param entry Its number in the manifest.
   * @param cursor Of whoever takes it.
   */
  read(entry: number, cursor: SmallFileCursor): SmallFile | Promise<SmallFile> {
    cursor.entry = entry;
    const kept = this.#keptBytes > 0 ? this.#kept.get(entry) : undefined;
    if (kept === undefined) return this.#begin(entry);
    kept.hold();
    // Being read at this moment: nobody could look at it later than that.
    if (kept.status instanceof Promise) return kept;
    let seen: FileInfo | undefined | Promise<FileInfo | undefined>;
    try {
      seen = this.#options.storage.inspect(this.#pathOf(entry));
    } catch {
      // What is wrong with it is found out, and told, when it is read.
      seen = undefined;
    }
    if (!(seen instanceof Promise)) return this.#reuse(entry, kept, seen);
    return seen.then((info) => this.#reuse(entry, kept, info), () => this.#reuse(entry, kept));
  }

  /** Gives a file that was looked at, and read again when that saw another one. */
  #reuse(entry: number, file: SmallFile, seen?: FileInfo): SmallFile {
    const isCurrent = this.#kept.get(entry) === file;
    if (seen !== undefined && isSameState(seen, file.info!)) {
      if (isCurrent) {
        this.#kept.delete(entry);
        this.#kept.set(entry, file);
      }
      return file;
    }
    if (isCurrent) this.#drop(entry, file);
    file.release();
    return this.#begin(entry);
  }

  #begin(index: number): SmallFile {
    const { manifest, storage, pool } = this.#options;
    const entry = manifest.entries[index]!;
    const file = new SmallFile(entry.sizeBytes, pool);
    const finish = (read: WholeRead) => {
      file.info = read.after;
      return wholeReadStatus(entry, read);
    };
    try {
      const read = storage.readWhole(manifest.sourceOf(entry), file.bytes);
      if (!(read instanceof Promise)) file.status = finish(read);
      else file.status = this.#finishLater(index, file, read.then(finish, failedReadStatus));
    } catch (error) {
      file.status = failedReadStatus(error);
    }
    const isGood = file.status === "intact" || file.status instanceof Promise;
    if (isGood && this.#isWantedSoon(index)) this.#keep(index, file);
    return file;
  }

  async #finishLater(
    entry: number,
    file: SmallFile,
    reading: Promise<ReadStatus>,
  ): Promise<ReadStatus> {
    file.status = await reading;
    if (file.status !== "intact" && file.isKept) this.#drop(entry, file);
    return file.status;
  }

  #keep(entry: number, file: SmallFile): void {
    const before = this.#kept.get(entry);
    if (before !== undefined) this.#drop(entry, before);
    this.#kept.set(entry, file);
    file.isKept = true;
    this.#keptBytes += file.buffer.length;
    for (const [oldest, its] of this.#kept) {
      if (this.#keptBytes <= this.#maxBytes) return;
      this.#drop(oldest, its);
    }
  }

  /** Whether somebody is a little behind an entry that was just taken. */
  #isWantedSoon(entry: number): boolean {
    if (this.#cursors.size < 2) return false;
    for (const { entry: other } of this.#cursors) {
      if (other >= 0 && other < entry && entry - other <= REACH_ENTRIES) return true;
    }
    return false;
  }

  #drop(entry: number, file: SmallFile): void {
    this.#kept.delete(entry);
    this.#keptBytes -= file.buffer.length;
    file.isKept = false;
    file.freeUnused();
  }

  #pathOf(entry: number): string {
    const { manifest } = this.#options;
    return manifest.sourceOf(manifest.entries[entry]!);
  }
}
