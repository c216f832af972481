/**
 * What this project needs of a cryptographic library, as one small interface. Two providers fill
 * it, with identical bytes out: the runtime's `node:crypto` and the portable noble packages; where
 * FFI is granted the system's libcrypto does the work of each datagram
 * (`lib/transport/libcrypto_provider.ts`). No primitive is written here.
 */

/**
 * An authenticated cipher with one key of 32 bytes, a 12-byte nonce and a 16-byte tag:
 * ChaCha20-Poly1305 (RFC 8439) or AES-256-GCM (NIST SP 800-38D).
 */
export interface Aead {
  /**
   * Encrypts `buffer[start..end)` in place and writes the 16-byte tag at `end`.
   *
   * @param nonce 12 bytes; never used twice with one key.
   * @param additionalData Authenticated, not encrypted.
   * @param buffer Must have room for the tag behind `end`.
   * @returns The index just past the tag.
   */
  seal(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): number;
  /**
   * Checks the tag in the last 16 bytes of `buffer[start..end)` and decrypts what is before it in
   * place. On failure the buffer holds nothing of use and must be dropped.
   *
   * @returns The index just past the plaintext, or −1 when the tag is wrong or the input too short.
   */
  open(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): number;
  /** Overwrites what the provider kept of the key, as far as the runtime lets it. */
  wipe(): void;
}

/** Bytes of an AEAD tag. */
export const TAG_BYTES = 16;

/** An incremental SHA-256. */
export interface Hasher {
  /** Adds bytes. */
  update(bytes: Uint8Array): void;
  /** The 32-byte digest; the hasher must not be used afterwards. */
  digest(): Uint8Array;
}

/** An X25519 key pair (RFC 7748), 32 bytes each. */
export interface KeyPair {
  /** Kept by its owner, wiped when no longer needed. */
  readonly secretKey: Uint8Array;
  /** May be shown to anyone. */
  readonly publicKey: Uint8Array;
}

/** Where unpredictable bytes come from; handed in, so that tests can replay a run. */
export interface RandomSource {
  /** Overwrites all of `out` with unpredictable bytes. */
  fill(out: Uint8Array): void;
}

/** Bytes of an Ed25519 signature. */
export const SIGNATURE_BYTES = 64;

/** The primitives, from one library. */
export interface CryptoProvider {
  /** For people and bug reports, e.g. `"node:crypto"`. */
  readonly name: string;
  /** SHA-256 of the parts joined. */
  sha256(...parts: readonly Uint8Array[]): Uint8Array;
  /** An incremental SHA-256. */
  createSha256(): Hasher;
  /** HMAC-SHA-256 (RFC 2104) of the parts joined. */
  hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  /** ChaCha20-Poly1305 with a 32-byte key. */
  createAead(key: Uint8Array): Aead;
  /**
   * AES-256-GCM with a 32-byte key. Only where the machine has instructions for it and the library
   * makes it clearly faster than ChaCha20-Poly1305; elsewhere a session does without.
   */
  readonly createAesGcm?: (key: Uint8Array) => Aead;
  /** The key pair whose secret half is 32 bytes of `random`. */
  generateKeyPair(random: RandomSource): KeyPair;
  /** The public key of a secret key. */
  publicKeyOf(secretKey: Uint8Array): Uint8Array;
  /**
   * The shared secret of X25519.
   *
   * @returns 32 bytes, or undefined when the result is all zero (a public key of small order).
   */
  sharedSecret(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined;
  /** The Ed25519 public key of a secret key, 32 bytes each (RFC 8032, section 5.1.5). */
  signingKeyOf(secretKey: Uint8Array): Uint8Array;
  /** The Ed25519 signature of a message, 64 bytes; the same each time (RFC 8032, section 5.1.6). */
  sign(secretKey: Uint8Array, message: Uint8Array): Uint8Array;
  /**
   * Whether an Ed25519 signature is right (RFC 8032, section 5.1.7). Never throws on what a peer can
   * send: one of another length is wrong, and so is every one of a public key of small order, under
   * which anybody can sign. Whether the equation is taken times the cofactor is the library's choice,
   * as RFC 8032 allows; only the signer can make a signature on which two libraries differ.
   *
   * @param publicKey 32 bytes.
   */
  isSignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}
