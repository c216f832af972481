import assert from "node:assert/strict";
import { BufferPool } from "../../../lib/transfer/buffer_pool.ts";
import { GroupReader } from "../../../lib/transfer/group_reader.ts";
import { GROUP_BYTES, READ_AHEAD_GROUPS } from "../../../lib/transfer/limits.ts";
import { FakeStorage } from "../../support/fake_storage.ts";

const SIZE = 9 * GROUP_BYTES + 5;

/** A file whose bytes tell their group, and the offsets it was read at. */
async function open() {
  const storage = new FakeStorage();
  const bytes = new Uint8Array(SIZE).map((_, index) => Math.floor(index / GROUP_BYTES));
  storage.addFile("/f", bytes);
  const reads: number[] = [];
  storage.onRead = (_path, offset) => void reads.push(offset / GROUP_BYTES);
  return { storage, reads, source: await storage.openSource("/f") };
}

/** Lets everything happen that waits for nothing else. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await null;
}

Deno.test("GroupReader reads some groups ahead, and all in their order", async () => {
  const { source, reads } = await open();
  const pool = new BufferPool();
  const ranges = [{ offset: 0, length: GROUP_BYTES }, {
    offset: 2 * GROUP_BYTES,
    length: SIZE - 2 * GROUP_BYTES,
  }];
  const isWanted = () => true;
  const reader = new GroupReader(source, ranges, { pool, isWanted });
  await settle();
  assert.equal(reads.length, READ_AHEAD_GROUPS);
  const seen: number[] = [];
  for (let read = await reader.next(); read !== undefined; read = await reader.next()) {
    const { range, buffer, readBytes } = read;
    const group = range.offset / GROUP_BYTES;
    assert.equal(readBytes, range.length);
    assert.ok(buffer[0] === group && buffer[readBytes - 1] === group);
    seen.push(group);
    pool.give(buffer);
    await settle();
    assert.ok(reads.length <= seen.length + READ_AHEAD_GROUPS);
  }
  assert.deepEqual(seen, [0, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(reads, seen);
});

Deno.test("GroupReader reads nothing more when that is not wanted, and gives every buffer back", async () => {
  const { source, reads } = await open();
  let lent = 0;
  class CountingPool extends BufferPool {
    override take(length: number): Uint8Array<ArrayBuffer> {
      lent++;
      return super.take(length);
    }
    override give(buffer: Uint8Array<ArrayBuffer>): void {
      lent--;
      super.give(buffer);
    }
  }
  const pool = new CountingPool();
  let isWanted = true;
  const reader = new GroupReader(source, [{ offset: 0, length: SIZE }], {
    pool,
    isWanted: () => isWanted,
  });
  pool.give((await reader.next())!.buffer);
  await settle();
  const readBefore = reads.length;
  isWanted = false;
  while ((await reader.next())!.readBytes > 0);
  await reader.stop();
  assert.equal(reads.length, readBefore);
  // The last one that was taken is its taker's.
  assert.equal(lent, readBefore);
});

Deno.test("GroupReader tells of a group that cannot be read, and reads nothing behind it", async () => {
  const { source, storage, reads } = await open();
  storage.onRead = (path, offset) => {
    reads.push(offset / GROUP_BYTES);
    if (offset === GROUP_BYTES) storage.unreadable.add(path);
  };
  const reader = new GroupReader(source, [{ offset: 0, length: SIZE }], {
    pool: new BufferPool(),
    isWanted: () => true,
  });
  assert.equal((await reader.next())?.readBytes, GROUP_BYTES);
  assert.equal((await reader.next())?.readBytes, -1);
  assert.equal((await reader.next())?.readBytes, 0);
  await settle();
  await reader.stop();
  assert.deepEqual(reads, [0, 1]);
});

Deno.test("GroupReader reads nothing behind the end of a file", async () => {
  const { source, reads } = await open();
  const pool = new BufferPool();
  const range = { offset: 8 * GROUP_BYTES, length: 4 * GROUP_BYTES };
  const reader = new GroupReader(source, [range], {
    pool,
    isWanted: () => true,
  });
  const lengths: number[] = [];
  for (let read = await reader.next(); read !== undefined; read = await reader.next()) {
    lengths.push(read.readBytes);
    pool.give(read.buffer);
  }
  assert.deepEqual(lengths, [GROUP_BYTES, 5, 0, 0]);
  assert.deepEqual(reads, [8, 9]);
});
