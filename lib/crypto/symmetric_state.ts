/**
 * SymmetricState of the Noise framework over SHA-256: the chaining key, the running hash of all that
 * was said, and the cipher of the moment.
 *
 * @see {@link https://noiseprotocol.org/noise.html#the-symmetricstate-object | Noise rev 34, section 5.2}
 */
import { CipherState } from "./cipher_state.ts";
import { HASH_BYTES, hkdfExpand, hkdfExtract } from "./hkdf.ts";
import type { CryptoProvider } from "./provider.ts";
import { wipe } from "./wipe.ts";

const NOTHING = new Uint8Array(0);

/** What both sides of a handshake compute in step with each other. */
export class SymmetricState {
  #provider: CryptoProvider;
  #cipher: CipherState;
  #chainingKey: Uint8Array;
  #hash: Uint8Array;

  /**
   * Begins with the hash of the protocol's name.
   *
   * @param protocolName E.g. `Noise_XX_25519_ChaChaPoly_SHA256`.
   */
  constructor(provider: CryptoProvider, protocolName: string) {
    const name = new TextEncoder().encode(protocolName);
    let hash: Uint8Array = new Uint8Array(HASH_BYTES);
    if (name.length <= HASH_BYTES) hash.set(name);
    else hash = provider.sha256(name);
    this.#provider = provider;
    this.#cipher = new CipherState(provider);
    this.#hash = hash;
    this.#chainingKey = new Uint8Array(hash);
  }

  /** The hash of everything said so far; a copy. */
  get handshakeHash(): Uint8Array {
    return new Uint8Array(this.#hash);
  }

  /** Whether {@linkcode encryptAndHash} adds a tag by now. */
  get hasKey(): boolean {
    return this.#cipher.hasKey;
  }

  /** An independent copy. */
  clone(): SymmetricState {
    const copy = new SymmetricState(this.#provider, "");
    copy.#cipher = this.#cipher.clone();
    copy.#chainingKey = new Uint8Array(this.#chainingKey);
    copy.#hash = new Uint8Array(this.#hash);
    return copy;
  }

  /** Mixes a secret into the chaining key and takes a new cipher key from it. */
  mixKey(inputKeyMaterial: Uint8Array): void {
    const output = this.#derive(inputKeyMaterial, 2);
    this.#chain(output);
    this.#cipher.initializeKey(output.subarray(HASH_BYTES, 2 * HASH_BYTES));
    wipe(output);
  }

  /** Mixes public bytes into the hash. */
  mixHash(bytes: Uint8Array): void {
    this.#hash = this.#provider.sha256(this.#hash, bytes);
  }

  /** Mixes a pre-shared key into chaining key, hash and cipher. */
  mixKeyAndHash(inputKeyMaterial: Uint8Array): void {
    const output = this.#derive(inputKeyMaterial, 3);
    this.#chain(output);
    this.mixHash(output.subarray(HASH_BYTES, 2 * HASH_BYTES));
    this.#cipher.initializeKey(output.subarray(2 * HASH_BYTES));
    wipe(output);
  }

  /** Encrypts with the hash as additional data, then mixes the ciphertext into the hash. */
  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const ciphertext = this.#cipher.encryptWithAd(this.#hash, plaintext);
    this.mixHash(ciphertext);
    return ciphertext;
  }

  /** The other way round; undefined when the tag is wrong, and nothing is mixed then. */
  decryptAndHash(ciphertext: Uint8Array): Uint8Array | undefined {
    const plaintext = this.#cipher.decryptWithAd(this.#hash, ciphertext);
    if (plaintext !== undefined) this.mixHash(ciphertext);
    return plaintext;
  }

  /** Split(): two secrets of 32 bytes, the initiator's sending one first. */
  split(): [Uint8Array, Uint8Array] {
    const output = this.#derive(NOTHING, 2);
    const secrets: [Uint8Array, Uint8Array] = [
      output.slice(0, HASH_BYTES),
      output.slice(HASH_BYTES),
    ];
    wipe(output);
    return secrets;
  }

  /** Overwrites chaining key and cipher key; the hash is no secret. */
  wipe(): void {
    wipe(this.#chainingKey);
    this.#cipher.wipe();
  }

  /**
   * Noise's HKDF is RFC 5869 with the chaining key as salt and no info (Noise rev 34, section 4.3).
   */
  #derive(inputKeyMaterial: Uint8Array, count: 2 | 3): Uint8Array {
    const secret = hkdfExtract(this.#provider, this.#chainingKey, inputKeyMaterial);
    const output = hkdfExpand(this.#provider, secret, NOTHING, count * HASH_BYTES);
    wipe(secret);
    return output;
  }

  #chain(output: Uint8Array): void {
    wipe(this.#chainingKey);
    this.#chainingKey = output.slice(0, HASH_BYTES);
  }
}
