/**
 * One block of ChaCha20, the only primitive written in this project. It masks headers and tags
 * handshake datagrams, where a call into any library costs ten times the work itself, and it masks
 * the addresses in reply codes. It never encrypts content. Held against RFC 8439 and against noble, also by the self-test at start.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8439#section-2.3 | RFC 8439, section 2.3}
 */
import { assertKeyLength } from "./primitive_lengths.ts";

/** Bytes of one block. */
export const CHACHA20_BLOCK_BYTES = 64;

/** A ChaCha20 key as the eight little-endian words the block function starts from. */
export type ChaCha20Key = Uint32Array;

/** "expand 32-byte k", little-endian. */
const SIGMA_0 = 0x61707865;
const SIGMA_1 = 0x3320646e;
const SIGMA_2 = 0x79622d32;
const SIGMA_3 = 0x6b206574;

/**
 * Reads a 32-byte key into words, once per key.
 *
 * @throws {RangeError} If `key` is not 32 bytes.
 */
export function loadChaCha20Key(key: Uint8Array): ChaCha20Key {
  assertKeyLength("ChaCha20 key", key);
  const words = new Uint32Array(8);
  for (let index = 0; index < 8; index++) words[index] = readWord(key, index * 4);
  return words;
}

/**
 * Writes the first `out.length` bytes of the block; nothing is allocated.
 *
 * @param key From {@linkcode loadChaCha20Key}.
 * @param counter The block counter, 32 bits.
 * @param nonce Holds the 12-byte nonce at `nonceOffset`.
 * @param out 4 to 64 bytes, a multiple of 4.
 * @throws {RangeError} If `out` has another length, or the nonce lies outside its array.
 *
 * @example The block of RFC 8439, section 2.3.2
 * ```ts
 * import { chacha20Block, loadChaCha20Key } from "@p2pft/cli/crypto";
 * import assert from "node:assert/strict";
 *
 * const key = loadChaCha20Key(Uint8Array.from({ length: 32 }, (_, index) => index));
 * const nonce = new Uint8Array([0, 0, 0, 9, 0, 0, 0, 0x4a, 0, 0, 0, 0]);
 * const block = new Uint8Array(64);
 * chacha20Block(key, 1, nonce, 0, block);
 * assert.deepEqual([...block.subarray(0, 4)], [0x10, 0xf1, 0xe7, 0xe4]);
 * ```
 */
