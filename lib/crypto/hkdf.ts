/**
 * HKDF over SHA-256: extract and expand, nothing on top. Labels and their layouts are in
 * `key_schedule.ts` (sessions) and `share_keys.ts` (codes).
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc5869 | RFC 5869}
 */
import type { CryptoProvider } from "./provider.ts";
import { wipe } from "./wipe.ts";

/** Bytes of a SHA-256 digest. */
export const HASH_BYTES = 32;

/** The most bytes one expansion gives: 255 blocks. */
export const MAX_EXPAND_BYTES = 255 * HASH_BYTES;

/**
 * HKDF-Extract.
 *
 * @param salt May be empty, which stands for 32 zero bytes.
 * @param inputKeyMaterial The secret to concentrate.
 * @returns A pseudorandom key of 32 bytes.
 */
export function hkdfExtract(
  provider: CryptoProvider,
  salt: Uint8Array,
  inputKeyMaterial: Uint8Array,
): Uint8Array {
  return provider.hmacSha256(salt, inputKeyMaterial);
}

/**
 * HKDF-Expand.
 *
 * @param pseudorandomKey From {@linkcode hkdfExtract}, or any uniformly random 32 bytes.
 * @param info Says what the output is for.
 * @param length Bytes wanted, 0 to {@linkcode MAX_EXPAND_BYTES}.
 * @throws {RangeError} If `length` is out of range.
 */
export function hkdfExpand(
  provider: CryptoProvider,
  pseudorandomKey: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  if (!Number.isInteger(length) || length < 0 || length > MAX_EXPAND_BYTES) {
    throw new RangeError(`Cannot expand key: ${length} bytes, not 0 to ${MAX_EXPAND_BYTES}`);
  }
  const output = new Uint8Array(length);
  const counter = new Uint8Array(1);
  let block: Uint8Array = new Uint8Array(0);
  for (let offset = 0; offset < length; offset += HASH_BYTES) {
    counter[0]!++;
    const next = provider.hmacSha256(pseudorandomKey, block, info, counter);
    wipe(block);
    block = next;
    output.set(block.subarray(0, Math.min(HASH_BYTES, length - offset)), offset);
  }
  wipe(block);
  return output;
}
