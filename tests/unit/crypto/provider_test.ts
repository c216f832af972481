/**
 * Goal: both providers are correct, and the same.
 * Method: public vectors through each of them, then random input through both at once.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { portableProvider } from "../../../lib/crypto/portable_provider.ts";
import { type Aead, TAG_BYTES } from "../../../lib/crypto/provider.ts";
import rfc8439 from "../../vectors/rfc8439.json" with { type: "json" };
import wycheproofAead from "../../vectors/wycheproof_chacha20_poly1305.json" with { type: "json" };
import wycheproofX25519 from "../../vectors/wycheproof_x25519.json" with { type: "json" };
import { countingRandom, plain, PROVIDERS, someBytes, text } from "./_support.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

/** Seals at an odd offset in a larger buffer; gives ciphertext and tag. */
function sealed(
  aead: Aead,
  nonce: Uint8Array,
  data: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const start = 3;
  const end = start + plaintext.length;
  const buffer = new Uint8Array(end + TAG_BYTES + 5).fill(0xee);
  buffer.set(plaintext, start);
  assert.equal(aead.seal(nonce, data, buffer, start, end), end + TAG_BYTES);
  assert.deepEqual(
    [...buffer.subarray(0, start), ...buffer.subarray(end + TAG_BYTES)],
    Array(8).fill(0xee),
  );
  return buffer.slice(start, end + TAG_BYTES);
}

/** Opens at an odd offset in a larger buffer; undefined if refused. */
function opened(
  aead: Aead,
  nonce: Uint8Array,
  data: Uint8Array,
  input: Uint8Array,
): Uint8Array | undefined {
  const start = 5;
  const buffer = new Uint8Array(start + input.length + 2);
  buffer.set(input, start);
  const end = aead.open(nonce, data, buffer, start, start + input.length);
  return end < 0 ? undefined : buffer.slice(start, end);
}

