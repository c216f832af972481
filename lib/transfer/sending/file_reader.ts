/** Reads groups of a file for one request, some ahead, through the file that all clients share. */
import { Fifo } from "../../protocol/fifo.ts";
import { GROUP_BYTES } from "../limits.ts";
import type { ByteRange } from "../messages.ts";
import type { SharedFile, TakeClock } from "./shared_file.ts";
import type { GroupReading, SharedGroup } from "./shared_group.ts";

/** How a {@linkcode FileReader} reads. */
export interface FileReaderOptions {
  /** Asked before each read; after the first no the rest counts as missing. */
  readonly isWanted: () => boolean;
  /** How many groups are read before somebody takes them. */
  readonly aheadGroups: () => number;
  /** Whether only hashes are wanted: what is known of them need not be read. */
  readonly isCheck: boolean;
  /** Counts the groups that were taken of all files of the share. */
  readonly clock: TakeClock;
}

/** A group, or only its hash when that is all that is wanted. */
export interface TakenGroup {
  /** Which part of the file it is. */
  readonly range: ByteRange;
  /** The bytes, held for whoever takes them; undefined when the hash was known. */
  readonly group: SharedGroup | undefined;
  /** The hash when it was known. */
  readonly hash: Uint8Array | undefined;
}

/** The groups of some ranges of one file, in order. */
export class FileReader implements GroupReading {
  /** When it took a group last, by the clock of the share. */
  lastTaken: number;
  readonly #file: SharedFile;
  readonly #ranges: readonly ByteRange[];
  readonly #options: FileReaderOptions;
  readonly #ahead = new Fifo<TakenGroup>();
  /** The range of the next group to be read. */
  #range = 0;
  /** Where in the file that group begins. */
  #offset: number;
  #hasEnded = false;

  /**
   * Begins to read.
   *
   * @param file What to read; held by the caller until {@linkcode FileReader.stop}.
   * @param ranges Which parts; each begins a group.
   * @param options How.
   */
  constructor(file: SharedFile, ranges: readonly ByteRange[], options: FileReaderOptions) {
    this.#file = file;
    this.#ranges = ranges;
    this.#options = options;
    this.#offset = ranges[0]?.offset ?? 0;
    this.lastTaken = options.clock.taken;
    file.addReader(this);
    this.#readAhead();
  }

  /** See {@linkcode GroupReading.isWanted}. */
  get isWanted(): boolean {
    return !this.#hasEnded && this.#options.isWanted();
  }

  /** See {@linkcode GroupReading.handleShort}. */
  handleShort(): void {
    this.#hasEnded = true;
  }

  /** The next group, read, or undefined after the last. */
  async next(): Promise<TakenGroup | undefined> {
    const next = this.#ahead.shift();
    await next?.group?.whenRead;
    this.#readAhead();
    return next;
  }

  /** Waits until nothing is being read, and drops what nobody took. */
  async stop(): Promise<void> {
    this.#hasEnded = true;
    for (let next = this.#ahead.shift(); next !== undefined; next = this.#ahead.shift()) {
      await next.group?.whenRead;
      next.group?.release();
    }
    this.#file.removeReader(this);
  }

  /** How many other groups it will want before this one; Infinity when it will not want it. */
  distanceTo(index: number): number {
    if (this.#options.isCheck && this.#file.hashes.has(index)) return Infinity;
    const offset = index * GROUP_BYTES;
    let groups = 0;
    let from = this.#offset;
    for (let at = this.#range; at < this.#ranges.length; at++) {
      const range = this.#ranges[at]!;
      if (at > this.#range) from = range.offset;
      const end = range.offset + range.length;
      if (offset < from) return Infinity;
      if (offset < end) return groups + (offset - from) / GROUP_BYTES;
      groups += Math.ceil((end - from) / GROUP_BYTES);
    }
    return Infinity;
  }

  #readAhead(): void {
    const most = this.#options.aheadGroups();
    while (!this.#hasEnded && this.#ahead.length < most) {
      const range = this.#nextRange();
      if (range === undefined) return;
      const { isCheck, clock } = this.#options;
      const hash = isCheck ? this.#file.hashes.get(range.offset / GROUP_BYTES) : undefined;
      const group = hash === undefined ? this.#file.take(range, this) : undefined;
      if (group !== undefined) this.lastTaken = ++clock.taken;
      this.#ahead.push({ range, group, hash });
    }
  }

  #nextRange(): ByteRange | undefined {
    const range = this.#ranges[this.#range];
    if (range === undefined) return undefined;
    const offset = this.#offset;
    const end = range.offset + range.length;
    const length = Math.min(GROUP_BYTES, end - offset);
    this.#offset = offset + length;
    if (this.#offset === end) {
      this.#range++;
      this.#offset = this.#ranges[this.#range]?.offset ?? end;
    }
    return { offset, length };
  }
}
