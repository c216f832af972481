import assert from "node:assert/strict";
import { BufferPool } from "../../../lib/transfer/buffer_pool.ts";
import { GroupMemory } from "../../../lib/transfer/receiving/group_memory.ts";

Deno.test("BufferPool lends the smallest power of two that is enough, and lends it again", () => {
  const pool = new BufferPool();
  const sizes = [[0, 512], [1, 512], [512, 512], [513, 1024], [4096, 4096], [4097, 8192]] as const;
  for (const [length, expected] of [...sizes, [524_289, 1_048_576], [1_048_576, 1_048_576]]) {
    assert.equal(pool.take(length).length, expected);
  }
  const buffer = pool.take(70_000);
  pool.give(buffer);
  assert.equal(pool.take(131_072), buffer);
  assert.notEqual(pool.take(131_072), buffer);
  assert.throws(() => pool.take(1_048_577), RangeError);
});

Deno.test("BufferPool lends buffers that share no byte", () => {
  const pool = new BufferPool();
  for (const length of [1, 4096, 40_000, 65_536]) {
    const buffers = Array.from({ length: 200 }, () => pool.take(length));
    for (const [index, buffer] of buffers.entries()) buffer.fill(index);
    assert.ok(buffers.every((buffer, index) => buffer.every((byte) => byte === index)));
  }
});

Deno.test("BufferPool keeps no more than it may", () => {
  const pool = new BufferPool(1024);
  const [a, b, c] = [pool.take(1), pool.take(1), pool.take(1)];
  for (const buffer of [a, b, c]) pool.give(buffer);
  const again = new Set([pool.take(1), pool.take(1), pool.take(1)]);
  assert.ok(again.has(a) && again.has(b) && !again.has(c));
});

Deno.test("GroupMemory lends up to its bound and again after a return [XFER-16]", () => {
  const memory = new GroupMemory(new BufferPool(), 10_000);
  const first = memory.take(6000)!;
  assert.equal(memory.take(4001), undefined);
  assert.ok(memory.take(4000));
  memory.give(first, 6000);
  assert.equal(memory.lentBytes, 4000);
  assert.ok(memory.take(6000));
});
