import assert from "node:assert/strict";
import fc from "fast-check";
import type { OutgoingBlockState } from "../../../lib/protocol/block_queue.ts";
import { SegmentTable } from "../../../lib/protocol/segments.ts";

function owner(request: number): OutgoingBlockState {
  return {
    block: { request, offset: 0, bytes: new Uint8Array(1) },
    sentBytes: 0,
    ackedBytes: 0,
    isReleased: false,
  };
}

interface Segment {
  owner: OutgoingBlockState | null;
  offset: number;
  length: number;
  state: "free" | "in flight" | "lost";
}

Deno.test("SegmentTable equals a list, however old a live segment gets", () => {
  const anyStep = fc.record({
    add: fc.nat(700),
    lose: fc.array(fc.nat(), { maxLength: 20, size: "max" }),
    freeShare: fc.integer({ min: 0, max: 100 }),
  });
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 25, size: "max" }), (steps) => {
      const table = new SegmentTable();
      const model: Segment[] = [];
      for (const { add, lose, freeShare } of steps) {
        for (let count = 0; count < add; count++) {
          const id = model.length;
          const segment: Segment = {
            owner: id % 3 === 0 ? null : owner(id),
            offset: id * 2 ** 33,
            length: id % 1400,
            state: "in flight",
          };
          assert.equal(table.nextId, id);
          assert.equal(table.add(segment.owner, segment.offset, segment.length), id);
          model.push(segment);
        }
        if (model.length === 0) continue;
        for (const chance of lose) {
          const id = chance % model.length;
          const wasInFlight = model[id]!.state === "in flight";
          assert.equal(table.markLost(id), wasInFlight);
          if (wasInFlight) model[id]!.state = "lost";
        }
        for (const [id, segment] of model.entries()) {
          // Some stay live for long: every seventeenth is never freed.
          if (segment.state === "free" || id % 17 === 0 || (id * 7919) % 100 >= freeShare) continue;
          table.free(id);
          segment.state = "free";
        }
        for (const [id, segment] of model.entries()) {
          assert.equal(table.isLive(id), segment.state !== "free");
          assert.equal(table.isLost(id), segment.state === "lost");
          if (segment.state === "free") continue;
          const slot = table.slot(id);
          assert.equal(table.owners[slot], segment.owner);
          assert.equal(table.offsets[slot], segment.offset);
          assert.equal(table.lengths[slot], segment.length);
        }
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("SegmentTable says of a number used up long ago that it is dead", () => {
  const table = new SegmentTable();
  const old = table.add(null, 0, 1);
  table.free(old);
  for (let count = 0; count < 5000; count++) table.free(table.add(null, 0, 1));
  // Slots of old numbers now belong to new ones.
  for (let count = 0; count < 1000; count++) table.add(null, 0, 1);
  for (let id = old; id < 4000; id++) {
    assert.equal(table.isLive(id), false);
    assert.equal(table.isLost(id), false);
    assert.equal(table.markLost(id), false);
  }
});

Deno.test("SegmentTable does not grow while only a window's worth is live", () => {
  const table = new SegmentTable();
  const capacity = table.offsets.length;
  for (let id = 0; id < 20 * capacity; id++) {
    table.add(null, 0, 1);
    if (id >= 100) table.free(id - 100);
  }
  assert.equal(table.offsets.length, capacity);
});

Deno.test("SegmentTable.free lets go of the block", () => {
  const table = new SegmentTable();
  const id = table.add(owner(1), 0, 1);
  table.free(id);
  assert.equal(table.owners[table.slot(id)], null);
});
