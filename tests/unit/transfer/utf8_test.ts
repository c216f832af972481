import assert from "node:assert/strict";
import fc from "fast-check";
import { utf8Length, writeUtf8 } from "../../../lib/transfer/utf8.ts";

const encoder = new TextEncoder();

/** ASCII, other characters, pairs, and halves of pairs. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 })).map((units) => String.fromCharCode(...units)),
);

Deno.test("utf8Length and writeUtf8 agree with TextEncoder, also about halves of pairs", () => {
  fc.assert(
    fc.property(text, fc.nat(5), (text, offset) => {
      const expected = encoder.encode(text);
      assert.equal(utf8Length(text), expected.length);
      const out = new Uint8Array(offset + expected.length).fill(0xff);
      assert.equal(writeUtf8(text, out, offset), out.length);
      assert.deepEqual(out.subarray(offset), expected);
      assert.ok(out.subarray(0, offset).every((byte) => byte === 0xff));
    }),
    { numRuns: 500 },
  );
});

Deno.test("writeUtf8 writes nothing where there is too little room", () => {
  const out = new Uint8Array(4);
  for (const text of ["abcde", "ab\u00e9\u00e9", "\u{1f600}a"]) {
    assert.throws(() => writeUtf8(text, out, 0), RangeError);
  }
  assert.throws(() => writeUtf8("abcd", out, 1), RangeError);
  assert.deepEqual(out, new Uint8Array(4));
});
