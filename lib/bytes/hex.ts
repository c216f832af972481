/** Hexadecimal, for people and for names of files. */

/** Lower-case hexadecimal of `bytes`. */
export function encodeHex(bytes: Uint8Array): string {
  // Put together from pieces, a hash would leave a kilobyte of them to the collector.
  return bytes.toHex();
}

/**
 * Bytes of a hexadecimal string.
 *
 * @throws {RangeError} If `text` has an odd length or a character that is not hexadecimal.
 */
export function decodeHex(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0 || /[^0-9a-fA-F]/.test(text)) {
    throw new RangeError(`Cannot decode hex: ${text.length} characters, not all pairs of 0-9a-f`);
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number.parseInt(text.slice(index * 2, index * 2 + 2), 16);
  }
  return bytes;
}
