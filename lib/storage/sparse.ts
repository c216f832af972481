/** Finds what need not be written: aligned chunks of nothing but zeros become holes [DISK-5]. Pure. */

/** Size and alignment of what becomes a hole: file systems know no smaller ones than a few KiB. */
export const HOLE_BYTES = 65_536;

const NONE: readonly number[] = [];
const HOLE_WORDS = HOLE_BYTES / 4;

/**
 * Where in `bytes` whole chunks of zeros begin that lie at multiples of 64 KiB in the file.
 *
 * @param offset Where in the file `bytes` begin.
 */
export function zeroChunks(offset: number, bytes: Uint8Array): readonly number[] {
  let found: number[] | undefined;
  const first = (HOLE_BYTES - offset % HOLE_BYTES) % HOLE_BYTES;
  for (let start = first; start + HOLE_BYTES <= bytes.length; start += HOLE_BYTES) {
    // Nearly all data ends the test here; some begins with a few zeros.
    if (bytes[start] !== 0 || bytes[start + HOLE_BYTES - 1] !== 0) continue;
    if (isZero(bytes.subarray(start, start + HOLE_BYTES))) (found ??= []).push(start);
  }
  return found ?? NONE;
}

/** Whether all bytes are zero. */
export function isZero(bytes: Uint8Array): boolean {
  if (bytes.byteOffset % 4 !== 0 || bytes.length !== HOLE_BYTES) {
    return bytes.every((byte) => byte === 0);
  }
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, HOLE_WORDS);
  for (let index = 0; index < HOLE_WORDS; index += 4) {
    const any = words[index]! | words[index + 1]! | words[index + 2]! | words[index + 3]!;
    if (any !== 0) return false;
  }
  return true;
}
