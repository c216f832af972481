/**
 * The AEAD key and initialisation vector of one direction in one key phase. A key update makes a new
 * one; the header-protection key is not here, because it outlives updates.
 */
import type { CipherSuite } from "./cipher_suite.ts";
import { derivePacketIv, derivePacketKey, writePacketNonce } from "./key_schedule.ts";
import { NONCE_BYTES } from "./primitive_lengths.ts";
import type { Aead, CryptoProvider } from "./provider.ts";
import { wipe } from "./wipe.ts";

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
  constructor(provider: CryptoProvider, secret: Uint8Array, suite: CipherSuite) {
    const key = derivePacketKey(provider, secret, suite.labels);
    this.#aead = suite.createAead(provider, key);
    this.#iv = derivePacketIv(provider, secret, suite.labels);
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
