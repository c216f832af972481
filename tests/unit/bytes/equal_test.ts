import assert from "node:assert/strict";
import fc from "fast-check";
import { constantTimeEqual } from "../../../lib/bytes/equal.ts";

Deno.test("constantTimeEqual is true for equal bytes in different buffers", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    assert.equal(constantTimeEqual(bytes, bytes.slice()), true);
  }));
});

Deno.test("constantTimeEqual sees any single bit", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), fc.nat(7), (bytes, at, bit) => {
    const other = bytes.slice();
    const index = at % bytes.length;
    other[index] = other[index]! ^ (1 << bit);
    assert.equal(constantTimeEqual(bytes, other), false);
  }));
});

Deno.test("constantTimeEqual is false for a prefix, either way round", () => {
  const bytes = Uint8Array.of(0, 0, 0);
  assert.equal(constantTimeEqual(bytes, bytes.subarray(0, 2)), false);
  assert.equal(constantTimeEqual(bytes.subarray(0, 2), bytes), false);
  assert.equal(constantTimeEqual(new Uint8Array(0), new Uint8Array(0)), true);
});
