/**
 * Goal: the system's libcrypto gives the same bytes as `node:crypto` and noble, refuses the same, and
 * is only taken where it is there.
 * Method: public vectors, then random input through it and a reference side by side. Needs
 * --allow-ffi; elsewhere than on Linux, and without OpenSSL 3, there is nothing to compare.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeHex, encodeHex } from "../../lib/bytes/hex.ts";
import { AES_256_GCM } from "../../lib/crypto/cipher_suite.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { PacketOpener } from "../../lib/crypto/packet_opener.ts";
import { PacketSealer } from "../../lib/crypto/packet_sealer.ts";
import type { Aead, CryptoProvider } from "../../lib/crypto/provider.ts";
import { selectProvider } from "../../lib/crypto/select_provider.ts";
import { selfTest } from "../../lib/crypto/self_test.ts";
import { selectSystemProvider } from "../../lib/operation/system_provider.ts";
import { loadLibcrypto } from "../../lib/transport/libcrypto.ts";
import { LibcryptoAead, type LibcryptoCipher } from "../../lib/transport/libcrypto_aead.ts";
import { libcryptoProvider } from "../../lib/transport/libcrypto_provider.ts";
import { libcryptoSha256 } from "../../lib/transport/libcrypto_sha256.ts";
import { aesProvider } from "../support/aes_provider.ts";
import wycheproofAes from "../vectors/wycheproof_aes_256_gcm.json" with { type: "json" };
import wycheproofChaCha from "../vectors/wycheproof_chacha20_poly1305.json" with { type: "json" };

const functions = loadLibcrypto();

/** One that needs the library; elsewhere its name says why it did not run. */
function test(name: string, run: () => void | Promise<void>): void {
  const ignore = functions === undefined;
  Deno.test(ignore ? `${name} [skipped: no OpenSSL 3 through FFI]` : name, { ignore }, run);
}

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

/** As found on a machine whose processor is good at AES, and on this one. */
const fastProvider = (): CryptoProvider => ({
  ...libcryptoProvider(nodeProvider)!,
  createAesGcm: (key) => new LibcryptoAead(functions!, "EVP_aes_256_gcm", key),
});

test("libcryptoProvider passes the self-test with both ciphers and is chosen", async () => {
  assert.equal(selfTest(libcryptoProvider(nodeProvider)!), undefined);
  assert.equal(selfTest(fastProvider()), undefined);
  assert.equal((await selectSystemProvider()).name, "libcrypto");
});

test("libcryptoProvider is passed over when its AES gives other bytes", () => {
  const broken: CryptoProvider = {
    ...fastProvider(),
    createAesGcm: (key) => new LibcryptoAead(functions!, "EVP_chacha20_poly1305", key),
  };
  assert.equal(selfTest(broken), "AES-256-GCM of libcrypto gives other bytes");
  assert.equal(selectProvider([broken, nodeProvider]), nodeProvider);
});

test("libcryptoSha256 hashes as node:crypto, in any number of parts", () => {
  const sha256 = libcryptoSha256(functions!);
  const parts = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 });
  fc.assert(fc.property(parts, (parts) => {
    assert.deepEqual(sha256(...parts), nodeProvider.sha256(...parts));
  }));
  const chunk = new Uint8Array(65_536).fill(3);
  assert.deepEqual(
    sha256(Uint8Array.of(0), chunk),
    nodeProvider.sha256(Uint8Array.of(0), chunk),
  );
});

test("packets sealed with AES-256-GCM by libcrypto open with noble's, and the other way round", () => {
  const secret = new Uint8Array(32).fill(9);
  for (
    const [from, to] of [[fastProvider(), aesProvider], [aesProvider, fastProvider()]] as const
  ) {
    const sealer = new PacketSealer(from, secret, AES_256_GCM);
    const opener = new PacketOpener(to, secret, AES_256_GCM);
    for (let number = 0; number < 3; number++) {
      const packet = new Uint8Array(1472).fill(number);
      assert.equal(sealer.seal(packet, 0, 1456, number), 1472);
      assert.equal(opener.open(packet, 0, 1472), 1456);
      assert.deepEqual(packet.subarray(13, 1456), new Uint8Array(1443).fill(number));
      sealer.handleAcknowledged(number);
      sealer.updateKeys();
      opener.dropOldKeys();
    }
  }
});

