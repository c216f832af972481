/** Hexadecimal, for people and for names of files. */

// A table: hashes are written out three times for every file.
const HEX_OF_BYTE: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => byte.toString(16).padStart(2, "0"),
);

/** Lower-case hexadecimal of `bytes`. */
export function encodeHex(bytes: Uint8Array): string {
  let text = "";
  for (let index = 0; index < bytes.length; index++) text += HEX_OF_BYTE[bytes[index]!];
  return text;
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
