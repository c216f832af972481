/**
 * The primitives from `node:crypto`: what runs by default. The only file of the pure folders that
 * imports anything of the runtime; it uses no randomness and does no I/O.
 *
 * Not here: the portable twin (`portable_provider.ts`) and the choice between them
 * (`select_provider.ts`). The unit tests run the same contract and vectors through both.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type Hash,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
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
import { isSmallOrderSigningKey } from "./small_order.ts";
import { wipe } from "./wipe.ts";

const CIPHER = "chacha20-poly1305";
const CIPHER_OPTIONS = { authTagLength: TAG_BYTES } as const;

/** The last byte of the object identifiers of both curves (RFC 8410, section 3). */
const X25519 = 0x6e;
const ED25519 = 0x70;

/** Which of them a key is for. */
type Curve = typeof X25519 | typeof ED25519;

/**
 * DER in front of a raw key: PKCS #8 for the secret, SubjectPublicKeyInfo for the public half (RFC
 * 8410, sections 4 and 7). `node:crypto` takes raw keys in no other way.
 */
const pkcs8Prefix = (
  curve: Curve,
) => [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, curve, 4, 0x22, 4, 0x20];
const spkiPrefix = (curve: Curve) => [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, curve, 3, 0x21, 0];

const SPKI_FORMAT = { format: "der", type: "spki" } as const;

/** The primitives of `node:crypto`. */
export const nodeProvider: CryptoProvider = {
  name: "node:crypto",

  sha256(...parts: readonly Uint8Array[]): Uint8Array {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    return takeBytes(hash.digest());
  },

  createSha256(): Hasher {
    return new NodeSha256();
  },

  hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
    const hmac = createHmac("sha256", key);
    for (const part of parts) hmac.update(part);
    return takeBytes(hmac.digest());
  },

  createAead(key: Uint8Array): Aead {
    return new NodeChaCha20Poly1305(key);
  },

  generateKeyPair(random: RandomSource): KeyPair {
    const secretKey = new Uint8Array(KEY_BYTES);
    random.fill(secretKey);
    return { secretKey, publicKey: nodeProvider.publicKeyOf(secretKey) };
  },

  publicKeyOf(secretKey: Uint8Array): Uint8Array {
    assertKeyLength("secret key", secretKey);
    return rawPublicKey(secretKeyObject(X25519, secretKey));
  },

  sharedSecret(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    assertKeyLength("secret key", secretKey);
    assertKeyLength("public key", publicKey);
    // Key objects are made anew each time: 8 of 60 µs, and a cache would outlive a wiped secret.
    const privateKey = secretKeyObject(X25519, secretKey);
    const peerKey = publicKeyObject(X25519, publicKey);
    let shared: Uint8Array;
    try {
      shared = takeBytes(diffieHellman({ privateKey, publicKey: peerKey }));
    } catch {
      // Both keys are well-formed here, so all that can fail is the derivation itself, which
      // OpenSSL and its kin refuse when the result is zero (RFC 7748, section 6.1).
      return undefined;
    }
    // For runtimes whose derivation does not refuse.
    return isAllZero(shared) ? undefined : shared;
  },

  signingKeyOf(secretKey: Uint8Array): Uint8Array {
    assertKeyLength("secret key", secretKey);
    return rawPublicKey(secretKeyObject(ED25519, secretKey));
  },

  sign(secretKey: Uint8Array, message: Uint8Array): Uint8Array {
    assertKeyLength("secret key", secretKey);
    return takeBytes(sign(null, message, secretKeyObject(ED25519, secretKey)));
  },

  isSignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    assertKeyLength("public key", publicKey);
    if (signature.length !== SIGNATURE_BYTES || isSmallOrderSigningKey(publicKey)) return false;
    try {
      return verify(null, message, publicKeyObject(ED25519, publicKey), signature);
    } catch {
      // Lengths are right: what is left to be refused is a key that is no point of the curve.
      return false;
    }
  },
};

class NodeSha256 implements Hasher {
  #hash: Hash = createHash("sha256");

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  digest(): Uint8Array {
    return takeBytes(this.#hash.digest());
  }
}

/** Raw key bytes rather than a KeyObject: as fast, and they can be overwritten. */
class NodeChaCha20Poly1305 extends KeyedAead {
  protected override encrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    const text = buffer.subarray(start, end);
    const cipher = createCipheriv(CIPHER, key, nonce, CIPHER_OPTIONS);
    cipher.setAAD(additionalData, { plaintextLength: text.length });
    buffer.set(cipher.update(text), start);
    cipher.final();
    buffer.set(cipher.getAuthTag(), end);
  }

  protected override decrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    additionalData: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const text = buffer.subarray(start, end);
    const decipher = createDecipheriv(CIPHER, key, nonce, CIPHER_OPTIONS);
    decipher.setAAD(additionalData, { plaintextLength: text.length });
    decipher.setAuthTag(buffer.subarray(end, end + TAG_BYTES));
    const plaintext = decipher.update(text);
    try {
      decipher.final();
    } catch {
      // final() only compares the tag, and reports a wrong one in no other way.
      return false;
    }
    buffer.set(plaintext, start);
    return true;
  }
}

function secretKeyObject(curve: Curve, secretKey: Uint8Array): KeyObject {
  const encoded = der(pkcs8Prefix(curve), secretKey);
  const keyObject = createPrivateKey({ key: encoded, format: "der", type: "pkcs8" });
  wipe(encoded);
  return keyObject;
}

function publicKeyObject(curve: Curve, publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: der(spkiPrefix(curve), publicKey), ...SPKI_FORMAT });
}

/** The public half of a secret key, as it stands at the end of its DER. */
function rawPublicKey(secretKey: KeyObject): Uint8Array {
  return takeBytes(createPublicKey(secretKey).export(SPKI_FORMAT).subarray(-KEY_BYTES));
}

/** What `createPrivateKey` is declared to take; any Uint8Array does. */
type DerBytes = Exclude<Parameters<typeof createPrivateKey>[0], string | KeyObject> extends
  { key?: infer Key } ? Extract<Key, Uint8Array> : never;

function der(prefix: readonly number[], key: Uint8Array): DerBytes {
  const bytes = new Uint8Array(prefix.length + key.length);
  bytes.set(prefix);
  bytes.set(key, prefix.length);
  return bytes as DerBytes;
}

/**
 * The bytes of a Buffer as a Uint8Array of their own: a Buffer's methods differ, and its memory may
 * belong to a pool. The Buffer is overwritten, because it may have held a secret.
 */
function takeBytes(buffer: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(buffer);
  wipe(buffer);
  return bytes;
}
