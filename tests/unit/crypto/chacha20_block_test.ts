import assert from "node:assert/strict";
import { chacha20 } from "npm:@noble/ciphers@2.4.0/chacha.js";
import { createCipheriv } from "node:crypto";
import fc from "fast-check";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import { chacha20Block, loadChaCha20Key } from "../../../lib/crypto/chacha20_block.ts";
import rfc8439 from "../../vectors/rfc8439.json" with { type: "json" };

Deno.test("chacha20Block gives the blocks of RFC 8439", () => {
  for (const { section, key, counter, nonce, block } of rfc8439.blocks) {
    const out = new Uint8Array(64);
    chacha20Block(loadChaCha20Key(decodeHex(key)), counter, decodeHex(nonce), 0, out);
    assert.equal(encodeHex(out), block, section);
  }
});

Deno.test("chacha20Block agrees with noble and node:crypto on any key, nonce, counter and length", () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(fc.property(
    bytes(32),
    bytes(12),
    fc.integer({ min: 0, max: 0xffff_ffff }),
    fc.integer({ min: 0, max: 5 }),
    fc.integer({ min: 1, max: 16 }),
    (key, nonce, counter, offset, words) => {
      const shifted = new Uint8Array(offset + 12);
      shifted.set(nonce, offset);
      const out = new Uint8Array(words * 4).fill(0xaa);
      chacha20Block(loadChaCha20Key(key), counter, shifted, offset, out);
      const input = new Uint8Array(16);
      new DataView(input.buffer).setUint32(0, counter, true);
      input.set(nonce, 4);
      const node = createCipheriv("chacha20", key, input).update(new Uint8Array(64));
      assert.deepEqual([...out], [...node.subarray(0, out.length)]);
      // noble refuses the last counter, because the one after it would overflow.
      if (counter === 0xffff_ffff) return;
      const noble = chacha20(key, nonce, new Uint8Array(64), undefined, counter);
      assert.deepEqual(out, noble.slice(0, out.length));
    },
  ));
});

Deno.test("chacha20Block refuses lengths it cannot write and nonces that are not there", () => {
  const key = loadChaCha20Key(new Uint8Array(32));
  const nonce = new Uint8Array(12);
  for (const length of [0, 1, 63, 68]) {
    assert.throws(() => chacha20Block(key, 0, nonce, 0, new Uint8Array(length)), RangeError);
  }
  assert.throws(() => chacha20Block(key, 0, nonce, 1, new Uint8Array(64)), RangeError);
  assert.throws(() => chacha20Block(key, 0, nonce, -1, new Uint8Array(64)), RangeError);
  assert.throws(() => loadChaCha20Key(new Uint8Array(31)), RangeError);
});
