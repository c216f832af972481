/**
 * CipherState of the Noise framework: a key and a counter that becomes the nonce. Used inside the
 * handshake and by the vectors' transport messages; packets have their own protection
 * (`packet_sealer.ts`), because they arrive in any order.
 *
 * @see {@link https://noiseprotocol.org/noise.html#the-cipherstate-object | Noise rev 34, section 5.1}
 */
import { NONCE_BYTES } from "./primitive_lengths.ts";
import { type Aead, type CryptoProvider, TAG_BYTES } from "./provider.ts";
import { wipe } from "./wipe.ts";

/** A cipher that may not have a key yet; without one it passes bytes through, as Noise has it. */
export class CipherState {
  #provider: CryptoProvider;
  #key: Uint8Array | undefined;
  #aead: Aead | undefined;
  #counter = 0;
  #nonce = new Uint8Array(NONCE_BYTES);

  /**
   * Makes a state that is at nonce 0.
   *
   * @param key 32 bytes, copied; undefined for a state without a key.
   */
  constructor(provider: CryptoProvider, key?: Uint8Array) {
    this.#provider = provider;
    if (key !== undefined) this.initializeKey(key);
  }

  /** Whether there is a key. */
  get hasKey(): boolean {
    return this.#key !== undefined;
  }

  /** Takes a new key (copied) and begins again at nonce 0. */
  initializeKey(key: Uint8Array): void {
    this.wipe();
    this.#key = new Uint8Array(key);
    this.#counter = 0;
  }

  /** An independent state with the same key and counter. */
  clone(): CipherState {
    const copy = new CipherState(this.#provider, this.#key);
    copy.#counter = this.#counter;
    return copy;
  }

  /** Encrypts and appends a tag; a copy of `plaintext` while there is no key. */
  encryptWithAd(additionalData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const aead = this.#cipher();
    if (aead === undefined) return new Uint8Array(plaintext);
    const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
    sealed.set(plaintext);
    aead.seal(this.#nextNonce(), additionalData, sealed, 0, plaintext.length);
    this.#counter++;
    return sealed;
  }

  /**
   * Checks the tag and decrypts; a copy of `ciphertext` while there is no key.
   *
   * @returns Undefined when the tag is wrong or missing; the counter then stays where it was.
   */
  decryptWithAd(additionalData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    const aead = this.#cipher();
    const opened = new Uint8Array(ciphertext);
    if (aead === undefined) return opened;
    const end = aead.open(this.#nextNonce(), additionalData, opened, 0, opened.length);
    if (end < 0) return undefined;
    this.#counter++;
    return opened.subarray(0, end);
  }

  /** Forgets the key. */
  wipe(): void {
    wipe(this.#key);
    this.#aead?.wipe();
    this.#key = undefined;
    this.#aead = undefined;
  }

  /** Made on first use: a snapshot that is only cloned never needs one. */
  #cipher(): Aead | undefined {
    if (this.#aead === undefined && this.#key !== undefined) {
      this.#aead = this.#provider.createAead(this.#key);
    }
    return this.#aead;
  }

  /** Four zero bytes, then the counter, little-endian (Noise rev 34, section 12.3). */
  #nextNonce(): Uint8Array {
    if (this.#counter >= Number.MAX_SAFE_INTEGER) {
      throw new RangeError("Cannot use cipher: its nonces are used up");
    }
    let rest = this.#counter;
    for (let index = 4; index < NONCE_BYTES; index++) {
      this.#nonce[index] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    return this.#nonce;
  }
}
