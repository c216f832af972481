/**
 * What a code says of a public key (docs/protocol.md, "Codes"): a share code holds `t`, a hash of
 * the sharer's key, and a reply code `r`, a hash of the client's key for this one share.
 *
 * ```
 * t = SHA-256("p2pft share" ‖ S_pub)[0..15]        a second key with the same t costs 2^128
 * r = SHA-256("p2pft reply" ‖ t ‖ C_pub)[0..9]     and one with the same r 2^80, online
 * ```
 */
import { constantTimeEqual } from "../bytes/equal.ts";
import { assertKeyLength } from "./primitive_lengths.ts";
import type { CryptoProvider } from "./provider.ts";

/** Bytes of a share commitment, `t`. */
export const SHARE_COMMITMENT_BYTES = 16;

/** Bytes of a reply commitment, `r`. */
export const REPLY_COMMITMENT_BYTES = 10;

const encoder = new TextEncoder();
const SHARE_LABEL = encoder.encode("p2pft share");
const REPLY_LABEL = encoder.encode("p2pft reply");

/**
 * `t`, the commitment to the sharer's public key.
 *
 * @returns 16 bytes; whoever holds them may ask for the share, so they are treated as a secret.
 * @throws {RangeError} If the key is not 32 bytes.
 */
export function shareCommitment(
  provider: CryptoProvider,
  sharerPublicKey: Uint8Array,
): Uint8Array {
  assertKeyLength("sharer's public key", sharerPublicKey);
  return provider.sha256(SHARE_LABEL, sharerPublicKey).slice(0, SHARE_COMMITMENT_BYTES);
}

/**
 * `r`, the commitment to a client's public key within one share.
 *
 * @param t From {@linkcode shareCommitment}.
 * @returns 10 bytes.
 * @throws {RangeError} If the key is not 32 bytes, or `t` not 16.
 */
export function replyCommitment(
  provider: CryptoProvider,
  t: Uint8Array,
  clientPublicKey: Uint8Array,
): Uint8Array {
  assertShareCommitment(t);
  assertKeyLength("client's public key", clientPublicKey);
  return provider.sha256(REPLY_LABEL, t, clientPublicKey).slice(0, REPLY_COMMITMENT_BYTES);
}

/** Whether `t` commits to this sharer's key: what a client asks before it says anything else. */
export function isSharerKey(
  provider: CryptoProvider,
  t: Uint8Array,
  sharerPublicKey: Uint8Array,
): boolean {
  return constantTimeEqual(shareCommitment(provider, sharerPublicKey), t);
}

/** Whether `r` commits to this client's key. */
export function isClientKey(
  provider: CryptoProvider,
  t: Uint8Array,
  r: Uint8Array,
  clientPublicKey: Uint8Array,
): boolean {
  return constantTimeEqual(replyCommitment(provider, t, clientPublicKey), r);
}

/**
 * Insists on the length of a share commitment.
 *
 * @throws {RangeError} If `t` is not 16 bytes.
 */
export function assertShareCommitment(t: Uint8Array): void {
  if (t.length !== SHARE_COMMITMENT_BYTES) {
    throw new RangeError(
      `Cannot use share commitment: ${t.length} bytes, not ${SHARE_COMMITMENT_BYTES}`,
    );
  }
}
