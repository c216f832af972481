/**
 * Goal: both providers sign and check alike and as RFC 8032 has it, and neither takes a key under
 * which anybody can sign.
 * Method: public vectors and random input through each; points of small order made by noble.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ed25519 } from "npm:@noble/curves@2.4.0/ed25519.js";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { portableProvider } from "../../../lib/crypto/portable_provider.ts";
import { isSmallOrderSigningKey } from "../../../lib/crypto/small_order.ts";
import rfc8032 from "../../vectors/rfc8032.json" with { type: "json" };
import wycheproof from "../../vectors/wycheproof_ed25519.json" with { type: "json" };
import { PROVIDERS, someBytes, text } from "./_support.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

for (const provider of PROVIDERS) {
  Deno.test(`${provider.name} signs and checks as RFC 8032, section 7.1`, () => {
    for (const { test, secretKey, publicKey, message, signature } of rfc8032) {
      const secret = decodeHex(secretKey);
      assert.equal(encodeHex(provider.signingKeyOf(secret)), publicKey, test);
      assert.equal(encodeHex(provider.sign(secret, decodeHex(message))), signature, test);
      const args = [decodeHex(publicKey), decodeHex(message), decodeHex(signature)] as const;
      assert.ok(provider.isSignature(...args), test);
    }
  });

  Deno.test(`${provider.name} agrees with Wycheproof on Ed25519`, () => {
    for (const { id, publicKey, msg, sig, result } of wycheproof) {
      const args = [decodeHex(publicKey), decodeHex(msg), decodeHex(sig)] as const;
      assert.equal(provider.isSignature(...args), result === "valid", `test ${id}`);
    }
  });

  Deno.test(`${provider.name} takes no signature of a key of small order`, () => {
    for (const key of smallOrderKeys()) {
      for (const first of smallOrderKeys()) {
        // R of small order and s = 0: right under such a key for one message in eight or more.
        const signature = new Uint8Array(64);
        signature.set(first);
        for (let message = 0; message < 16; message++) {
          const taken = provider.isSignature(key, Uint8Array.of(message), signature);
          assert.equal(taken, false, encodeHex(key));
        }
      }
    }
  });

  Deno.test(`${provider.name} throws on lengths its caller is answerable for, and on no others`, () => {
    assert.throws(() => provider.signingKeyOf(new Uint8Array(31)), RangeError);
    assert.throws(() => provider.sign(new Uint8Array(64), text("a")), RangeError);
    assert.throws(() => provider.isSignature(new Uint8Array(33), text("a"), new Uint8Array(64)), {
      name: "RangeError",
    });
    for (const length of [0, 63, 65, 128]) {
      const key = provider.signingKeyOf(someBytes(32));
      assert.equal(provider.isSignature(key, text("a"), new Uint8Array(length)), false);
    }
  });

  Deno.test(`${provider.name} gives keys and signatures as plain arrays of their own`, () => {
    for (
      const made of [provider.signingKeyOf(someBytes(32)), provider.sign(someBytes(32), text("a"))]
    ) {
      assert.equal(Object.getPrototypeOf(made), Uint8Array.prototype);
      assert.equal(made.buffer.byteLength, made.length);
    }
  });
}

Deno.test("providers sign alike, and check each other's signatures and damaged ones alike", () => {
  fc.assert(
    fc.property(
      bytes(32),
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(64 * 8 - 1),
      (secret, message, bit) => {
        const key = nodeProvider.signingKeyOf(secret);
        assert.deepEqual(portableProvider.signingKeyOf(secret), key);
        const signature = nodeProvider.sign(secret, message);
        assert.deepEqual(portableProvider.sign(secret, message), signature);
        const damaged = new Uint8Array(signature);
        damaged[bit >>> 3]! ^= 1 << (bit & 7);
        for (const provider of PROVIDERS) {
          assert.ok(provider.isSignature(key, message, signature));
          assert.ok(!provider.isSignature(key, message, damaged));
        }
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("providers agree on random public keys and never throw", () => {
  fc.assert(
    fc.property(bytes(32), bytes(64), (key, signature) => {
      for (const provider of PROVIDERS) {
        assert.equal(provider.isSignature(key, text("a"), signature), false);
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("isSmallOrderSigningKey knows every point of small order and no other", () => {
  for (const key of smallOrderKeys()) assert.ok(isSmallOrderSigningKey(key), encodeHex(key));
  assert.equal(smallOrderKeys().length, 14);
  for (let seed = 1; seed < 50; seed++) {
    assert.ok(!isSmallOrderSigningKey(nodeProvider.signingKeyOf(someBytes(32, seed))));
  }
});

/** The eight points, as noble computes them, and the other ways to write them. */
function smallOrderKeys(): Uint8Array[] {
  const { Point } = ed25519;
  const found = new Map<string, Uint8Array>();
  const add = (key: Uint8Array) => found.set(encodeHex(key), key);
  // L times any point leaves what it has of small order.
  for (let seed = 1; found.size < 8; seed++) {
    let point;
    try {
      point = Point.fromBytes(someBytes(32, seed), true);
    } catch {
      continue; // half of all numbers are no y of a point
    }
    add(point.multiplyUnsafe(Point.Fn.ORDER - 1n).add(point).toBytes());
  }
  for (const hex of ["01" + "00".repeat(31), "ec" + "ff".repeat(30) + "7f"]) {
    // x is 0, so its sign says nothing.
    add(Uint8Array.from(decodeHex(hex), (byte, at) => at === 31 ? byte | 0x80 : byte));
  }
  for (const low of ["ed", "ee"]) {
    for (const high of ["7f", "ff"]) add(decodeHex(low + "ff".repeat(30) + high));
  }
  return [...found.values()];
}
