/**
 * The AEAD key and initialisation vector of one direction in one key phase. A key update makes a new
 * one; the header-protection key is not here, because it outlives updates.
 *
 * Limits of ChaCha20-Poly1305 (RFC 9001, section 6.6): how many packets one key may seal is bounded
 * only by the packet numbers; forgeries are bounded by {@linkcode INTEGRITY_LIMIT_PACKETS}.
 */
import { derivePacketIv, derivePacketKey, writePacketNonce } from "./key_schedule.ts";
import { NONCE_BYTES } from "./primitive_lengths.ts";
import type { Aead, CryptoProvider } from "./provider.ts";
import { wipe } from "./wipe.ts";

/**
 * How many packets with a wrong tag a session may see before it must end, over all its keys.
 * RFC 9001, section 6.6.
 */
export const INTEGRITY_LIMIT_PACKETS: number = 2 ** 36;

/** Key, initialisation vector and a nonce to scratch on. */
export class PhaseKeys {
  #aead: Aead;
  #iv: Uint8Array;
  #nonce = new Uint8Array(NONCE_BYTES);

  /**
   * Derives both.
   *
   * @param secret The secret of this phase (32 bytes); not kept.
   */
  constructor(provider: CryptoProvider, secret: Uint8Array) {
    const key = derivePacketKey(provider, secret);
    this.#aead = provider.createAead(key);
    this.#iv = derivePacketIv(provider, secret);
    wipe(key);
  }

  /** Encrypts `buffer[start..end)` in place and appends the tag; returns the index past it. */
  seal(
    header: Uint8Array,
    packetNumber: number,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): number {
    writePacketNonce(this.#iv, packetNumber, this.#nonce);
    return this.#aead.seal(this.#nonce, header, buffer, start, end);
  }

  /** Checks the tag and decrypts in place; the end of the plaintext, or −1. */
  open(
    header: Uint8Array,
    packetNumber: number,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): number {
    writePacketNonce(this.#iv, packetNumber, this.#nonce);
    return this.#aead.open(this.#nonce, header, buffer, start, end);
  }

  /** Overwrites the key; the object is of no use afterwards. */
  wipe(): void {
    this.#aead.wipe();
    wipe(this.#iv);
  }
}
