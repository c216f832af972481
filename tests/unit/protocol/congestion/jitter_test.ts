// Goal: what a path's delay wanders is learned, and what queues and clean paths show is not.
// Method: rounds with given deviations.
import assert from "node:assert/strict";
import { Jitter } from "../../../../lib/protocol/congestion/jitter.ts";
import { QueueWatch } from "../../../../lib/protocol/congestion/queue_watch.ts";

function learned(minRttMs: number, deviationMs: (round: number) => number, rounds = 300): Jitter {
  const jitter = new Jitter();
  for (let round = 0; round < rounds; round++) jitter.handleRound(deviationMs(round), minRttMs);
  return jitter;
}

Deno.test("Jitter is what two thirds of the rounds stay below", () => {
  const { valueMs } = learned(8, (round) => round * 7 % 10 / 2);
  assert.ok(valueMs > 2.4 && valueMs < 4, `${valueMs}`);
});

Deno.test("Jitter does not take queues that come and go, nor a little of the path, for it", () => {
  assert.equal(learned(40, (round) => round % 20 < 4 ? 30 : 0.2).valueMs, 0);
  assert.equal(learned(40, () => 1.2).valueMs, 0);
  assert.ok(learned(40, () => 3).valueMs > 2.5);
});

Deno.test("Jitter is forgotten", () => {
  const jitter = learned(8, () => 3);
  for (let round = 0; round < 30; round++) jitter.handleRound(0, 8);
  assert.equal(jitter.valueMs, 0);
});

Deno.test("QueueWatch sees no queue in twice the jitter", () => {
  const queue = new QueueWatch(learned(8, () => 2));
  for (let sample = 0; sample < 4; sample++) queue.handleAck(14, sample === 0);
  assert.equal(queue.isStanding(8), false);
  assert.equal(queue.isBuilding(8), false);
  assert.ok(queue.isStanding(6) && queue.isBuilding(6));
});
