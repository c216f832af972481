import assert from "node:assert/strict";
import { BlockQueue } from "../../../lib/protocol/block_queue.ts";
import type { OutgoingBlock } from "../../../lib/protocol/channel.ts";

function block(length: number, request = 0): OutgoingBlock {
  return { request, offset: 0, bytes: new Uint8Array(length) };
}

Deno.test("BlockQueue hands out blocks in order, the next once one was sent whole", () => {
  const queue = new BlockQueue();
  const blocks = [block(10), block(20)];
  for (const one of blocks) queue.add(one);
  const first = queue.first()!;
  assert.equal(first.block, blocks[0]);
  queue.advance(first, 9);
  assert.equal(queue.awaitedBytes, 0, "not sent whole");
  assert.equal(queue.first(), first);
  queue.advance(first, 1);
  assert.equal(queue.first()!.block, blocks[1]);
  queue.advance(queue.first()!, 20);
  assert.equal(queue.first(), undefined);
  assert.equal(queue.freshSentBytes, 30);
  assert.equal(queue.awaitedBytes, 30);
  queue.acknowledge(first, 9);
  assert.equal(queue.awaitedBytes, 30, "a byte is missing, all of it stays lent");
  queue.acknowledge(first, 1);
  assert.equal(queue.awaitedBytes, 20);
  queue.releaseAll();
  assert.equal(queue.awaitedBytes, 0);
});

Deno.test("BlockQueue.acknowledge is true once, when the last byte is in", () => {
  const queue = new BlockQueue();
  queue.add(block(10));
  queue.add(block(5));
  const state = queue.first()!;
  queue.advance(state, 10);
  assert.equal(queue.acknowledge(state, 4), false);
  assert.equal(queue.queuedBytes, 15);
  assert.equal(queue.acknowledge(state, 6), true);
  assert.equal(queue.queuedBytes, 5);
  assert.equal(queue.freshSentBytes, 10);
});

Deno.test("BlockQueue.releaseAll gives back what is lent, sent or not, and only once", () => {
  const queue = new BlockQueue();
  const blocks = [block(10, 1), block(10, 2), block(10, 3)];
  for (const one of blocks) queue.add(one);
  const done = queue.first()!;
  queue.advance(done, 10);
  queue.acknowledge(done, 10);
  const halfway = queue.first()!;
  queue.advance(halfway, 10);
  assert.deepEqual(queue.releaseAll(), [blocks[1], blocks[2]]);
  assert.deepEqual(queue.releaseAll(), []);
  assert.equal(queue.queuedBytes, 0);
  assert.equal(queue.first(), undefined);
  assert.equal(queue.acknowledge(halfway, 10), false, "it went back already");
  assert.equal(queue.queuedBytes, 0);
});
