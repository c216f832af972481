/**
 * The primitives from the audited noble packages, in plain JavaScript: for runtimes whose
 * `node:crypto` is missing something or fails the self-test, and the second opinion our tests hold
 * it against. Three times slower per datagram, five to eight times for key exchange and hashing
 * (`bench/micro/crypto_bench.ts`).
 */
import { chacha20poly1305 } from "npm:@noble/ciphers@2.4.0/chacha.js";
import { ed25519, x25519 } from "npm:@noble/curves@2.4.0/ed25519.js";
import { hmac } from "npm:@noble/hashes@2.4.0/hmac.js";
import { sha256 } from "npm:@noble/hashes@2.4.0/sha2.js";
import {
  type Aead,
  type CryptoProvider,
  type Hasher,
  type KeyPair,
  type RandomSource,
  SIGNATURE_BYTES,
  TAG_BYTES,
} from "./provider.ts";
import { KeyedAead } from "./keyed_aead.ts";
import { assertKeyLength, isAllZero, KEY_BYTES } from "./primitive_lengths.ts";

/** The primitives of `@noble/ciphers`, `@noble/curves` and `@noble/hashes`. */
export const portableProvider: CryptoProvider = {
  name: "noble",

  sha256(...parts: readonly Uint8Array[]): Uint8Array {
    const hash = sha256.create();
    for (const part of parts) hash.update(part);
    return hash.digest();
  },

  createSha256(): Hasher {
    return sha256.create();
  },

  hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
    const mac = hmac.create(sha256, key);
    for (const part of parts) mac.update(part);
    return mac.digest();
  },

  createAead(key: Uint8Array): Aead {
    return new NobleChaCha20Poly1305(key);
  },

  generateKeyPair(random: RandomSource): KeyPair {
    const secretKey = new Uint8Array(KEY_BYTES);
    random.fill(secretKey);
    return { secretKey, publicKey: x25519.getPublicKey(secretKey) };
  },

  publicKeyOf(secretKey: Uint8Array): Uint8Array {
    assertKeyLength("secret key", secretKey);
    return x25519.getPublicKey(secretKey);
  },

  sharedSecret(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    assertKeyLength("secret key", secretKey);
    assertKeyLength("public key", publicKey);
    let shared: Uint8Array;
    try {
      shared = x25519.getSharedSecret(secretKey, publicKey);
    } catch {
      // Lengths are right, so only a result of zero is left to be refused.
      return undefined;
    }
    return isAllZero(shared) ? undefined : shared;
  },

  signingKeyOf(secretKey: Uint8Array): Uint8Array {
    assertKeyLength("secret key", secretKey);
    return ed25519.getPublicKey(secretKey);
  },

  sign(secretKey: Uint8Array, message: Uint8Array): Uint8Array {
    assertKeyLength("secret key", secretKey);
    return ed25519.sign(message, secretKey);
  },

  isSignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    assertKeyLength("public key", publicKey);
    if (signature.length !== SIGNATURE_BYTES) return false;
    // As RFC 8032 has it, not as ZIP 215, which takes keys of small order too.
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  },
};

class NobleChaCha20Poly1305 extends KeyedAead {
  protected override encrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    const sealed = buffer.subarray(start, end + TAG_BYTES);
    chacha20poly1305(key, nonce, additionalData).encrypt(buffer.subarray(start, end), sealed);
  }

  protected override decrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const cipher = chacha20poly1305(key, nonce, additionalData);
    try {
      cipher.decrypt(buffer.subarray(start, end + TAG_BYTES), buffer.subarray(start, end));
    } catch {
      // Key, nonce and lengths were accepted before: what is left is a wrong tag.
      return false;
    }
    return true;
  }
}
