/**
 * The lengths both providers insist on. A wrong one is a bug of the caller, never of a stranger,
 * so it throws; everything a provider is handed afterwards can fail only by a wrong tag or a public
 * key of small order.
 */

/** Bytes of every key here: ChaCha20-Poly1305 and both halves of X25519. */
export const KEY_BYTES = 32;

/** Bytes of a ChaCha20-Poly1305 nonce. */
export const NONCE_BYTES = 12;

/** In place of a key that is missing or was wiped: of a length no cipher takes. */
export const NO_KEY: Uint8Array = new Uint8Array(0);

/**
 * Insists on the length of a key.
 *
 * @throws {RangeError} If `key` is not 32 bytes; `what` names it.
 */
export function assertKeyLength(what: string, key: Uint8Array): void {
  if (key.length !== KEY_BYTES) {
    throw new RangeError(`Cannot use ${what}: ${key.length} bytes, not ${KEY_BYTES}`);
  }
}

/**
 * Insists on the length of a nonce.
 *
 * @throws {RangeError} If `nonce` is not 12 bytes.
 */
export function assertNonceLength(nonce: Uint8Array): void {
  if (nonce.length !== NONCE_BYTES) {
    throw new RangeError(`Cannot use nonce: ${nonce.length} bytes, not ${NONCE_BYTES}`);
  }
}

/** Whether every byte is zero, in time that depends on the length only. */
export function isAllZero(bytes: Uint8Array): boolean {
  let seen = 0;
  for (let index = 0; index < bytes.length; index++) seen |= bytes[index]!;
  return seen === 0;
}
