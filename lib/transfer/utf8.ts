/**
 * UTF-8 of paths, without an array for each. Nearly all are ASCII and short, for which a loop takes
 * less time than the call of an encoder.
 */

const encoder = new TextEncoder();

/** Bytes of `text` in UTF-8; half a surrogate pair counts as the three bytes that replace it. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    length += unit < 0x800 ? 1 : 2;
    // A pair is two units and four bytes.
    const isPair = unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1));
    if (isPair) index++;
  }
  return length;
}

/**
 * Writes `text` at `offset`.
 *
 * @returns The index just past it.
 * @throws {RangeError} If `out` has too little room.
 */
export function writeUtf8(text: string, out: Uint8Array, offset: number): number {
  if (offset + 3 * text.length > out.length && offset + utf8Length(text) > out.length) {
    throw new RangeError(`Cannot write text: too little room at ${offset} of ${out.length}`);
  }
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) return offset + encoder.encodeInto(text, out.subarray(offset)).written;
    out[offset + index] = unit;
  }
  return offset + text.length;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
