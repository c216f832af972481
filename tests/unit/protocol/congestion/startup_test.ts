// Goal: Startup grows fast while the path is empty, slower with a queue, and ends with one.
// Method: queues and losses by hand.
import assert from "node:assert/strict";
import { QueueWatch } from "../../../../lib/protocol/congestion/queue_watch.ts";
import { RoundLosses } from "../../../../lib/protocol/congestion/round_losses.ts";
import {
  hasStartupLosses,
  hasStartupQueue,
  startupRate,
  startupWindow,
} from "../../../../lib/protocol/congestion/startup.ts";

const SIZE = 1000;

function queueOf(queueMs: number): QueueWatch {
  const queue = new QueueWatch();
  for (let sample = 0; sample < 4; sample++) queue.handleAck(50 + queueMs, sample === 0);
  return queue;
}

Deno.test("startupWindow grows by twice what is acknowledged, with a queue by as much", () => {
  assert.equal(startupWindow(64 * SIZE, 10 * SIZE, 10, 50, queueOf(0), SIZE), 84 * SIZE);
  assert.equal(startupWindow(64 * SIZE, 10 * SIZE, 10, 50, queueOf(4), SIZE), 74 * SIZE);
});

Deno.test("startupWindow stops at 2.5 times what the largest rate needs and the first window", () => {
  const most = 2.5 * 1000 * 50 + 64 * SIZE;
  assert.equal(startupWindow(most, 10 * SIZE, 1000, 50, queueOf(0), SIZE), most);
  assert.ok(startupWindow(most - 1, 10 * SIZE, 1000, 50, queueOf(0), SIZE) > most);
});

Deno.test("startupRate is that of the window before the samples tell more", () => {
  assert.equal(startupRate(0, 64 * SIZE, 50), 2 * 64 * SIZE / 50);
  assert.equal(startupRate(10_000, 64 * SIZE, 50), 27_700);
});

Deno.test("hasStartupQueue sees a fifth of the round trip and 5 ms", () => {
  assert.equal(hasStartupQueue(queueOf(9), 50), false);
  assert.ok(hasStartupQueue(queueOf(11), 50));
  const queue = new QueueWatch();
  for (let sample = 0; sample < 4; sample++) queue.handleAck(10, sample === 0);
  assert.equal(hasStartupQueue(queue, 5.5), false);
  assert.ok(hasStartupQueue(queue, 4));
});

Deno.test("hasStartupLosses asks for six, and for too many", () => {
  const losses = new RoundLosses();
  losses.handleAcked(20 * SIZE);
  losses.handleLost(5 * SIZE, 5);
  assert.equal(hasStartupLosses(losses, SIZE, true), false);
  losses.handleLost(SIZE, 1);
  assert.ok(hasStartupLosses(losses, SIZE, true));
  losses.handleAcked(1000 * SIZE);
  assert.equal(hasStartupLosses(losses, SIZE, true), false);
});
