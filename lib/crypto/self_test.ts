/**
 * Known answers for every primitive of a provider, run once at start: a runtime whose library is
 * missing something, or gives other bytes, must not be used. It takes about a millisecond; the
 * vectors proper are in the unit tests.
 */
import { chacha20 } from "npm:@noble/ciphers@2.4.0/chacha.js";
import { concatBytes } from "../bytes/concat.ts";
import { constantTimeEqual } from "../bytes/equal.ts";
import { decodeHex, encodeHex } from "../bytes/hex.ts";
import { CHACHA20_BLOCK_BYTES, chacha20Block, loadChaCha20Key } from "./chacha20_block.ts";
import { type Aead, type CryptoProvider, TAG_BYTES } from "./provider.ts";

const encoder = new TextEncoder();

/** A known answer of an AEAD, in hexadecimal. */
interface AeadAnswer {
  readonly key: string;
  readonly nonce: string;
  readonly data: string;
  readonly plaintext: string;
  /** Ciphertext and tag. */
  readonly sealed: string;
  /** Tag of {@linkcode DATAGRAM_TEXT_BYTES} bytes 0, 1, 2 … 255, 0, 1 … */
  readonly datagramTag: string;
}

/** Libraries have code of their own for long texts, which must be right too. */
const DATAGRAM_TEXT_BYTES = 1443;

/** RFC 8439, section 2.8.2. */
const CHACHA20_POLY1305: AeadAnswer = {
  key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
  nonce: "070000004041424344454647",
  data: "50515253c0c1c2c3c4c5c6c7",
  plaintext:
    "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a20496620" +
    "4920636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c20" +
    "73756e73637265656e20776f756c642062652069742e",
  sealed:
    "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b" +
    "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc" +
    "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691",
  datagramTag: "345c3967224a9f7c22c0c73fcda32d15",
};

/** McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16. */
const AES_256_GCM: AeadAnswer = {
  key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
  nonce: "cafebabefacedbaddecaf888",
  data: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
  plaintext:
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525" +
    "b16aedf5aa0de657ba637b39",
  sealed:
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838" +
    "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
  datagramTag: "f87de73968e4c6829b9ec264ad94fef7",
};

/** RFC 8439, section 2.3.2. */
const CHACHA20_BLOCK = {
  key: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
  counter: 1,
  nonce: "000000090000004a00000000",
  keystream: "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e" +
    "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e",
};

/** RFC 7748, section 6.1. */
const X25519_SECRET = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
const X25519_PUBLIC = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
const X25519_PEER = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
const X25519_SHARED = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

/** RFC 8032, section 7.1, test 2. */
const ED25519_SECRET = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
const ED25519_PUBLIC = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
const ED25519_MESSAGE = "72";
const ED25519_SIGNATURE = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

/** The point that changes nothing (x 0, y 1), as Ed25519 writes it. */
const NEUTRAL_POINT = Uint8Array.of(1, ...new Uint8Array(31));

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
  ["Ed25519", passesEd25519],
  [
    "ChaCha20-Poly1305",
    (provider) =>
      passesAead(provider.createAead(decodeHex(CHACHA20_POLY1305.key)), CHACHA20_POLY1305),
  ],
  ["AES-256-GCM", passesAesGcm],
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

function passesEd25519(provider: CryptoProvider): boolean {
  const secretKey = decodeHex(ED25519_SECRET);
  const publicKey = decodeHex(ED25519_PUBLIC);
  const message = decodeHex(ED25519_MESSAGE);
  const signature = decodeHex(ED25519_SIGNATURE);
  const forged = new Uint8Array(signature);
  forged[0]! ^= 1;
  return encodeHex(provider.signingKeyOf(secretKey)) === ED25519_PUBLIC &&
    encodeHex(provider.sign(secretKey, message)) === ED25519_SIGNATURE &&
    provider.isSignature(publicKey, message, signature) &&
    !provider.isSignature(publicKey, message, forged) &&
    // The neutral point, as key and in the signature: right for every message, if it is let in.
    !provider.isSignature(NEUTRAL_POINT, message, concatBytes(NEUTRAL_POINT, new Uint8Array(32)));
}

/** Only of those that offer it. */
function passesAesGcm({ createAesGcm }: CryptoProvider): boolean {
  return createAesGcm === undefined ||
    passesAead(createAesGcm(decodeHex(AES_256_GCM.key)), AES_256_GCM);
}

function passesAead(aead: Aead, answer: AeadAnswer): boolean {
  const nonce = decodeHex(answer.nonce);
  const data = decodeHex(answer.data);
  const plaintext = decodeHex(answer.plaintext);
  const short = sealedCopy(aead, nonce, data, plaintext);
  if (encodeHex(short) !== answer.sealed) return false;
  const text = Uint8Array.from({ length: DATAGRAM_TEXT_BYTES }, (_, index) => index);
  const long = sealedCopy(aead, nonce, data, text);
  if (encodeHex(long.subarray(text.length)) !== answer.datagramTag) return false;
  return opensAndRefuses(aead, nonce, data, short, plaintext) &&
    opensAndRefuses(aead, nonce, data, long, text);
}

function sealedCopy(
  aead: Aead,
  nonce: Uint8Array,
  data: Uint8Array,
  text: Uint8Array,
): Uint8Array {
  const sealed = new Uint8Array(text.length + TAG_BYTES);
  sealed.set(text);
  return sealed.subarray(0, aead.seal(nonce, data, sealed, 0, text.length));
}

function opensAndRefuses(
  aead: Aead,
  nonce: Uint8Array,
  data: Uint8Array,
  sealed: Uint8Array,
  text: Uint8Array,
): boolean {
  const forged = new Uint8Array(sealed);
  forged[text.length]! ^= 1;
  return aead.open(nonce, data, forged, 0, forged.length) === -1 &&
    aead.open(nonce, data, sealed, 0, sealed.length) === text.length &&
    constantTimeEqual(sealed.subarray(0, text.length), text);
}

/** Ours, against RFC 8439 and noble: the same for every provider, and as necessary. */
function passesBlock(): boolean {
  const key = decodeHex(CHACHA20_BLOCK.key);
  const nonce = decodeHex(CHACHA20_BLOCK.nonce);
  const { counter, keystream } = CHACHA20_BLOCK;
  const block = new Uint8Array(CHACHA20_BLOCK_BYTES);
  chacha20Block(loadChaCha20Key(key), counter, nonce, 0, block);
  const noble = chacha20(key, nonce, new Uint8Array(CHACHA20_BLOCK_BYTES), undefined, counter);
  return encodeHex(block) === keystream && encodeHex(noble) === keystream;
}
