// Goal: Down takes away the own queue, or much more where others may be, and ends when it has seen
// the path without a queue.
// Method: a least round trip and a queue by hand.
import assert from "node:assert/strict";
import { Down } from "../../../../lib/protocol/congestion/down.ts";
import { MinRtt } from "../../../../lib/protocol/congestion/min_rtt.ts";
import { QueueWatch } from "../../../../lib/protocol/congestion/queue_watch.ts";
import { instant } from "../../../../lib/time.ts";

const SIZE = 1000;
const SHARE = 100 * SIZE;

function begun(mustBeDeep: boolean, queueMs = 2, atMs = 1000) {
  const minRtt = new MinRtt();
  minRtt.handleAck(instant(0), 40);
  const queue = new QueueWatch();
  for (const isRoundStart of [true, false, true]) queue.handleAck(40 + queueMs, isRoundStart);
  const down = new Down();
  down.begin(instant(atMs), minRtt, queue, mustBeDeep);
  return { down, minRtt, queue };
}

Deno.test("Down leaves the share without its queue, but not much less", () => {
  assert.equal(Math.round(begun(false, 0).down.windowBytes(SHARE, 0)), 98 * SIZE);
  assert.equal(begun(false, 2).down.windowBytes(SHARE, 0), ((0.98 * 40) / 42) * SHARE);
  assert.equal(begun(false, 20).down.windowBytes(SHARE, 0), 0.88 * SHARE);
  const { down } = begun(false, 20);
  assert.equal(down.windowBytes(SHARE, 5 * SIZE), down.windowBytes(SHARE, 0) + 5 * SIZE);
});

Deno.test("Down is deep when asked, and when the last one has not shown the least round trip", () => {
  assert.equal(begun(true, 0).down.windowBytes(SHARE, 5 * SIZE), 0.6 * SHARE);
  assert.equal(begun(true, 10).down.windowBytes(SHARE, 0), 0.6 * 0.8 * SHARE, "without its queue");
  assert.equal(begun(true, 90).down.windowBytes(SHARE, 0), 0.3 * SHARE, "but not much less");
  const { down, minRtt, queue } = begun(false, 0);
  down.begin(instant(3000), minRtt, queue, false);
  assert.equal(down.windowBytes(SHARE, 0), 0.6 * SHARE);
  minRtt.handleAck(instant(3100), 40);
  down.begin(instant(6500), minRtt, queue, false);
  assert.ok(down.windowBytes(SHARE, 0) > 0.9 * SHARE, "the last one has");
});

Deno.test("Down is over a round trip after inflight has fallen, a deep one after three", () => {
  for (const [isDeep, rounds] of [[false, 1], [true, 3]] as const) {
    const { down, minRtt } = begun(isDeep);
    assert.equal(down.handleInFlight(instant(1010), SHARE, 60 * SIZE, SIZE), false);
    assert.equal(down.isOver(instant(1010), minRtt, true), false);
    assert.ok(down.handleInFlight(instant(1020), 62 * SIZE, 60 * SIZE, SIZE));
    assert.equal(down.handleInFlight(instant(1030), 50 * SIZE, 60 * SIZE, SIZE), false, "once");
    for (let round = 1; round < rounds; round++) {
      assert.equal(down.isOver(instant(1020 + 40 * round), minRtt, true), false);
    }
    assert.ok(down.isOver(instant(1020 + 40 * rounds), minRtt, true));
  }
});

Deno.test("Down is over at once when a deep one sees the least round trip, but no other", () => {
  for (const isDeep of [true, false]) {
    const { down, minRtt } = begun(isDeep);
    down.handleInFlight(instant(1020), 50 * SIZE, 60 * SIZE, SIZE);
    assert.equal(down.isOver(instant(1030), minRtt, false), false);
    minRtt.handleAck(instant(1040), 40.1);
    assert.equal(down.isOver(instant(1040), minRtt, false), isDeep);
  }
});

Deno.test("Down searches for three round trips when the least round trip has become lower", () => {
  const { down, minRtt, queue } = begun(false);
  minRtt.handleAck(instant(1500), 30);
  queue.handleAck(30, true);
  down.begin(instant(3000), minRtt, queue, false);
  assert.equal(down.windowBytes(SHARE, 0), 0.6 * SHARE);
  down.handleInFlight(instant(3010), 50 * SIZE, 60 * SIZE, SIZE);
  minRtt.handleAck(instant(3040), 30);
  assert.equal(down.isOver(instant(3040), minRtt, true), false, "there may be a lower one");
  assert.equal(down.isOver(instant(3080), minRtt, true), false);
  assert.ok(down.isOver(instant(3120), minRtt, true));
});
