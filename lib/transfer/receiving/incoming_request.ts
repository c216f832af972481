/**
 * One request on its way in: which of its bytes are there, group by group. Every byte the sharer
 * sent is counted as new exactly once, so that credit neither leaks nor grows [XFER-9]; also the
 * bytes of a request that was given up, which are dropped as they come.
 */
import { GroupAssembler } from "./group_assembler.ts";
import { GroupMap } from "./group_map.ts";
import type { GroupMemory } from "./group_memory.ts";
import type { TransferCrypto } from "../hash_tree.ts";
import type { IncomingFile } from "./incoming_file.ts";
import { GROUP_BYTES } from "../limits.ts";

/** What {@linkcode IncomingRequest.receive} says when the bytes belong to nothing. */
export const UNASKED = -1;
/** What it says when there is no memory left for them. */
export const NO_MEMORY = -2;

/** Which bytes of a file were asked for. */
export interface RequestedRange {
  /** First byte; starts a group. */
  readonly start: number;
  /** Just past the last byte; ends a group or the file. */
  readonly end: number;
}

/** Where hashes and memory come from. */
export interface RequestWorld {
  readonly crypto: TransferCrypto;
  readonly memory: GroupMemory;
}

/** A request and what came of it. */
export class IncomingRequest {
  /** Its number. */
  readonly id: number;
  /** The file it is about. */
  readonly file: IncomingFile;
  /** First byte asked for. */
  readonly start: number;
  /** Just past the last byte asked for; as far as numbers go for a stream that has not ended. */
  end: number;
  /** Distinct bytes that came. */
  receivedBytes = 0;
  /** How many bytes the sharer sent in all; undefined until it said so. */
  sentBytes: number | undefined;
  /** Whether its bytes are dropped. */
  isDiscarding = false;
  /** Whether it was given up by this side. */
  isCancelled = false;
  /** Whether it asks again for a group that was wrong. */
  isRetry = false;
  readonly #world: RequestWorld;
  readonly #groups = new GroupMap<GroupAssembler>();
  /** Hashes of groups that are not there yet. */
  #hashes: GroupMap<Uint8Array> | undefined;
  /** Groups below this one are finished. */
  #finishedBelow: number;
  /** Finished groups above. */
  #finished: Set<number> | undefined;
  #lastGroup = -1;
  #lastAssembler: GroupAssembler | undefined;

  /**
   * @param id Its number.
   * @param file The file it is about.
   * @param range What is asked for.
   * @param world Where hashes and memory come from.
   */
  constructor(
    id: number,
    file: IncomingFile,
    range: RequestedRange,
    world: RequestWorld,
  ) {
    this.id = id;
    this.file = file;
    this.start = range.start;
    this.end = range.end;
    this.#world = world;
    this.#finishedBelow = range.start / GROUP_BYTES;
  }

  /** Whether every byte the sharer sent has come: nothing more will. */
  get isOver(): boolean {
    return this.receivedBytes === this.sentBytes;
  }

  /** Whether a group lies in the request. */
  hasGroup(group: number): boolean {
    return group >= this.start / GROUP_BYTES && group * GROUP_BYTES < this.end;
  }

  /** Whether every group has its hash, or had. */
  get hasAllHashes(): boolean {
    const first = this.start / GROUP_BYTES;
    const finishedCount = this.#finishedBelow - first + (this.#finished?.size ?? 0);
    return finishedCount + this.hashCount === Math.ceil(this.end / GROUP_BYTES) - first;
  }

  /** Whether a group was verified or found bad. */
  isFinished(group: number): boolean {
    return group < this.#finishedBelow || this.#finished?.has(group) === true;
  }

  /** How many hashes wait for their bytes. */
  get hashCount(): number {
    return this.#hashes?.size ?? 0;
  }

  /** Whether a hash waits for the bytes of a group. */
  hasHash(group: number): boolean {
    return this.#hashes?.get(group) !== undefined;
  }

