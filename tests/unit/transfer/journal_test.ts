import assert from "node:assert/strict";
import fc from "fast-check";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { decodeJournal, encodeJournal } from "../../../lib/transfer/receiving/journal.ts";
import {
  GROUP_BYTES,
  MAX_JOURNAL_BYTES,
  MAX_JOURNAL_RANGES,
} from "../../../lib/transfer/limits.ts";

/** Ranges that neither overlap nor touch, and a size they lie within. */
const journals = fc.tuple(
  fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 100_000 })), {
    maxLength: 30,
  }),
  fc.integer({ min: 0, max: 2 ** 40 }),
  fc.boolean(),
).map(([ranges, extraBytes, isFromStart]) => {
  const groups: number[] = [];
  let end = 0;
  for (const [gap, count] of ranges) {
    const first = end === 0 && isFromStart ? 0 : end + gap;
    end = first + count;
    groups.push(first, end);
  }
  return { sizeBytes: end * GROUP_BYTES + extraBytes, groups };
});

function reseal(bytes: Uint8Array): Uint8Array {
  bytes.set(nodeProvider.sha256(bytes.subarray(0, -32)), bytes.length - 32);
  return bytes;
}

Deno.test("decodeJournal reads what encodeJournal wrote [DISK-7]", () => {
  fc.assert(
    fc.property(journals, (journal) => {
      assert.deepEqual(decodeJournal(nodeProvider, encodeJournal(nodeProvider, journal)), journal);
    }),
    { numRuns: 300 },
  );
});

Deno.test("decodeJournal takes nothing that was torn or damaged [DISK-7]", () => {
  fc.assert(
    fc.property(journals, fc.nat(), fc.integer({ min: 1, max: 255 }), (journal, at, flip) => {
      const bytes = encodeJournal(nodeProvider, journal);
      assert.equal(decodeJournal(nodeProvider, bytes.subarray(0, at % bytes.length)), undefined);
      bytes[at % bytes.length]! ^= flip;
      assert.equal(decodeJournal(nodeProvider, bytes), undefined);
    }),
    { numRuns: 300 },
  );
});

Deno.test("decodeJournal never throws, and takes only ranges that make sense [DISK-7]", () => {
  const magic = encodeJournal(nodeProvider, { sizeBytes: 0, groups: [] }).subarray(0, 8);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (body) => {
      const journal = decodeJournal(
        nodeProvider,
        reseal(new Uint8Array([...magic, ...body, ...new Uint8Array(32)])),
      );
      if (journal === undefined) return;
      const { sizeBytes, groups } = journal;
      let last = -1;
      for (const bound of groups) {
        assert.ok(bound > last);
        last = bound;
      }
      assert.ok(groups.length % 2 === 0 && last <= Math.ceil(sizeBytes / GROUP_BYTES));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("encodeJournal bounds a journal, and keeps the first ranges [DISK-7]", () => {
  const groups: number[] = [];
  for (let range = 0; range < MAX_JOURNAL_RANGES + 5; range++) {
    groups.push((2 * range + 1) * 2 ** 22, (2 * range + 2) * 2 ** 22);
  }
  const sizeBytes = Number.MAX_SAFE_INTEGER;
  const bytes = encodeJournal(nodeProvider, { sizeBytes, groups });
  assert.ok(bytes.length <= MAX_JOURNAL_BYTES);
  const first = { sizeBytes, groups: groups.slice(0, 2 * MAX_JOURNAL_RANGES) };
  assert.deepEqual(decodeJournal(nodeProvider, bytes), first);
  const longer = new Uint8Array(MAX_JOURNAL_BYTES + 1);
  longer.set(bytes);
  assert.equal(decodeJournal(nodeProvider, reseal(longer)), undefined);
});
