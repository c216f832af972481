/**
 * The symmetric keys that follow from a code (docs/protocol.md, "Keys of a share"). All are
 * HKDF-SHA-256 (RFC 5869) with the salt `p2pft/1`, in ASCII like the infos, and 32 bytes long:
 *
 * | key | input key material | info | used for |
 * | --- | --- | --- | --- |
 * | `psk` | t | `psk` | pre-shared key of Noise XXpsk0 |
 * | `handshake` | t | `handshake` | tags and masks of handshake datagrams and probes |
 * | `cookie` | t | `cookie` | sealing of cookies on their way to the client |
 * | `reply` | t | `reply` | masking the candidates in a reply code |
 * | `replyCheck` | t | `reply check` | its first 30 bits, big-endian, go into a reply's checksum |
 * | probe key | t ‖ r | `probe` | sealing of probes |
 *
 * Who has the code has all of these: they keep strangers out, they identify nobody.
 */
import { assertShareCommitment, REPLY_COMMITMENT_BYTES } from "./commitment.ts";
import { concatBytes } from "../bytes/concat.ts";
import { hkdfExpand, hkdfExtract } from "./hkdf.ts";
import { KEY_BYTES } from "./primitive_lengths.ts";
import type { CryptoProvider } from "./provider.ts";
import { wipe } from "./wipe.ts";

const encoder = new TextEncoder();
const SALT = encoder.encode("p2pft/1");

/** Keys that need the share code only; 32 bytes each. */
export interface ShareKeys {
  /** Pre-shared key of the Noise handshake. */
  readonly psk: Uint8Array;
  /** For `HandshakeTag`. */
  readonly handshake: Uint8Array;
  /** For cookies inside a type 4 datagram. */
  readonly cookie: Uint8Array;
  /** For the candidates of a reply code. */
  readonly reply: Uint8Array;
  /** For the checksum of a reply code. */
  readonly replyCheck: Uint8Array;
}

/**
 * Derives the keys of a share.
 *
 * @param t The share commitment, 16 bytes.
 * @throws {RangeError} If `t` has another length.
 */
export function deriveShareKeys(provider: CryptoProvider, t: Uint8Array): ShareKeys {
  assertShareCommitment(t);
  const secret = hkdfExtract(provider, SALT, t);
  const keys = {
    psk: expand(provider, secret, "psk"),
    handshake: expand(provider, secret, "handshake"),
    cookie: expand(provider, secret, "cookie"),
    reply: expand(provider, secret, "reply"),
    replyCheck: expand(provider, secret, "reply check"),
  };
  wipe(secret);
  return keys;
}

/**
 * Derives the key of the probes between a sharer and the client of one reply code.
 *
 * @param t The share commitment, 16 bytes.
 * @param r The reply commitment, 10 bytes.
 * @returns 32 bytes.
 * @throws {RangeError} If `t` or `r` has another length.
 */
export function deriveProbeKey(
  provider: CryptoProvider,
  t: Uint8Array,
  r: Uint8Array,
): Uint8Array {
  assertShareCommitment(t);
  if (r.length !== REPLY_COMMITMENT_BYTES) {
    throw new RangeError(
      `Cannot use reply commitment: ${r.length} bytes, not ${REPLY_COMMITMENT_BYTES}`,
    );
  }
  const secret = hkdfExtract(provider, SALT, concatBytes(t, r));
  const key = expand(provider, secret, "probe");
  wipe(secret);
  return key;
}

/** Overwrites all keys of a share. */
export function wipeShareKeys(keys: ShareKeys): void {
  wipe(keys.psk, keys.handshake, keys.cookie, keys.reply, keys.replyCheck);
}

function expand(provider: CryptoProvider, secret: Uint8Array, info: string): Uint8Array {
  return hkdfExpand(provider, secret, encoder.encode(info), KEY_BYTES);
}
