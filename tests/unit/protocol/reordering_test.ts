// Goal: the loss thresholds are those of RFC 9002 until packets come late, then what was measured, and
// they come down again.
// Method: late packets and loss episodes written out, with a round trip of 100 ms.
import assert from "node:assert/strict";
import {
  GRANULARITY_MS,
  MAX_REORDER_MS,
  MAX_REORDER_THRESHOLD_PACKETS,
  REORDER_MEMORY_EPISODES,
  REORDER_THRESHOLD_PACKETS,
  TIME_THRESHOLD,
} from "../../../lib/protocol/params.ts";
import { Reordering } from "../../../lib/protocol/reordering.ts";
import { RttEstimator } from "../../../lib/protocol/rtt.ts";

function rttOf(ms: number): RttEstimator {
  const rtt = new RttEstimator();
  rtt.addSample(ms, 0);
  return rtt;
}

function age(reordering: Reordering, episodes: number): void {
  for (let count = 0; count < episodes; count++) reordering.handleEpisode();
}

Deno.test("Reordering begins with the thresholds of RFC 9002", () => {
  const reordering = new Reordering();
  assert.equal(reordering.thresholdPackets, REORDER_THRESHOLD_PACKETS);
  assert.equal(reordering.thresholdMs(rttOf(100)), TIME_THRESHOLD * 100);
  assert.equal(reordering.thresholdMs(rttOf(0.1)), GRANULARITY_MS);
});

Deno.test("[LOSS-2] Reordering asks for more than the furthest and the latest packet needed", () => {
  const reordering = new Reordering();
  const rtt = rttOf(100);
  reordering.handleLate(1, 101, rtt);
  assert.equal(reordering.thresholdPackets, REORDER_THRESHOLD_PACKETS, "no less than at first");
  assert.equal(reordering.thresholdMs(rtt), TIME_THRESHOLD * 100);
  reordering.handleLate(40, 120, rtt);
  reordering.handleLate(10, 180, rtt);
  assert.equal(reordering.thresholdPackets, 41);
  assert.equal(reordering.thresholdMs(rtt), 100 + 80 * TIME_THRESHOLD);
});

Deno.test("[LOSS-2] Reordering's thresholds have bounds", () => {
  const reordering = new Reordering();
  reordering.handleLate(1e6, 60_000, rttOf(100));
  assert.equal(reordering.thresholdPackets, MAX_REORDER_THRESHOLD_PACKETS);
  assert.equal(reordering.thresholdMs(rttOf(100)), 200);
  assert.equal(reordering.thresholdMs(rttOf(1)), 1 + MAX_REORDER_MS);
});

Deno.test("[LOSS-2] Reordering forgets what no packet needed for 16 round trips with losses", () => {
  const reordering = new Reordering();
  const rtt = rttOf(100);
  reordering.handleLate(40, 180, rtt);
  age(reordering, REORDER_MEMORY_EPISODES - 1);
  reordering.handleLate(20, 150, rtt);
  assert.equal(reordering.thresholdPackets, 41);
  age(reordering, 1);
  assert.equal(reordering.thresholdPackets, 21, "what was needed since");
  assert.equal(reordering.thresholdMs(rtt), 100 + 50 * TIME_THRESHOLD);
  reordering.handleLate(20, 150, rtt);
  age(reordering, REORDER_MEMORY_EPISODES - 1);
  assert.equal(reordering.thresholdPackets, 21, "needed again");
  age(reordering, 1);
  assert.equal(reordering.thresholdPackets, REORDER_THRESHOLD_PACKETS);
  assert.equal(reordering.thresholdMs(rtt), TIME_THRESHOLD * 100);
});

Deno.test("Reordering begins anew on another path", () => {
  const reordering = new Reordering();
  reordering.handleLate(40, 180, rttOf(100));
  reordering.clear();
  assert.equal(reordering.thresholdPackets, REORDER_THRESHOLD_PACKETS);
  assert.equal(reordering.thresholdMs(rttOf(100)), TIME_THRESHOLD * 100);
});
