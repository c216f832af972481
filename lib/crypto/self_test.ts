/**
 * Known answers for every primitive of a provider, run once at start: a runtime whose library is
 * missing something, or gives other bytes, must not be used. It takes about a millisecond; the
 * vectors proper are in the unit tests.
 */
import { chacha20 } from "npm:@noble/ciphers@2.4.0/chacha.js";
import { decodeHex, encodeHex } from "../bytes/hex.ts";
import { CHACHA20_BLOCK_BYTES, chacha20Block, loadChaCha20Key } from "./chacha20_block.ts";
import { type CryptoProvider, TAG_BYTES } from "./provider.ts";

const encoder = new TextEncoder();

/** RFC 8439, section 2.8.2. */
const AEAD_KEY = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";
const AEAD_NONCE = "070000004041424344454647";
const AEAD_DATA = "50515253c0c1c2c3c4c5c6c7";
const AEAD_PLAINTEXT =
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, " +
  "sunscreen would be it.";
const AEAD_SEALED =
  "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b" +
  "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc" +
  "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691";

/** RFC 7748, section 6.1. */
const X25519_SECRET = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
const X25519_PUBLIC = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
const X25519_PEER = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
const X25519_SHARED = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

/** FIPS 180-2, appendix B.1. */
const SHA256_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/** RFC 4231, test case 2. */
const HMAC_JEFE = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

/**
 * Runs the self-test.
 *
 * @returns Undefined if all is well, else which primitive failed, for people.
 */
export function selfTest(provider: CryptoProvider): string | undefined {
  for (const [what, passes] of CHECKS) {
    try {
      if (!passes(provider)) return `${what} of ${provider.name} gives other bytes`;
    } catch (error) {
      // Whatever a broken library throws, the answer is the same: do not use it.
      return `${what} of ${provider.name} fails: ${error}`;
    }
  }
  return undefined;
}

const CHECKS: readonly (readonly [string, (provider: CryptoProvider) => boolean])[] = [
  ["SHA-256", passesSha256],
  ["HMAC-SHA-256", passesHmac],
  ["X25519", passesX25519],
  ["ChaCha20-Poly1305", passesAead],
  ["ChaCha20 block", passesBlock],
];

function passesSha256(provider: CryptoProvider): boolean {
  const hasher = provider.createSha256();
  hasher.update(encoder.encode("ab"));
  hasher.update(encoder.encode("c"));
  return encodeHex(hasher.digest()) === SHA256_ABC &&
    encodeHex(provider.sha256(encoder.encode("a"), encoder.encode("bc"))) === SHA256_ABC;
}

function passesHmac(provider: CryptoProvider): boolean {
  const key = encoder.encode("Jefe");
  const parts = [encoder.encode("what do ya want "), encoder.encode("for nothing?")];
  return encodeHex(provider.hmacSha256(key, ...parts)) === HMAC_JEFE;
}

function passesX25519(provider: CryptoProvider): boolean {
  const secretKey = decodeHex(X25519_SECRET);
  const shared = provider.sharedSecret(secretKey, decodeHex(X25519_PEER));
  const pair = provider.generateKeyPair({ fill: (out) => out.set(secretKey) });
  return encodeHex(provider.publicKeyOf(secretKey)) === X25519_PUBLIC &&
    encodeHex(pair.publicKey) === X25519_PUBLIC &&
    encodeHex(pair.secretKey) === X25519_SECRET &&
    shared !== undefined && encodeHex(shared) === X25519_SHARED &&
    // The point of order one: all that comes out is zero, whatever the secret.
    provider.sharedSecret(secretKey, new Uint8Array(32)) === undefined;
}

function passesAead(provider: CryptoProvider): boolean {
  const aead = provider.createAead(decodeHex(AEAD_KEY));
  const nonce = decodeHex(AEAD_NONCE);
  const data = decodeHex(AEAD_DATA);
  const plaintext = encoder.encode(AEAD_PLAINTEXT);
  const end = plaintext.length;
  const buffer = new Uint8Array(end + TAG_BYTES);
  buffer.set(plaintext);
  if (aead.seal(nonce, data, buffer, 0, end) !== buffer.length) return false;
  if (encodeHex(buffer) !== AEAD_SEALED) return false;
  const forged = new Uint8Array(buffer);
  forged[end]! ^= 1;
  if (aead.open(nonce, data, forged, 0, forged.length) !== -1) return false;
  return aead.open(nonce, data, buffer, 0, buffer.length) === end &&
    encodeHex(buffer.subarray(0, end)) === encodeHex(plaintext);
}

/** Ours, against noble: the same for every provider, and as necessary. */
function passesBlock(provider: CryptoProvider): boolean {
  const key = provider.sha256(encoder.encode("key"));
  const nonce = provider.sha256(encoder.encode("nonce")).subarray(0, 12);
  const zeros = new Uint8Array(CHACHA20_BLOCK_BYTES);
  const block = new Uint8Array(CHACHA20_BLOCK_BYTES);
  chacha20Block(loadChaCha20Key(key), 7, nonce, 0, block);
  return encodeHex(block) === encodeHex(chacha20(key, nonce, zeros, undefined, 7));
}
