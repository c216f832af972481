import assert from "node:assert/strict";
import {
  CLIENT_GROUP_BYTES,
  GROUP_BYTES,
  SHARED_GROUP_BYTES,
} from "../../../lib/transfer/limits.ts";
import { type CachedFile, GroupCache } from "../../../lib/transfer/sending/group_cache.ts";
import { SharedGroup } from "../../../lib/transfer/sending/shared_group.ts";

/** A file with somebody at a position, who wants all that follows. */
class File implements CachedFile {
  readonly dropped: number[] = [];
  /** Undefined: nobody wants anything. */
  position: number | undefined = 0;

  distanceTo(index: number): number {
    if (this.position === undefined || index < this.position) return Infinity;
    return index - this.position;
  }

  handleDropped(group: SharedGroup): void {
    this.dropped.push(group.index);
  }
}

function cacheOfThree(): GroupCache {
  const cache = new GroupCache();
  cache.setClients(3 * GROUP_BYTES / CLIENT_GROUP_BYTES);
  return cache;
}

function group(index: number): SharedGroup {
  return new SharedGroup(index, GROUP_BYTES, () => {});
}

Deno.test("GroupCache keeps what somebody will want soon, within its bound", () => {
  const cache = cacheOfThree();
  const file = new File();
  assert.ok(cache.keep(group(2), file));
  assert.ok(!cache.keep(group(4), file), "farther than there is room for");
  file.position = 3;
  assert.ok(!cache.keep(group(2), file), "nobody comes to it any more");
  assert.equal(cache.size, 1);
});

Deno.test("GroupCache drops what is wanted last when it is full, and nothing for what is wanted later", () => {
  const cache = cacheOfThree();
  const [near, far] = [new File(), new File()];
  for (const index of [1, 2, 3]) assert.ok(cache.keep(group(index), far));
  assert.ok(cache.keep(group(0), near));
  assert.ok(cache.keep(group(1), near));
  assert.deepEqual(far.dropped, [3, 2]);
  assert.ok(!cache.keep(group(3), far));
  assert.ok(!cache.keep(group(1), far), "no nearer than any other");
  assert.deepEqual([cache.size, far.dropped, near.dropped], [3, [3, 2], []]);
});

Deno.test("GroupCache forgets what is used again, and what nobody wants any more", () => {
  const cache = cacheOfThree();
  const [file, other] = [new File(), new File()];
  const first = group(0);
  assert.ok(cache.keep(first, file) && cache.keep(group(1), file) && cache.keep(group(1), other));
  cache.take(first);
  assert.equal(cache.size, 2);
  file.position = undefined;
  cache.drop(file);
  assert.deepEqual([cache.size, file.dropped, other.dropped], [1, [1], []]);
});

Deno.test("GroupCache keeps more for more clients, within a bound, and drops what is too much", () => {
  const cache = new GroupCache();
  const file = new File();
  assert.ok(!cache.keep(group(0), file), "for nobody");
  cache.setClients(1_000_000);
  const most = SHARED_GROUP_BYTES / GROUP_BYTES;
  for (let index = 0; index < most; index++) assert.ok(cache.keep(group(index), file));
  assert.ok(!cache.keep(group(most), file));
  cache.setClients(2 * GROUP_BYTES / CLIENT_GROUP_BYTES);
  assert.equal(cache.size, 2);
  assert.deepEqual(file.dropped, Array.from({ length: most - 2 }, (_, index) => most - 1 - index));
  cache.setClients(0);
  assert.equal(cache.size, 0);
});
