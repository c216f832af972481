/**
 * Ed25519 public keys of small order: points that a small number of additions takes back to the
 * neutral one. Nobody has a secret for them, and yet anybody can make signatures under them that are
 * right. RFC 8032 lets a verifier take them, and some libraries do; here nobody does.
 *
 * A list and no arithmetic, so that it holds for every library alike. The unit tests hold it against
 * noble's points.
 */
import { encodeHex } from "../bytes/hex.ts";

/** The sign of x, in the last byte of a key. */
const SIGN_BIT = 0x80;

/**
 * Their y coordinates, little-endian, with the sign of x taken away: 0, 1 and −1, the two of the
 * points of order 8, and 0 and 1 written as p and p + 1.
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

/**
 * Whether a public key is of small order.
 *
 * @param publicKey 32 bytes; nothing about it is secret.
 */
export function isSmallOrderSigningKey(publicKey: Uint8Array): boolean {
  const unsigned = new Uint8Array(publicKey);
  unsigned[unsigned.length - 1]! &= ~SIGN_BIT;
  return SMALL_ORDER.has(encodeHex(unsigned));
}
