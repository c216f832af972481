import assert from "node:assert/strict";
import { BufferPool } from "../../../lib/transfer/buffer_pool.ts";
import { buildManifest } from "../../../lib/transfer/offer/manifest.ts";
import { SmallFile, SmallFiles } from "../../../lib/transfer/sending/small_files.ts";
import { FakeStorage } from "../../support/fake_storage.ts";

const FILES = 50;
const BYTES = 4096;

/** Counts buffers that are lent. */
class CountingPool extends BufferPool {
  lent = 0;

  override take(length: number): Uint8Array<ArrayBuffer> {
    this.lent++;
    return super.take(length);
  }

  override give(buffer: Uint8Array<ArrayBuffer>): void {
    this.lent--;
    super.give(buffer);
  }
}

async function setUp({ answersAtOnce = true, maxBytes = 1e6 } = {}) {
  const storage = new FakeStorage();
  storage.answersAtOnce = answersAtOnce;
  for (let index = 0; index < FILES; index++) {
    storage.addFile(`/share/${100 + index}`, new Uint8Array(BYTES).fill(index));
  }
  const manifest = await buildManifest(storage, ["/share"], { onWarning: () => {} });
  let reads = 0;
  storage.onRead = () => void reads++;
  const pool = new CountingPool();
  const files = new SmallFiles({ storage, manifest, pool, maxBytes });
  const [ahead, behind] = [{ entry: -1 }, { entry: 1 }];
  files.addCursor(ahead);
  files.addCursor(behind);
  return { storage, files, pool, ahead, behind, reads: () => reads };
}

Deno.test("SmallFiles gives what was read to who comes a little later, and each buffer back once", async () => {
  for (const answersAtOnce of [true, false]) {
    const { files, pool, ahead, behind, reads } = await setUp({ answersAtOnce });
    for (const cursor of [ahead, behind]) {
      for (let entry = 2; entry <= FILES; entry++) {
        const file = await files.read(entry, cursor);
        assert.equal(await file.status, "intact");
        assert.ok(file.bytes.every((byte) => byte === entry - 1));
        file.release();
      }
    }
    assert.equal(reads(), FILES - 1);
    files.clear();
    assert.deepEqual([pool.lent, files.keptBytes], [0, 0]);
  }
});

Deno.test("SmallFiles shares a read that is under way", async () => {
  const { files, ahead, behind, reads, pool } = await setUp({ answersAtOnce: false });
  const [a, b] = [files.read(9, ahead), files.read(9, behind)];
  assert.ok(a instanceof SmallFile && a === b);
  assert.equal(await a.status, "intact");
  a.release();
  a.release();
  files.clear();
  assert.deepEqual([reads(), pool.lent], [1, 0]);
});

Deno.test("SmallFiles keeps nothing when nobody is a little behind", async () => {
  const { files, ahead, behind } = await setUp();
  (files.read(5, behind) as SmallFile).release();
  for (const entry of [1, 2, 5]) (files.read(entry, ahead) as SmallFile).release();
  assert.equal(files.keptBytes, 0);
  files.removeCursor(behind);
  (files.read(9, ahead) as SmallFile).release();
  assert.equal(files.keptBytes, 0);
});

Deno.test("SmallFiles keeps no more than it may, and none that changed while it was read", async () => {
  for (const answersAtOnce of [true, false]) {
    const maxBytes = 5 * BYTES;
    const { files, ahead, behind, pool, storage } = await setUp({ answersAtOnce, maxBytes });
    const held: SmallFile[] = [];
    for (let entry = 2; entry <= FILES; entry++) {
      held.push(await files.read(entry, ahead));
      assert.ok(files.keptBytes <= maxBytes);
    }
    for (const file of held) {
      await file.status;
      file.release();
    }
    assert.deepEqual([files.keptBytes, pool.lent], [maxBytes, 5]);
    files.clear();
    storage.onRead = (path) => void storage.get(path)!.mtimeMs++;
    const file = await files.read(7, ahead);
    assert.equal(await file.status, "changed");
    file.release();
    assert.deepEqual([files.keptBytes, pool.lent], [0, 0]);
    storage.onRead = () => {};
    const later = await files.read(7, behind);
    assert.equal(await later.status, "changed");
  }
});
