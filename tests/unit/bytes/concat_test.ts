import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../../lib/bytes/concat.ts";

Deno.test("concatBytes joins in order", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 20, size: "max" })), (parts) => {
    assert.deepEqual([...concatBytes(...parts)], parts.flatMap((part) => [...part]));
  }));
});

Deno.test("concatBytes copies, even a single part", () => {
  const part = Uint8Array.of(1, 2);
  const joined = concatBytes(part);
  part[0] = 9;
  assert.deepEqual([...joined], [1, 2]);
});

Deno.test("concatBytes sees only the bytes of a view", () => {
  const view = Uint8Array.of(1, 2, 3, 4).subarray(1, 3);
  const joined = concatBytes(view, view);
  assert.deepEqual([...joined], [2, 3, 2, 3]);
  assert.equal(joined.buffer.byteLength, 4);
});
