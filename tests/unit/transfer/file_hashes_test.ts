import assert from "node:assert/strict";
import type { FileInfo } from "../../../lib/storage/storage.ts";
import { KeptHashes } from "../../../lib/transfer/sending/file_hashes.ts";

const INFO: FileInfo = {
  kind: "file",
  sizeBytes: 1e12,
  mtimeMs: 1,
  executable: false,
  inode: 2,
  changedMs: 3,
};

function hash(fill: number): Uint8Array {
  return new Uint8Array(32).fill(fill);
}

Deno.test("KeptHashes knows the hashes of a file as long as it is the same", () => {
  const kept = new KeptHashes();
  kept.of(7, INFO, 1000).note(999, hash(1));
  const again = kept.of(7, { ...INFO }, 1000);
  assert.deepEqual(again.get(999), hash(1));
  assert.deepEqual([again.get(998), again.get(0), again.has(999)], [undefined, undefined, true]);
  assert.equal(kept.of(8, INFO, 1000).get(999), undefined);
  for (const [field, value] of [["mtimeMs", 2], ["sizeBytes", 5], ["inode", 3], ["changedMs", 4]]) {
    kept.of(7, INFO, 1000).note(999, hash(1));
    const other = kept.of(7, { ...INFO, [field!]: value }, 1000);
    assert.equal(other.get(999), undefined, `${field}`);
  }
});

Deno.test("KeptHashes forgets all of a file when one of its hashes was wrong", () => {
  const file = new KeptHashes().of(7, INFO, 1000);
  file.note(0, hash(1));
  file.note(600, hash(2));
  file.note(600, hash(2));
  assert.ok(file.has(0));
  file.note(600, hash(3));
  assert.deepEqual([file.get(0), file.get(600)], [undefined, hash(3)]);
});

Deno.test("KeptHashes keeps within its bound, and drops what was not asked for longest", () => {
  const kept = new KeptHashes(100_000);
  for (let entry = 0; entry < 1000; entry++) {
    const file = kept.of(entry, INFO, 1000);
    for (let group = 0; group < 1000; group += 100) file.note(group, hash(1));
    kept.of(0, INFO, 1000);
    assert.ok(kept.bytes <= 100_000, `${kept.bytes}`);
  }
  assert.ok(kept.of(0, INFO, 1000).has(0));
  assert.ok(kept.of(999, INFO, 1000).has(0));
  assert.ok(!kept.of(1, INFO, 1000).has(0));
});

Deno.test("KeptHashes keeps a part of a file that is too large", () => {
  const kept = new KeptHashes(20_000);
  const file = kept.of(0, INFO, 1_000_000);
  for (let group = 0; group < 1_000_000; group += 100) file.note(group, hash(1));
  assert.ok(file.has(0) && !file.has(999_900));
  assert.ok(kept.bytes <= 20_000);
});