for (const provider of PROVIDERS) {
  Deno.test(`${provider.name} seals and opens as RFC 8439, section 2.8.2`, () => {
    const { key, nonce, ad, plaintext, ciphertext, tag } = rfc8439.aead;
    const aead = provider.createAead(decodeHex(key));
    const result = sealed(aead, decodeHex(nonce), decodeHex(ad), decodeHex(plaintext));
    assert.equal(encodeHex(result), ciphertext + tag);
  });

  Deno.test(`${provider.name} agrees with Wycheproof on ChaCha20-Poly1305`, () => {
    for (const { id, key, iv, aad, msg, ct, tag, result } of wycheproofAead) {
      const aead = provider.createAead(decodeHex(key));
      const nonce = decodeHex(iv);
      const data = decodeHex(aad);
      const got = opened(aead, nonce, data, decodeHex(ct + tag));
      if (result === "valid") {
        assert.equal(encodeHex(sealed(aead, nonce, data, decodeHex(msg))), ct + tag, `test ${id}`);
        assert.equal(encodeHex(got!), msg, `test ${id}`);
      } else {
        assert.equal(got, undefined, `test ${id}`);
      }
    }
  });

  Deno.test(`${provider.name} agrees with Wycheproof on X25519`, () => {
    for (const { id, public: publicKey, private: secretKey, shared } of wycheproofX25519) {
      const got = provider.sharedSecret(decodeHex(secretKey), decodeHex(publicKey));
      const wanted = /^0+$/.test(shared) ? undefined : shared;
      assert.equal(got && encodeHex(got), wanted, `test ${id}`);
    }
  });

  Deno.test(`${provider.name} refuses any flipped bit of ciphertext, tag, nonce and additional data`, () => {
    const aead = provider.createAead(someBytes(32));
    const fields = {
      nonce: someBytes(12, 2),
      data: someBytes(13, 3),
      input: sealed(aead, someBytes(12, 2), someBytes(13, 3), text("twenty-one bytes, all")),
    };
    for (const name of ["nonce", "data", "input"] as const) {
      for (let bit = 0; bit < fields[name].length * 8; bit++) {
        const damaged = { ...fields, [name]: new Uint8Array(fields[name]) };
        damaged[name][bit >>> 3]! ^= 1 << (bit & 7);
        assert.equal(opened(aead, damaged.nonce, damaged.data, damaged.input), undefined);
      }
    }
    assert.deepEqual(
      plain(opened(aead, fields.nonce, fields.data, fields.input)),
      plain(text("twenty-one bytes, all")),
    );
  });

  Deno.test(`${provider.name} returns −1 for input shorter than a tag`, () => {
    const aead = provider.createAead(someBytes(32));
    for (let length = 0; length < TAG_BYTES; length++) {
      assert.equal(aead.open(someBytes(12), text(""), new Uint8Array(32), 0, length), -1);
    }
    assert.equal(aead.open(someBytes(12), text(""), new Uint8Array(32), 10, 40), -1);
  });

  Deno.test(`${provider.name} throws on wrong lengths and on a wiped cipher`, () => {
    assert.throws(() => provider.createAead(new Uint8Array(16)), RangeError);
    assert.throws(() => provider.publicKeyOf(new Uint8Array(31)), RangeError);
    assert.throws(() => provider.sharedSecret(new Uint8Array(31), new Uint8Array(32)), RangeError);
    assert.throws(() => provider.sharedSecret(new Uint8Array(32), new Uint8Array(33)), RangeError);
    const aead = provider.createAead(someBytes(32));
    const buffer = new Uint8Array(64);
    assert.throws(() => aead.seal(new Uint8Array(8), text(""), buffer, 0, 10), RangeError);
    assert.throws(() => aead.open(new Uint8Array(8), text(""), buffer, 0, 40), RangeError);
    assert.throws(() => aead.seal(new Uint8Array(12), text(""), buffer, 0, 60), RangeError);
    assert.throws(() => aead.seal(new Uint8Array(12), text(""), buffer, 0, NaN), RangeError);
    assert.throws(() => aead.seal(new Uint8Array(12), text(""), buffer, NaN, 10), RangeError);
    assert.equal(aead.open(new Uint8Array(12), text(""), buffer, 0, NaN), -1);
    assert.equal(aead.open(new Uint8Array(12), text(""), buffer, NaN, 40), -1);
    aead.wipe();
    assert.throws(() => aead.seal(new Uint8Array(12), text(""), buffer, 0, 10));
    assert.throws(() => aead.open(new Uint8Array(12), text(""), buffer, 0, 40));
  });

  Deno.test(`${provider.name} takes the secret key from the given randomness`, () => {
    const pair = provider.generateKeyPair(countingRandom(5));
    assert.deepEqual(pair.secretKey, someBytes(32, 5));
    assert.deepEqual(pair.publicKey, provider.publicKeyOf(pair.secretKey));
  });

  Deno.test(`${provider.name} returns plain arrays of their own`, () => {
    const results = [
      provider.sha256(text("a")),
      provider.hmacSha256(text("k"), text("a")),
      provider.publicKeyOf(someBytes(32)),
      provider.sharedSecret(someBytes(32), provider.publicKeyOf(someBytes(32, 2)))!,
    ];
    for (const result of results) {
      assert.equal(Object.getPrototypeOf(result), Uint8Array.prototype);
      assert.equal(result.buffer.byteLength, 32);
    }
  });
}

Deno.test("providers hash alike, in any number of parts", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }),
      bytes(40),
      (parts, key) => {
        const wanted = nodeProvider.sha256(...parts);
        assert.deepEqual(portableProvider.sha256(...parts), wanted);
        assert.deepEqual(
          portableProvider.hmacSha256(key, ...parts),
          nodeProvider.hmacSha256(key, ...parts),
        );
        for (const provider of PROVIDERS) {
          const hasher = provider.createSha256();
          for (const part of parts) hasher.update(part);
          assert.deepEqual(hasher.digest(), wanted);
        }
      },
    ),
  );
});

Deno.test("providers seal alike, and each opens what the other sealed", () => {
  fc.assert(fc.property(
    bytes(32),
    bytes(12),
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ maxLength: 1500 }),
    (key, nonce, data, plaintext) => {
      const [node, portable] = PROVIDERS.map((provider) => provider.createAead(key)) as [
        Aead,
        Aead,
      ];
      const result = sealed(node, nonce, data, plaintext);
      assert.deepEqual(sealed(portable, nonce, data, plaintext), result);
      assert.deepEqual(plain(opened(portable, nonce, data, result)), plain(plaintext));
      assert.deepEqual(plain(opened(node, nonce, data, result)), plain(plaintext));
    },
  ));
});

Deno.test("providers agree on X25519 for any secret and any public key", () => {
  fc.assert(
    fc.property(bytes(32), bytes(32), (secretKey, publicKey) => {
      assert.deepEqual(
        portableProvider.publicKeyOf(secretKey),
        nodeProvider.publicKeyOf(secretKey),
      );
      assert.deepEqual(
        portableProvider.sharedSecret(secretKey, publicKey),
        nodeProvider.sharedSecret(secretKey, publicKey),
      );
    }),
    { numRuns: 50 },
  );
});
