/**
 * Puts one group of a file together from bytes that arrive in any order and perhaps again. Every
 * byte is copied once and never changed after it was hashed: a second, different copy of a byte that
 * is there already is dropped, not compared. Part of [XFER-9] and [XFER-12].
 */
import { hashGroup, hashLeaf, type TransferCrypto, TreeHasher } from "../hash_tree.ts";
import { CHUNK_BYTES, MAX_GROUP_RANGES } from "../limits.ts";
import { RangeSet } from "./range_set.ts";

// Shared by all: filled and read within one call.
const gaps: number[] = [];

/** One group on its way in. */
export class GroupAssembler {
  /** Bytes of the whole group. */
  length: number;
  /** Bytes that are there. */
  filledBytes = 0;
  readonly #crypto: TransferCrypto;
  readonly #ranges = new RangeSet();
  /** By chunk; a group of one chunk has none. */
  #leaves: (Uint8Array | undefined)[] | undefined;
  #buffer: Uint8Array<ArrayBuffer> | undefined;

  /**
   * @param buffer At least `length` bytes to put the group into; without one the bytes are counted
   * and dropped.
   */
  constructor(
    crypto: TransferCrypto,
    length: number,
    buffer: Uint8Array<ArrayBuffer> | undefined,
  ) {
    this.#crypto = crypto;
    this.length = length;
    this.#buffer = buffer;
  }

  /** Whether every byte is there. */
  get isComplete(): boolean {
    return this.filledBytes === this.length;
  }

  /**
   * Adds bytes.
   *
   * @param offset Within the group; `offset + bytes.length` is at most `length`.
   * @returns How many were new, or −1 when the group is in more pieces than any honest peer's.
   */
  add(offset: number, bytes: Uint8Array): number {
    const end = offset + bytes.length;
    const added = this.#ranges.add(offset, end, gaps);
    if (added === 0) return 0;
    if (this.#ranges.count > MAX_GROUP_RANGES) return -1;
    this.filledBytes += added;
    const buffer = this.#buffer;
    if (buffer === undefined) return added;
    if (added === bytes.length) {
      buffer.set(bytes, offset);
    } else {
      for (let index = 0; index < gaps.length; index += 2) {
        const from = gaps[index]!;
        buffer.set(bytes.subarray(from - offset, gaps[index + 1]! - offset), from);
      }
    }
    if (this.length > CHUNK_BYTES) this.#hashChunks(buffer, offset, end);
    return added;
  }

  /**
   * Makes the group shorter than was thought, as the last of a stream is.
   *
   * @param length At least 1.
   * @returns False when bytes behind that are there already.
   */
  truncate(length: number): boolean {
    if ((this.#ranges.bounds.at(-1) ?? 0) > length) return false;
    this.length = length;
    const lastChunk = length - (length - 1) % CHUNK_BYTES - 1;
    if (this.#buffer !== undefined) this.#hashChunks(this.#buffer, lastChunk, length);
    return true;
  }

  /** The hash of the complete group. */
  hash(): Uint8Array {
    if (this.length <= CHUNK_BYTES) return hashGroup(this.#crypto, this.bytes());
    const tree = new TreeHasher(this.#crypto);
    for (const leaf of this.#leaves!) tree.push(leaf!);
    return tree.root();
  }

  /** The bytes of the group, as a view. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer!.subarray(0, this.length);
  }

  /** Gives up the bytes: from now on they are counted and dropped. */
  takeBuffer(): Uint8Array<ArrayBuffer> | undefined {
    const buffer = this.#buffer;
    this.#buffer = undefined;
    return buffer;
  }

  /** Hashes what became whole, while it is still warm: a whole group at once would be 0.5 ms. */
  #hashChunks(buffer: Uint8Array<ArrayBuffer>, offset: number, end: number): void {
    const leaves = this.#leaves ??= [];
    const lastChunk = Math.floor((end - 1) / CHUNK_BYTES);
    for (let chunk = Math.floor(offset / CHUNK_BYTES); chunk <= lastChunk; chunk++) {
      const start = chunk * CHUNK_BYTES;
      const stop = Math.min(start + CHUNK_BYTES, this.length);
      if (leaves[chunk] !== undefined || !this.#ranges.covers(start, stop)) continue;
      leaves[chunk] = hashLeaf(this.#crypto, buffer.subarray(start, stop));
    }
  }
}
