/**
 * How a datagram before the session proves that its sender holds the code, for 0.1 µs
 * (docs/protocol.md, "Handshake datagrams"):
 *
 * | offset | bytes | meaning |
 * | --- | --- | --- |
 * | 0 | 12 | N, random, fresh for every datagram |
 * | 12 | 4 | B[0..3] |
 *
 * B is the ChaCha20 block with the share's `handshake` key, counter 0 and nonce N; the rest of it
 * masks fields of handshake datagrams. Four bytes are a filter in front of real authentication, not
 * a proof: one in 2^32 of a stranger's datagrams passes, and then fails its AEAD tag.
 */
import {
  CHACHA20_BLOCK_BYTES,
  chacha20Block,
  type ChaCha20Key,
  loadChaCha20Key,
} from "./chacha20_block.ts";
import { NONCE_BYTES } from "./primitive_lengths.ts";
import type { RandomSource } from "./provider.ts";
import { wipe } from "./wipe.ts";

/** Bytes of N, at the start of the datagram. */
export const HANDSHAKE_NONCE_BYTES: number = NONCE_BYTES;

/** Bytes of N and the tag. */
export const TAGGED_PREFIX_BYTES = 16;

/** Writes and checks the first 16 bytes of handshake datagrams and probes. */
export class HandshakeTag {
  /** B of the datagram written or matched last; overwritten by the next. */
  readonly block: Uint8Array = new Uint8Array(CHACHA20_BLOCK_BYTES);
  #key: ChaCha20Key;

  /**
   * Loads the key.
   *
   * @param handshakeKey From `deriveShareKeys`; not kept.
   */
  constructor(handshakeKey: Uint8Array) {
    this.#key = loadChaCha20Key(handshakeKey);
  }

  /** Draws N, writes N and tag at the start of `datagram`, and leaves B in {@linkcode block}. */
  write(datagram: Uint8Array, random: RandomSource): void {
    random.fill(datagram.subarray(0, NONCE_BYTES));
    chacha20Block(this.#key, 0, datagram, 0, this.block);
    datagram.set(this.block.subarray(0, 4), NONCE_BYTES);
  }

  /**
   * Whether the tag of `datagram` is right, in the same time for any tag; B is then in
   * {@linkcode block}. Any bytes may be passed.
   */
  matches(datagram: Uint8Array): boolean {
    if (datagram.length < TAGGED_PREFIX_BYTES) return false;
    const block = this.block;
    chacha20Block(this.#key, 0, datagram, 0, block);
    const difference = (datagram[12]! ^ block[0]!) | (datagram[13]! ^ block[1]!) |
      (datagram[14]! ^ block[2]!) | (datagram[15]! ^ block[3]!);
    return difference === 0;
  }

  /** Overwrites the key; nothing may be written or matched afterwards. */
  wipe(): void {
    wipe(this.#key, this.block);
  }
}
