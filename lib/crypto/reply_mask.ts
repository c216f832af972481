/**
 * What hides and ties a reply code (docs/protocol.md, "Reply code"): its candidates are XORed with a
 * keystream, so that only holders of the share code see the client's addresses, and its checksum
 * with 30 bits, so that a reply is refused by every other share. Neither authenticates anything: who
 * holds the share code can make both.
 */
import { CHACHA20_BLOCK_BYTES, chacha20Block, loadChaCha20Key } from "./chacha20_block.ts";
import { REPLY_COMMITMENT_BYTES } from "./commitment.ts";
import { NONCE_BYTES } from "./primitive_lengths.ts";
import type { ShareKeys } from "./share_keys.ts";
import { wipe } from "./wipe.ts";

/** Bits of a bech32m checksum. */
const CHECKSUM_BITS = 30;

/**
 * XORs the candidates of a reply code with the ChaCha20 keystream of the reply key and the nonce
 * `r ‖ 00 00`, from block 0 on. Doing it twice undoes it.
 *
 * @param r The reply commitment, 10 bytes; one must not mask two different lists.
 * @param candidates Changed in place.
 * @throws {RangeError} If `r` has another length.
 */
export function maskReplyCandidates(
  keys: ShareKeys,
  r: Uint8Array,
  candidates: Uint8Array,
): void {
  if (r.length !== REPLY_COMMITMENT_BYTES) {
    throw new RangeError(
      `Cannot use reply commitment: ${r.length} bytes, not ${REPLY_COMMITMENT_BYTES}`,
    );
  }
  const key = loadChaCha20Key(keys.reply);
  const nonce = new Uint8Array(NONCE_BYTES);
  nonce.set(r);
  const block = new Uint8Array(CHACHA20_BLOCK_BYTES);
  for (let index = 0; index < candidates.length; index++) {
    const at = index % CHACHA20_BLOCK_BYTES;
    if (at === 0) chacha20Block(key, index / CHACHA20_BLOCK_BYTES, nonce, 0, block);
    candidates[index]! ^= block[at]!;
  }
  wipe(key, block);
}

/** The 30 bits for the checksum of a reply code: the first of the reply check key. */
export function replyChecksumMask(keys: ShareKeys): number {
  const [a, b, c, d] = keys.replyCheck;
  const first32 = ((a! << 24) | (b! << 16) | (c! << 8) | d!) >>> 0;
  return first32 >>> (32 - CHECKSUM_BITS);
}