const ciphers = [
  {
    name: "ChaCha20-Poly1305",
    cipher: "EVP_chacha20_poly1305",
    reference: nodeProvider.createAead,
    vectors: wycheproofChaCha,
  },
  {
    name: "AES-256-GCM",
    cipher: "EVP_aes_256_gcm",
    reference: aesProvider.createAesGcm!,
    vectors: wycheproofAes,
  },
] as const satisfies readonly {
  name: string;
  cipher: LibcryptoCipher;
  reference: (key: Uint8Array) => Aead;
  vectors: readonly unknown[];
}[];

for (const { name, cipher, reference, vectors } of ciphers) {
  const create = (key: Uint8Array) => new LibcryptoAead(functions!, cipher, key);

  test(`libcrypto agrees with Wycheproof on ${name}`, () => {
    for (const { id, key, iv, aad, msg, ct, tag, result } of vectors) {
      const aead = create(decodeHex(key));
      const [nonce, data, sealed] = [decodeHex(iv), decodeHex(aad), decodeHex(ct + tag)];
      const opened = sealed.slice();
      const end = aead.open(nonce, data, opened, 0, opened.length);
      assert.equal(end, result === "valid" ? sealed.length - 16 : -1, `test ${id}`);
      if (result === "valid") {
        assert.equal(encodeHex(opened.subarray(0, end)), msg, `test ${id}`);
        assert.equal(aead.seal(nonce, data, opened, 0, end), sealed.length);
        assert.equal(encodeHex(opened), ct + tag, `test ${id}`);
      }
      aead.wipe();
    }
  });

  test(`libcrypto seals ${name} as the reference does, and opens what that sealed`, () => {
    fc.assert(fc.property(
      bytesOf(32),
      bytesOf(12),
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 1500 }),
      fc.nat(20),
      (key, nonce, data, text, start) => {
        const end = start + text.length;
        const buffers = [create, reference].map((createAead) => {
          const aead = createAead(key);
          const buffer = new Uint8Array(end + 16 + 5).fill(0xee);
          buffer.set(text, start);
          assert.equal(aead.seal(nonce, data, buffer, start, end), end + 16);
          aead.wipe();
          return buffer;
        });
        assert.deepEqual(buffers[0], buffers[1]);
        const opener = create(key);
        assert.equal(opener.open(nonce, data, buffers[1]!, start, end + 16), end);
        assert.deepEqual(buffers[1]!.subarray(start, end), text);
        assert.deepEqual(buffers[1]!.subarray(end + 16), new Uint8Array(5).fill(0xee));
        opener.wipe();
      },
    ));
  });

  test(`libcrypto refuses ${name} that was changed, cut off or is too short, and goes on`, () => {
    const aead = create(new Uint8Array(32).fill(1));
    const nonce = new Uint8Array(12);
    const data = Uint8Array.of(1, 2, 3);
    const sealed = new Uint8Array(60);
    assert.equal(aead.seal(nonce, data, sealed, 0, 44), 60);
    for (let bit = 0; bit < 8 * 60; bit++) {
      const damaged = sealed.slice();
      damaged[bit >>> 3]! ^= 1 << (bit & 7);
      assert.equal(aead.open(nonce, data, damaged, 0, 60), -1);
    }
    for (let length = 0; length < 60; length++) {
      assert.equal(aead.open(nonce, data, sealed.slice(0, length), 0, length), -1);
    }
    assert.equal(aead.open(nonce, data.subarray(1), sealed.slice(), 0, 60), -1);
    assert.equal(aead.open(nonce, data, sealed.slice(), 0, 61), -1);
    assert.equal(aead.open(nonce, data, sealed.slice(), 0, 60), 44);
  });

  test(`libcrypto refuses keys and nonces of a wrong length for ${name}, and a wiped key`, () => {
    assert.throws(() => create(new Uint8Array(31)), RangeError);
    const aead = create(new Uint8Array(32));
    const buffer = new Uint8Array(40);
    assert.throws(() => aead.seal(new Uint8Array(11), buffer, buffer, 0, 0), RangeError);
    assert.throws(() => aead.seal(new Uint8Array(12), buffer, buffer, 0, 30), RangeError);
    aead.seal(new Uint8Array(12), buffer.subarray(0, 0), buffer, 0, 0);
    aead.wipe();
    aead.wipe();
    assert.throws(() => aead.seal(new Uint8Array(12), buffer, buffer, 0, 0), RangeError);
    assert.throws(() => aead.open(new Uint8Array(12), buffer, buffer, 0, 40), RangeError);
  });
}
