import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeBech32m } from "../../../lib/bytes/bech32m.ts";
import { TransferError } from "../../../lib/errors.ts";
import { decodeKeyText, encodeKeyText } from "../../../lib/identity/key_text.ts";
import { keyOf } from "./_books.ts";

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const KEY = keyOf(1);

function assertRefused(text: string, message: RegExp): void {
  assert.throws(() => decodeKeyText(text), (error: unknown) => {
    assert.ok(error instanceof TransferError);
    assert.equal(error.code, "usage");
    assert.match(error.message, message);
    assert.match(error.hint, /peers me/);
    return true;
  });
}

Deno.test("a key as text has 64 characters and is read back, however it was copied", () => {
  fc.assert(fc.property(key, (bytes) => {
    const text = encodeKeyText(bytes);
    assert.match(text, /^p2pid1[02-9ac-hj-np-z]{58}$/);
    assert.deepEqual(decodeKeyText(text), bytes);
    const spaced = text.toUpperCase().replaceAll(/.{5}/g, "$& \n-");
    assert.deepEqual(decodeKeyText(spaced), bytes);
  }));
});

Deno.test("one wrong character of a key is named, and never taken", () => {
  const text = encodeKeyText(KEY);
  fc.assert(fc.property(
    fc.integer({ min: 6, max: text.length - 1 }),
    fc.constantFrom(..."qpzry9x8gf2tvdw0s3jn54khce6mua7l"),
    (at, character) => {
      fc.pre(text[at] !== character);
      const wrong = text.slice(0, at) + character + text.slice(at + 1);
      assertRefused(wrong, new RegExp(`^Cannot read the key: wrong at character ${at + 1}$`));
    },
  ));
});

Deno.test("what is no key says why, and repeats nothing of it", () => {
  const text = encodeKeyText(KEY);
  assertRefused("hello", /a key begins with "p2pid1"/);
  assertRefused("p2p1qks2rg4rgr9squg9n3qpgqg54uc4hc", /begins with "p2pid1"|characters are wrong/);
  assertRefused("p2pid1qq", /it has 8 characters, a key has 64/);
  assertRefused(text.slice(0, -1), /wrong|missing/);
  assertRefused(`${text}q`, /wrong/);
  assertRefused(encodeBech32m("p2pid", KEY.subarray(1)), /it holds 31 bytes, not 32/);
});

Deno.test("reading a key throws nothing else on any text", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    try {
      decodeKeyText(`p2pid1${text}`);
    } catch (error) {
      assert.ok(error instanceof TransferError, String(error));
    }
  }));
});
