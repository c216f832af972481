/**
 * Goal: the system's libcrypto gives the same bytes as `node:crypto`, refuses the same, and is only
 * taken where it is there.
 * Method: both providers side by side on random input. Needs --allow-ffi; elsewhere than on Linux,
 * and without OpenSSL 3, there is nothing to compare.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { selfTest } from "../../lib/crypto/self_test.ts";
import { selectSystemProvider } from "../../lib/system_provider.ts";
import { libcryptoProvider } from "../../lib/transport/libcrypto_provider.ts";

const provider = libcryptoProvider(nodeProvider);
const ignore = provider === undefined;

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

Deno.test("libcryptoProvider passes the self-test and is chosen", { ignore }, () => {
  assert.equal(selfTest(provider!), undefined);
  assert.equal(selectSystemProvider().name, "libcrypto");
});

Deno.test("libcryptoProvider seals as node:crypto does, and either opens what the other sealed", {
  ignore,
}, () => {
  fc.assert(fc.property(
    bytesOf(32),
    bytesOf(12),
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ maxLength: 1500 }),
    fc.nat(20),
    (key, nonce, data, text, start) => {
      const buffers = [provider!, nodeProvider].map((each) => {
        const aead = each.createAead(key);
        const buffer = new Uint8Array(start + text.length + 16 + 5).fill(0xee);
        buffer.set(text, start);
        const end = start + text.length;
        assert.equal(aead.seal(nonce, data, buffer, start, end), end + 16);
        aead.wipe();
        return buffer;
      });
      assert.deepEqual(buffers[0], buffers[1]);
      const opener = provider!.createAead(key);
      const end = start + text.length + 16;
      assert.equal(opener.open(nonce, data, buffers[1]!, start, end), end - 16);
      assert.deepEqual(buffers[1]!.subarray(start, end - 16), text);
      assert.deepEqual(buffers[1]!.subarray(end), new Uint8Array(5).fill(0xee));
      opener.wipe();
    },
  ));
});

Deno.test("libcryptoProvider refuses what was changed, cut off or is too short, and goes on", {
  ignore,
}, () => {
  const key = new Uint8Array(32).fill(1);
  const aead = provider!.createAead(key);
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

Deno.test("libcryptoProvider refuses keys and nonces of a wrong length, and a wiped key", {
  ignore,
}, () => {
  assert.throws(() => provider!.createAead(new Uint8Array(31)), RangeError);
  const aead = provider!.createAead(new Uint8Array(32));
  const buffer = new Uint8Array(40);
  assert.throws(() => aead.seal(new Uint8Array(11), buffer, buffer, 0, 0), RangeError);
  aead.seal(new Uint8Array(12), buffer.subarray(0, 0), buffer, 0, 0);
  aead.wipe();
  aead.wipe();
  assert.throws(() => aead.seal(new Uint8Array(12), buffer, buffer, 0, 0), RangeError);
  assert.throws(() => aead.open(new Uint8Array(12), buffer, buffer, 0, 40), RangeError);
});
