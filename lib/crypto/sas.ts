/**
 * Short authentication strings for `--verify` (docs/protocol.md, "Verification words"). After the
 * handshake, inside the channel:
 *
 * 1. the sharer draws nS (32 bytes) and sends SHA-256(nS);
 * 2. the client draws nC (32 bytes) and sends it;
 * 3. the sharer sends nS, and the client checks it against the hash;
 * 4. both show SHA-256("p2pft sas" ‖ handshake hash ‖ nS ‖ nC), its first 33 bits, as three words.
 *
 * A man in the middle has two handshakes with two hashes, and must commit to his nonces before he
 * sees the others', so he is left with one guess in 2^33. Words taken from the hash alone could be
 * ground offline until they match.
 *
 * Not here: the exchange itself, and the words (`sas_words.ts`).
 */
import { constantTimeEqual } from "../bytes/equal.ts";
import { HASH_BYTES } from "./hkdf.ts";
import type { CryptoProvider } from "./provider.ts";

/** Bytes of nS and of nC. */
export const SAS_NONCE_BYTES = 32;

/** How many different words there are: 11 bits. */
export const SAS_WORD_COUNT = 2048;

/** Three indices below {@linkcode SAS_WORD_COUNT}. */
export type SasIndices = readonly [number, number, number];

const LABEL = new TextEncoder().encode("p2pft sas");

/**
 * The sharer's commitment to its nonce.
 *
 * @param nonce nS, 32 bytes.
 * @returns SHA-256(nS).
 * @throws {RangeError} If the nonce has another length.
 */
export function sasCommitment(provider: CryptoProvider, nonce: Uint8Array): Uint8Array {
  assertBytes("nonce", nonce, SAS_NONCE_BYTES);
  return provider.sha256(nonce);
}

/** Whether `nonce`, from the peer, is 32 bytes long and what it committed to. */
export function isSasOpening(
  provider: CryptoProvider,
  commitment: Uint8Array,
  nonce: Uint8Array,
): boolean {
  return nonce.length === SAS_NONCE_BYTES &&
    constantTimeEqual(provider.sha256(nonce), commitment);
}

/**
 * The indices of the three words, the same on both ends if nobody is in between.
 *
 * @param handshakeHash Of the finished Noise handshake, 32 bytes.
 * @param sharerNonce nS, its opening checked.
 * @param clientNonce nC.
 * @throws {RangeError} If a length is wrong.
 */
export function sasIndices(
  provider: CryptoProvider,
  handshakeHash: Uint8Array,
  sharerNonce: Uint8Array,
  clientNonce: Uint8Array,
): SasIndices {
  assertBytes("handshake hash", handshakeHash, HASH_BYTES);
  assertBytes("nonce", sharerNonce, SAS_NONCE_BYTES);
  assertBytes("nonce", clientNonce, SAS_NONCE_BYTES);
  const digest = provider.sha256(LABEL, handshakeHash, sharerNonce, clientNonce);
  const bits = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  return [
    bits.getUint16(0) >>> 5,
    (bits.getUint32(0) >>> 10) & 0x7ff,
    (bits.getUint32(1) >>> 7) & 0x7ff,
  ];
}

function assertBytes(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) {
    throw new RangeError(`Cannot use ${what}: ${bytes.length} bytes, not ${length}`);
  }
}