export function chacha20Block(
  key: ChaCha20Key,
  counter: number,
  nonce: Uint8Array,
  nonceOffset: number,
  out: Uint8Array,
): void {
  const length = out.length;
  if (length < 4 || length > CHACHA20_BLOCK_BYTES || length % 4 !== 0) {
    throw new RangeError(
      `Cannot write ChaCha20 block: ${length} is not a multiple of 4 from 4 to 64`,
    );
  }
  if (nonceOffset < 0 || nonceOffset + 12 > nonce.length) {
    throw new RangeError(
      `Cannot read ChaCha20 nonce: 12 bytes at ${nonceOffset} of ${nonce.length}`,
    );
  }
  const s4 = key[0]! | 0, s5 = key[1]! | 0, s6 = key[2]! | 0, s7 = key[3]! | 0;
  const s8 = key[4]! | 0, s9 = key[5]! | 0, s10 = key[6]! | 0, s11 = key[7]! | 0;
  const s12 = counter | 0;
  const s13 = readWord(nonce, nonceOffset);
  const s14 = readWord(nonce, nonceOffset + 4);
  const s15 = readWord(nonce, nonceOffset + 8);

  // Sixteen locals instead of an array: the engine keeps them in registers.
  let x0 = SIGMA_0, x1 = SIGMA_1, x2 = SIGMA_2, x3 = SIGMA_3;
  let x4 = s4, x5 = s5, x6 = s6, x7 = s7, x8 = s8, x9 = s9, x10 = s10, x11 = s11;
  let x12 = s12, x13 = s13, x14 = s14, x15 = s15;
  let t = 0;
  for (let round = 0; round < 20; round += 2) {
    // Columns.
    x0 = (x0 + x4) | 0, t = x12 ^ x0, x12 = (t << 16) | (t >>> 16);
    x8 = (x8 + x12) | 0, t = x4 ^ x8, x4 = (t << 12) | (t >>> 20);
    x0 = (x0 + x4) | 0, t = x12 ^ x0, x12 = (t << 8) | (t >>> 24);
    x8 = (x8 + x12) | 0, t = x4 ^ x8, x4 = (t << 7) | (t >>> 25);
    x1 = (x1 + x5) | 0, t = x13 ^ x1, x13 = (t << 16) | (t >>> 16);
    x9 = (x9 + x13) | 0, t = x5 ^ x9, x5 = (t << 12) | (t >>> 20);
    x1 = (x1 + x5) | 0, t = x13 ^ x1, x13 = (t << 8) | (t >>> 24);
    x9 = (x9 + x13) | 0, t = x5 ^ x9, x5 = (t << 7) | (t >>> 25);
    x2 = (x2 + x6) | 0, t = x14 ^ x2, x14 = (t << 16) | (t >>> 16);
    x10 = (x10 + x14) | 0, t = x6 ^ x10, x6 = (t << 12) | (t >>> 20);
    x2 = (x2 + x6) | 0, t = x14 ^ x2, x14 = (t << 8) | (t >>> 24);
    x10 = (x10 + x14) | 0, t = x6 ^ x10, x6 = (t << 7) | (t >>> 25);
    x3 = (x3 + x7) | 0, t = x15 ^ x3, x15 = (t << 16) | (t >>> 16);
    x11 = (x11 + x15) | 0, t = x7 ^ x11, x7 = (t << 12) | (t >>> 20);
    x3 = (x3 + x7) | 0, t = x15 ^ x3, x15 = (t << 8) | (t >>> 24);
    x11 = (x11 + x15) | 0, t = x7 ^ x11, x7 = (t << 7) | (t >>> 25);
    // Diagonals.
    x0 = (x0 + x5) | 0, t = x15 ^ x0, x15 = (t << 16) | (t >>> 16);
    x10 = (x10 + x15) | 0, t = x5 ^ x10, x5 = (t << 12) | (t >>> 20);
    x0 = (x0 + x5) | 0, t = x15 ^ x0, x15 = (t << 8) | (t >>> 24);
    x10 = (x10 + x15) | 0, t = x5 ^ x10, x5 = (t << 7) | (t >>> 25);
    x1 = (x1 + x6) | 0, t = x12 ^ x1, x12 = (t << 16) | (t >>> 16);
    x11 = (x11 + x12) | 0, t = x6 ^ x11, x6 = (t << 12) | (t >>> 20);
    x1 = (x1 + x6) | 0, t = x12 ^ x1, x12 = (t << 8) | (t >>> 24);
    x11 = (x11 + x12) | 0, t = x6 ^ x11, x6 = (t << 7) | (t >>> 25);
    x2 = (x2 + x7) | 0, t = x13 ^ x2, x13 = (t << 16) | (t >>> 16);
    x8 = (x8 + x13) | 0, t = x7 ^ x8, x7 = (t << 12) | (t >>> 20);
    x2 = (x2 + x7) | 0, t = x13 ^ x2, x13 = (t << 8) | (t >>> 24);
    x8 = (x8 + x13) | 0, t = x7 ^ x8, x7 = (t << 7) | (t >>> 25);
    x3 = (x3 + x4) | 0, t = x14 ^ x3, x14 = (t << 16) | (t >>> 16);
    x9 = (x9 + x14) | 0, t = x4 ^ x9, x4 = (t << 12) | (t >>> 20);
    x3 = (x3 + x4) | 0, t = x14 ^ x3, x14 = (t << 8) | (t >>> 24);
    x9 = (x9 + x14) | 0, t = x4 ^ x9, x4 = (t << 7) | (t >>> 25);
  }

  writeWord(out, 0, x0 + SIGMA_0);
  if (length >= 8) writeWord(out, 4, x1 + SIGMA_1);
  if (length === 8) return;
  if (length >= 12) writeWord(out, 8, x2 + SIGMA_2);
  if (length >= 16) writeWord(out, 12, x3 + SIGMA_3);
  if (length >= 20) writeWord(out, 16, x4 + s4);
  if (length >= 24) writeWord(out, 20, x5 + s5);
  if (length >= 28) writeWord(out, 24, x6 + s6);
  if (length >= 32) writeWord(out, 28, x7 + s7);
  if (length >= 36) writeWord(out, 32, x8 + s8);
  if (length >= 40) writeWord(out, 36, x9 + s9);
  if (length >= 44) writeWord(out, 40, x10 + s10);
  if (length >= 48) writeWord(out, 44, x11 + s11);
  if (length >= 52) writeWord(out, 48, x12 + s12);
  if (length >= 56) writeWord(out, 52, x13 + s13);
  if (length >= 60) writeWord(out, 56, x14 + s14);
  if (length >= 64) writeWord(out, 60, x15 + s15);
}

function readWord(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) |
    (bytes[offset + 3]! << 24);
}

function writeWord(out: Uint8Array, offset: number, word: number): void {
  out[offset] = word;
  out[offset + 1] = word >>> 8;
  out[offset + 2] = word >>> 16;
  out[offset + 3] = word >>> 24;
}
