import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";

Deno.test("encodeHex writes two lower-case digits a byte", () => {
  assert.equal(encodeHex(Uint8Array.of(0x00, 0x0f, 0xa0, 0xff)), "000fa0ff");
  assert.equal(encodeHex(new Uint8Array(0)), "");
});

Deno.test("decodeHex reads what encodeHex wrote, in either case", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    assert.deepEqual(decodeHex(encodeHex(bytes)), bytes);
    assert.deepEqual(decodeHex(encodeHex(bytes).toUpperCase()), bytes);
  }));
});

Deno.test("decodeHex throws on odd lengths and on anything that is no digit", () => {
  for (const text of ["0", "abc", "0g", "0x", " 0", "-1", "1.", "00\n", "００"]) {
    assert.throws(() => decodeHex(text), RangeError, JSON.stringify(text));
  }
});
