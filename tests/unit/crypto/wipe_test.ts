import assert from "node:assert/strict";
import { wipe } from "../../../lib/crypto/wipe.ts";

Deno.test("wipe fills all arrays with zeros and passes over undefined", () => {
  const bytes = new Uint8Array([1, 2]);
  const words = new Uint32Array([3]);
  wipe(bytes, undefined, words);
  assert.deepEqual([...bytes, ...words], [0, 0, 0]);
});
