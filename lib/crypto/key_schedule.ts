/**
 * From one secret to the keys of one direction, as QUIC does it with labels of our own
 * (docs/protocol.md, "Packet protection"). The functions take the labels as an argument, so that
 * the same code, given QUIC's labels, reproduces RFC 9001, appendix A.5.
 *
 * The secrets themselves are the two outputs of the Noise handshake's Split(), unchanged: the first
 * is the client's sending secret (the client initiates), the second the sharer's.
 *
 * Not here: sealing and opening packets (`packet_sealer.ts`, `packet_opener.ts`).
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9001#section-5.1 | RFC 9001, section 5.1}
 */
import { chacha20Block, type ChaCha20Key, loadChaCha20Key } from "./chacha20_block.ts";
import { HASH_BYTES, hkdfExpand } from "./hkdf.ts";
import { KEY_BYTES, NONCE_BYTES } from "./primitive_lengths.ts";
import type { CryptoProvider } from "./provider.ts";
import { wipe } from "./wipe.ts";

/** Whole labels, including the prefix that RFC 8446 puts in front of its own. */
export interface KeyLabels {
  /** For the AEAD key. */
  readonly key: string;
  /** For the AEAD's initialisation vector. */
  readonly iv: string;
  /** For the header-protection key. */
  readonly hp: string;
  /** For the secret of the next key phase. */
  readonly ku: string;
}

/** The labels of this protocol, and of ChaCha20-Poly1305. */
export const P2PFT_LABELS: KeyLabels = {
  key: "p2pft key",
  iv: "p2pft iv",
  hp: "p2pft hp",
  ku: "p2pft ku",
};

/** The same for AES-256-GCM: another key, so that none is ever used with two ciphers. */
export const AES_LABELS: KeyLabels = {
  ...P2PFT_LABELS,
  key: "p2pft aes key",
  iv: "p2pft aes iv",
};

const encoder = new TextEncoder();
const NO_CONTEXT = new Uint8Array(0);

/**
 * HKDF-Expand-Label. The info is, as in RFC 8446:
 *
 * | bytes | meaning |
 * | --- | --- |
 * | 2 | `length`, big-endian |
 * | 1 + n | length of the label in bytes, the label in ASCII |
 * | 1 + n | length of the context in bytes, the context |
 *
 * @param label The whole label; RFC 8446's prefix `tls13 ` is not added.
 * @param context At most 255 bytes.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8446#section-7.1 | RFC 8446, section 7.1}
 */
export function hkdfExpandLabel(
  provider: CryptoProvider,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const name = encoder.encode(label);
  if (name.length > 255 || context.length > 255) {
    throw new RangeError(
      `Cannot expand label: ${name.length} and ${context.length} bytes, not ≤ 255`,
    );
  }
  const info = new Uint8Array(4 + name.length + context.length);
  info[0] = length >>> 8;
  info[1] = length;
  info[2] = name.length;
  info.set(name, 3);
  info[3 + name.length] = context.length;
  info.set(context, 4 + name.length);
  return hkdfExpand(provider, secret, info, length);
}

/** The AEAD key (32 bytes) of one key phase. The caller wipes it. */
export function derivePacketKey(
  provider: CryptoProvider,
  secret: Uint8Array,
  labels: KeyLabels = P2PFT_LABELS,
): Uint8Array {
  return hkdfExpandLabel(provider, secret, labels.key, NO_CONTEXT, KEY_BYTES);
}

/** The AEAD's initialisation vector (12 bytes) of one key phase. */
export function derivePacketIv(
  provider: CryptoProvider,
  secret: Uint8Array,
  labels: KeyLabels = P2PFT_LABELS,
): Uint8Array {
  return hkdfExpandLabel(provider, secret, labels.iv, NO_CONTEXT, NONCE_BYTES);
}

/**
 * The header-protection key, from the first secret of a direction only: it stays through all key
 * updates (RFC 9001, section 6.1).
 */
export function deriveHeaderKey(
  provider: CryptoProvider,
  secret: Uint8Array,
  labels: KeyLabels = P2PFT_LABELS,
): ChaCha20Key {
  const key = hkdfExpandLabel(provider, secret, labels.hp, NO_CONTEXT, KEY_BYTES);
  const words = loadChaCha20Key(key);
  wipe(key);
  return words;
}

/** The secret of the next key phase (32 bytes); the old one does not follow from it. */
export function deriveNextSecret(
  provider: CryptoProvider,
  secret: Uint8Array,
  labels: KeyLabels = P2PFT_LABELS,
): Uint8Array {
  return hkdfExpandLabel(provider, secret, labels.ku, NO_CONTEXT, HASH_BYTES);
}

/**
 * Writes iv XOR packet number, the number big-endian and right-aligned.
 *
 * @param packetNumber 0 to 2^53 − 1.
 * @param nonce 12 bytes, overwritten.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9001#section-5.3 | RFC 9001, section 5.3}
 */
export function writePacketNonce(iv: Uint8Array, packetNumber: number, nonce: Uint8Array): void {
  const high = Math.floor(packetNumber / 0x1_0000_0000);
  const low = packetNumber >>> 0;
  nonce.set(iv);
  nonce[5]! ^= high >>> 16;
  nonce[6]! ^= high >>> 8;
  nonce[7]! ^= high;
  nonce[8]! ^= low >>> 24;
  nonce[9]! ^= low >>> 16;
  nonce[10]! ^= low >>> 8;
  nonce[11]! ^= low;
}

/**
 * Writes the header-protection mask: the ChaCha20 block whose counter is the first four bytes of the
 * sample, little-endian, and whose nonce is the other twelve.
 *
 * @param sampleOffset Where the 16 bytes of ciphertext begin in `buffer`.
 * @param mask As many bytes as are needed, a multiple of 4.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9001#section-5.4.4 | RFC 9001, section 5.4.4}
 */
export function writeHeaderMask(
  headerKey: ChaCha20Key,
  buffer: Uint8Array,
  sampleOffset: number,
  mask: Uint8Array,
): void {
  const counter = buffer[sampleOffset]! | (buffer[sampleOffset + 1]! << 8) |
    (buffer[sampleOffset + 2]! << 16) | (buffer[sampleOffset + 3]! << 24);
  chacha20Block(headerKey, counter, buffer, sampleOffset + 4, mask);
}
