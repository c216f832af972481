/**
 * Goal: exactly the aligned chunks of zeros are found.
 * Method: chosen cases; random bytes against the plain definition.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { isZero, zeroChunks } from "../../../lib/storage/sparse.ts";

const CHUNK = 65_536;

/** The definition, byte by byte. */
function slowly(offset: number, bytes: Uint8Array): number[] {
  const found: number[] = [];
  for (let start = 0; start + CHUNK <= bytes.length; start++) {
    if ((offset + start) % CHUNK !== 0) continue;
    if (bytes.subarray(start, start + CHUNK).every((byte) => byte === 0)) found.push(start);
  }
  return found;
}

Deno.test("zeroChunks finds whole chunks at multiples of 64 KiB in the file [DISK-5]", () => {
  const zeros = new Uint8Array(4 * CHUNK);
  assert.deepEqual(zeroChunks(0, zeros), [0, CHUNK, 2 * CHUNK, 3 * CHUNK]);
  assert.deepEqual(zeroChunks(16 * CHUNK, zeros.subarray(0, CHUNK + 5)), [0]);
  assert.deepEqual(zeroChunks(1, zeros), [CHUNK - 1, 2 * CHUNK - 1, 3 * CHUNK - 1]);
  assert.deepEqual(zeroChunks(0, zeros.subarray(0, CHUNK - 1)), []);
  assert.deepEqual(zeroChunks(0, new Uint8Array(0)), []);
});

Deno.test("zeroChunks misses no byte that is not zero [DISK-5]", () => {
  const position = fc.nat(3 * CHUNK - 1);
  fc.assert(
    fc.property(
      fc.constantFrom(0, 1, 3, CHUNK),
      fc.nat(5),
      fc.array(position),
      (offset, skip, at) => {
        // Another beginning of the buffer: words need not lie at multiples of four.
        const bytes = new Uint8Array(3 * CHUNK + skip).subarray(skip);
        for (const index of at) bytes[index] = 1;
        assert.deepEqual(zeroChunks(offset, bytes), slowly(offset, bytes));
      },
    ),
    { numRuns: 30 },
  );
  const bytes = new Uint8Array(CHUNK);
  for (let index = 0; index < CHUNK; index += 1021) {
    bytes[index] = 128;
    assert.equal(isZero(bytes), false, `at ${index}`);
    bytes[index] = 0;
  }
  assert.equal(isZero(bytes), true);
});
