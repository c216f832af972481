/**
 * Variable-length integers of 1, 2, 4 or 8 bytes, big-endian, the two top bits of the first byte
 * giving the length (docs/protocol.md, "Integers"). Values stop at 2^53 − 1, because every number
 * on this wire is a JavaScript number [INT-1].
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9000#section-16 | RFC 9000, section 16}
 */

/** The largest value a varint carries here: 2^53 − 1. */
export const MAX_VARINT: number = Number.MAX_SAFE_INTEGER;

const TWO_32 = 0x1_0000_0000;

/**
 * How many bytes {@linkcode writeVarint} needs for `value`.
 *
 * @param value An integer from 0 to {@linkcode MAX_VARINT}.
 * @returns 1, 2, 4 or 8.
 */
export function varintLength(value: number): number {
  if (value < 0x40) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x4000_0000) return 4;
  return 8;
}

/**
 * Writes `value` at `offset`.
 *
 * @param value An integer from 0 to {@linkcode MAX_VARINT}.
 * @param out The buffer to write into; at most 8 bytes are used.
 * @param offset Index of the first byte to write.
 * @returns The index just past the last byte written.
 * @throws {RangeError} If `value` is out of range or `out` has too little room.
 *
 * @example Encode a length
 * ```ts
 * import { writeVarint } from "@p2pft/cli/protocol";
 * import assert from "node:assert/strict";
 *
 * const out = new Uint8Array(8);
 * assert.equal(writeVarint(15_293, out, 0), 2);
 * assert.deepEqual(out.subarray(0, 2), new Uint8Array([0x7b, 0xbd]));
 * ```
 */
export function writeVarint(value: number, out: Uint8Array, offset: number): number {
  if (!(value >= 0 && value <= MAX_VARINT) || !Number.isInteger(value)) {
    throw new RangeError(`Cannot write varint: ${value} is not an integer from 0 to 2^53-1`);
  }
  const length = varintLength(value);
  if (offset + length > out.length) {
    throw new RangeError(
      `Cannot write varint: needs ${length} bytes at ${offset} of ${out.length}`,
    );
  }
  if (length === 1) {
    out[offset] = value;
  } else if (length === 2) {
    out[offset] = 0x40 | (value >>> 8);
    out[offset + 1] = value;
  } else if (length === 4) {
    out[offset] = 0x80 | (value >>> 24);
    out[offset + 1] = value >>> 16;
    out[offset + 2] = value >>> 8;
    out[offset + 3] = value;
  } else {
    const high = Math.floor(value / TWO_32);
    const low = value % TWO_32;
    out[offset] = 0xc0 | (high >>> 24);
    out[offset + 1] = high >>> 16;
    out[offset + 2] = high >>> 8;
    out[offset + 3] = high;
    out[offset + 4] = low >>> 24;
    out[offset + 5] = low >>> 16;
    out[offset + 6] = low >>> 8;
    out[offset + 7] = low;
  }
  return offset + length;
}

/**
 * Reads varints and byte runs from a buffer without allocating per value. After a short or
 * over-large value {@linkcode ByteReader.ok} is false and stays so; every later read gives 0 or an
 * empty view. Decoders check `ok` once at the end instead of after each field.
 */
export class ByteReader {
  /** Index of the next byte to read. */
  offset = 0;
  /** False once anything was read past the end or out of range. */
  ok = true;
  #bytes: Uint8Array;
  #end: number;

  /**
   * Reads from the start of `bytes`.
   *
   * @param bytes What to read from; not copied.
   */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** Starts again on other bytes, so that one reader serves a whole connection. */
  reset(bytes: Uint8Array, offset = 0, end: number = bytes.length): void {
    this.#bytes = bytes;
    this.offset = offset;
    this.#end = end;
    this.ok = true;
  }

  /** Bytes left to read. */
  get remaining(): number {
    return this.#end - this.offset;
  }

  /** Reads one byte, or 0 when none is left. */
  u8(): number {
    if (this.offset >= this.#end) {
      this.ok = false;
      return 0;
    }
    return this.#bytes[this.offset++]!;
  }

  /** Reads a big-endian 16-bit integer. */
  u16(): number {
    const high = this.u8();
    const low = this.u8();
    return this.ok ? (high << 8) | low : 0;
  }

  /** Reads one varint, or 0 with `ok` false when it is short or above 2^53 − 1. */
  varint(): number {
    const at = this.offset;
    const bytes = this.#bytes;
    if (at >= this.#end) {
      this.ok = false;
      return 0;
    }
    const first = bytes[at]!;
    const length = 1 << (first >>> 6);
    if (at + length > this.#end) {
      this.ok = false;
      this.offset = this.#end;
      return 0;
    }
    this.offset = at + length;
    if (length === 1) return first;
    if (length === 2) return ((first & 0x3f) << 8) | bytes[at + 1]!;
    const high = ((first & 0x3f) * 0x100_0000) + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8)) +
      bytes[at + 3]!;
    if (length === 4) return high;
    const low = bytes[at + 4]! * 0x100_0000 +
      ((bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!);
    if (high > 0x1f_ffff) {
      this.ok = false;
      this.offset = this.#end;
      return 0;
    }
    return high * TWO_32 + low;
  }

  /** A view (not a copy) of the next `length` bytes; empty with `ok` false when too few are left. */
  bytes(length: number): Uint8Array {
    if (length > this.#end - this.offset) {
      this.ok = false;
      this.offset = this.#end;
      return this.#bytes.subarray(this.#end, this.#end);
    }
    const from = this.offset;
    this.offset += length;
    return this.#bytes.subarray(from, this.offset);
  }
}