  /** Keeps the hash of a group until its bytes are there. */
  keepHash(group: number, hash: Uint8Array): void {
    (this.#hashes ??= new GroupMap()).add(group, hash);
  }

  /** Takes the hash that was kept, if there is one. */
  takeHash(group: number): Uint8Array | undefined {
    const hash = this.#hashes?.get(group);
    if (hash !== undefined) this.#hashes!.delete(group);
    return hash;
  }

  /**
   * Takes bytes that arrived.
   *
   * @param filled Groups that became complete are added.
   * @returns How many bytes were new, {@linkcode UNASKED} or {@linkcode NO_MEMORY}.
   */
  receive(offset: number, bytes: Uint8Array, filled: number[]): number {
    const end = this.sentBytes === undefined ? this.end : this.start + this.sentBytes;
    if (offset < this.start || offset + bytes.length > end) return UNASKED;
    let added = 0;
    let at = 0;
    while (at < bytes.length) {
      const group = Math.floor((offset + at) / GROUP_BYTES);
      const within = offset + at - group * GROUP_BYTES;
      const length = Math.min(bytes.length - at, GROUP_BYTES - within);
      const piece = length === bytes.length ? bytes : bytes.subarray(at, at + length);
      const assembler = group === this.#lastGroup
        ? this.#lastAssembler!
        : this.#groups.get(group) ?? (this.isFinished(group) ? undefined : this.#open(group));
      at += length;
      if (assembler === undefined) {
        if (this.isFinished(group)) continue;
        return NO_MEMORY;
      }
      this.#lastGroup = group;
      this.#lastAssembler = assembler;
      const fresh = assembler.add(within, piece);
      if (fresh < 0) return UNASKED;
      added += fresh;
      if (fresh > 0 && assembler.isComplete) filled.push(group);
    }
    this.receivedBytes += added;
    return added;
  }

  /**
   * The stream it asks for has ended.
   *
   * @param length All its bytes.
   * @param filled The last group is added when that made it complete.
   * @returns False when bytes behind the end are there already, or hashes of them.
   */
  endAt(length: number, filled: number[]): boolean {
    const last = Math.ceil(length / GROUP_BYTES) - 1;
    const isBeyond = (group: number): boolean => group * GROUP_BYTES >= length;
    if (this.#finishedBelow > 0 && isBeyond(this.#finishedBelow - 1)) return false;
    if (Array.from(this.#finished ?? []).some(isBeyond)) return false;
    if (this.#hashes?.entries().some(([group]) => isBeyond(group))) return false;
    // It was complete with more bytes than it may have.
    if (length % GROUP_BYTES !== 0 && this.isFinished(last)) return false;
    this.end = length;
    for (const [group, assembler] of this.#groups.entries()) {
      const lengthHere = Math.min(GROUP_BYTES, length - group * GROUP_BYTES);
      const spareBytes = assembler.length - lengthHere;
      if (spareBytes === 0) continue;
      if (lengthHere <= 0 || !assembler.truncate(lengthHere)) return false;
      if (!this.isDiscarding) this.#world.memory.shrink(spareBytes);
      if (assembler.isComplete) filled.push(group);
    }
    return true;
  }

  /** The complete group, or undefined while bytes are missing. */
  completeGroup(group: number): GroupAssembler | undefined {
    const assembler = this.#groups.get(group);
    return assembler?.isComplete ? assembler : undefined;
  }

  /** Closes a complete group: later copies of its bytes are not new. */
  finish(group: number): void {
    if (this.#groups.delete(group)) this.#world.memory.end(1);
    if (group === this.#lastGroup) this.#lastGroup = -1;
    if (group !== this.#finishedBelow) {
      (this.#finished ??= new Set()).add(group);
      return;
    }
    do this.#finishedBelow++; while (this.#finished?.delete(this.#finishedBelow));
  }

  /**
   * From now on drops what comes.
   *
   * @returns How many bytes of unfinished groups were dropped.
   */
  discard(): number {
    this.isDiscarding = true;
    this.#hashes = undefined;
    let dropped = 0;
    for (const [group, assembler] of this.#groups.entries()) {
      dropped += assembler.filledBytes;
      const buffer = assembler.takeBuffer();
      if (buffer !== undefined) this.#world.memory.give(buffer, assembler.length);
      if (assembler.isComplete) this.finish(group);
    }
    return dropped;
  }

  /** Forgets what is not finished, when nothing more will come. */
  close(): void {
    this.#world.memory.end(this.#groups.size);
    this.#groups.clear();
  }

  #open(group: number): GroupAssembler | undefined {
    if (!this.#world.memory.begin()) return undefined;
    const groupStart = group * GROUP_BYTES;
    const length = Math.min(GROUP_BYTES, this.end - groupStart);
    const buffer = this.isDiscarding ? undefined : this.#world.memory.take(length);
    if (buffer === undefined && !this.isDiscarding) {
      this.#world.memory.end(1);
      return undefined;
    }
    const assembler = new GroupAssembler(this.#world.crypto, length, buffer);
    this.#groups.add(group, assembler);
    return assembler;
  }
}
