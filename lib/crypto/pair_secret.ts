/**
 * The secret that two identities keep for each other, and what a short code takes from it
 * (docs/protocol.md, "Short code"). All are HKDF-SHA-256 (RFC 5869) with the salt `p2pft/1`:
 *
 * | what | input key material | info | bytes |
 * | --- | --- | --- | --- |
 * | exporter secret | first ‖ second output of Split() | – (Extract only) | 32 |
 * | pair secret | the exporter secret is the pseudorandom key | `pair` ‖ client's key ‖ sharer's key ‖ handshake hash | 32 |
 * | `t` | pair secret | `short code` ‖ sharer's key ‖ hint | 16 |
 * | checksum mask | pair secret | `short check` ‖ sharer's key ‖ hint | its first 30 bits |
 *
 * Keys are the identities' Ed25519 public keys. The pair secret does not come from the handshake
 * hash alone: that is a hash of what was sent, and whoever holds the code and recorded the handshake
 * can compute it.
 */
import { concatBytes } from "../bytes/concat.ts";
import { SHARE_COMMITMENT_BYTES } from "./commitment.ts";
import { HASH_BYTES, hkdfExpand, hkdfExtract } from "./hkdf.ts";
import type { NoiseSecrets } from "./noise.ts";
import { KEY_BYTES } from "./primitive_lengths.ts";
import type { CryptoProvider } from "./provider.ts";
import { wipe } from "./wipe.ts";

/** Bytes of the secret that a pair keeps. */
export const PAIR_SECRET_BYTES = 32;

/** Bytes of a hint, which stands in a short code in place of `t`. */
export const SHORT_CODE_HINT_BYTES = 4;

/** Bits of a bech32m checksum. */
const CHECKSUM_BITS = 30;

const encoder = new TextEncoder();
const SALT = encoder.encode("p2pft/1");
const PAIR_LABEL = encoder.encode("pair");
const CODE_LABEL = encoder.encode("short code");
const CHECK_LABEL = encoder.encode("short check");

/** The session and the identities that a pair secret is of. */
export interface PairScope {
  /** The hash of the session's finished Noise handshake, 32 bytes. */
  readonly handshakeHash: Uint8Array;
  /** The public key in the client's statement, checked. */
  readonly clientKey: Uint8Array;
  /** The public key in the sharer's statement, checked. */
  readonly sharerKey: Uint8Array;
}

/** What a short code is of. */
export interface ShortCodeScope {
  /** The identity's public key of the side that shares. */
  readonly sharerKey: Uint8Array;
  /** Random, one for each share; 4 bytes. */
  readonly hint: Uint8Array;
}

/**
 * What a session keeps of its secrets until its identities are known: neither they nor any packet
 * key follow from it.
 *
 * @param secrets Both outputs of the finished handshake's Split(); not wiped here.
 * @returns 32 bytes, the same on both sides, to be wiped by the caller.
 */
export function exporterSecret(provider: CryptoProvider, secrets: NoiseSecrets): Uint8Array {
  const both = concatBytes(secrets.initiatorSecret, secrets.responderSecret);
  const exporter = hkdfExtract(provider, SALT, both);
  wipe(both);
  return exporter;
}

/**
 * The secret that a pair keeps, the same on both sides.
 *
 * @param exporter From {@linkcode exporterSecret}, of the session.
 * @param scope Only of a session in which both statements were checked.
 * @returns {@linkcode PAIR_SECRET_BYTES} bytes.
 * @throws {RangeError} If anything is not 32 bytes.
 */
export function derivePairSecret(
  provider: CryptoProvider,
  exporter: Uint8Array,
  scope: PairScope,
): Uint8Array {
  const { clientKey, sharerKey, handshakeHash } = scope;
  assertBytes("exporter secret", exporter, HASH_BYTES);
  assertBytes("client's key", clientKey, KEY_BYTES);
  assertBytes("sharer's key", sharerKey, KEY_BYTES);
  assertBytes("handshake hash", handshakeHash, HASH_BYTES);
  const info = concatBytes(PAIR_LABEL, clientKey, sharerKey, handshakeHash);
  return hkdfExpand(provider, exporter, info, PAIR_SECRET_BYTES);
}

/**
 * `t` of a share whose code is a short one: keys its handshake, as the `t` of a share code does, but
 * commits to no key.
 *
 * @param pairSecret 32 bytes.
 * @returns 16 bytes.
 * @throws {RangeError} If a length is wrong.
 */
export function shortCodeT(
  provider: CryptoProvider,
  pairSecret: Uint8Array,
  scope: ShortCodeScope,
): Uint8Array {
  return expandForCode(provider, pairSecret, CODE_LABEL, scope, SHARE_COMMITMENT_BYTES);
}

/**
 * The 30 bits for the checksum of a short code: only the pair finds it right.
 *
 * @param pairSecret 32 bytes.
 * @throws {RangeError} If a length is wrong.
 */
export function shortCodeChecksumMask(
  provider: CryptoProvider,
  pairSecret: Uint8Array,
  scope: ShortCodeScope,
): number {
  const [a, b, c, d] = expandForCode(provider, pairSecret, CHECK_LABEL, scope, 4);
  const first32 = ((a! << 24) | (b! << 16) | (c! << 8) | d!) >>> 0;
  return first32 >>> (32 - CHECKSUM_BITS);
}

function expandForCode(
  provider: CryptoProvider,
  pairSecret: Uint8Array,
  label: Uint8Array,
  { sharerKey, hint }: ShortCodeScope,
  length: number,
): Uint8Array {
  assertBytes("pair secret", pairSecret, PAIR_SECRET_BYTES);
  assertBytes("sharer's key", sharerKey, KEY_BYTES);
  assertBytes("hint", hint, SHORT_CODE_HINT_BYTES);
  const secret = hkdfExtract(provider, SALT, pairSecret);
  const output = hkdfExpand(provider, secret, concatBytes(label, sharerKey, hint), length);
  wipe(secret);
  return output;
}

function assertBytes(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) {
    throw new RangeError(`Cannot use ${what}: ${bytes.length} bytes, not ${length}`);
  }
}
