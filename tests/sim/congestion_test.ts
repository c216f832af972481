/**
 * Goal: BBR fills links whatever they lose, keeps queues short, finds the path's round trip again
 * when it changes, and shares a link with its like and with CUBIC, whoever came first.
 * Method: flows with the real recovery, pacer and controllers over one simulated queue, in virtual
 * time; the shares are those of the ten seconds that begin twenty after the last flow.
 */
import assert from "node:assert/strict";
import { Bbr } from "../../lib/protocol/congestion/bbr.ts";
import type { LinkOptions } from "../support/link.ts";
import { type FlowPlan, jainIndex, SharedLink } from "../support/shared_link.ts";

const MBIT = 125_000;
const RATE = 100 * MBIT;

function link(
  rttMs: number,
  queue: number,
  faults: LinkOptions = {},
  rateBytesPerSecond = RATE,
): LinkOptions & { rateBytesPerSecond: number } {
  const queueBytes = queue * rateBytesPerSecond * rttMs / 1000;
  return { delayMs: rttMs / 2, rateBytesPerSecond, queueBytes, ...faults };
}

const SINGLE: readonly [name: string, options: ReturnType<typeof link>, goal: number][] = [
  ["50 ms", link(50, 1), 0.93],
  ["50 ms and 0.1 % loss", link(50, 1, { lossRate: 0.001 }), 0.9],
  ["50 ms and 1 % loss", link(50, 1, { lossRate: 0.01 }), 0.9],
  ["50 ms and 5 % loss", link(50, 1, { lossRate: 0.05 }), 0.85],
  [
    "200 ms, 2 % loss, jitter and reordering",
    link(200, 1, { lossRate: 0.02, jitterMs: 5, reorderRate: 0.01 }),
    0.8,
  ],
];
for (const [name, options, goal] of SINGLE) {
  Deno.test(`Bbr fills 100 Mbit/s, ${name}, and recovery sends little twice`, () => {
    const shared = new SharedLink(1, options, [{ congestion: "bbr" }]);
    const [share] = shared.shares(0, 20_000);
    assert.ok(share! >= goal, `${share}`);
    const { lost, queueDropped } = shared.link.counters;
    const { lostPackets, spuriousPackets, sent } = shared.flows[0]!.recovery;
    assert.ok(spuriousPackets <= 0.02 * sent.next, `${spuriousPackets} sent twice for nothing`);
    assert.ok(lostPackets <= lost + queueDropped + 0.02 * sent.next, `${lostPackets}`);
  });
}

Deno.test("Bbr adds at most 30 ms to 5 Mbit/s, 60 ms and a deep queue", () => {
  const shared = new SharedLink(1, link(60, 20, {}, 5 * MBIT), [{ congestion: "bbr" }]);
  const [share] = shared.shares(0, 30_000);
  assert.ok(share! >= 0.9, `${share}`);
  assert.ok(shared.meanQueueMs <= 30, `${shared.meanQueueMs}`);
});

const TOGETHER: Record<string, readonly number[]> = {
  "two flows that begin at once": [0, 0],
  "two flows, one later": [0, 5000],
  "four flows, one after the other": [0, 3000, 6000, 9000],
};
for (const queue of [0.25, 1, 3]) {
  for (const [name, starts] of Object.entries(TOGETHER)) {
    Deno.test(`Bbr shares a queue of ${queue} of the path fairly: ${name}`, () => {
      const plans = starts.map((startMs): FlowPlan => ({ congestion: "bbr", startMs }));
      const shared = new SharedLink(1, link(40, queue), plans);
      const from = Math.max(...starts) + 20_000;
      const shares = shared.shares(from, from + 10_000);
      assert.ok(jainIndex(shares) >= 0.95, `${shares}`);
    });
  }
  for (const names of [["bbr", "cubic"], ["cubic", "bbr"]] as const) {
    Deno.test(`Bbr and CUBIC live with each other at a queue of ${queue}: ${names} in turn`, () => {
      const plans = names.map((congestion, index) => ({ congestion, startMs: 5000 * index }));
      const shares = new SharedLink(1, link(40, queue), plans).shares(25_000, 35_000);
      assert.ok(Math.min(...shares) >= 0.25, `${shares}`);
    });
  }
}

Deno.test("Bbr finds the least round trip of a path that gets longer, and shorter again", () => {
  const shared = new SharedLink(1, link(40, 3), [{ congestion: "bbr" }]);
  shared.world.run({ untilMs: 5000 });
  const bbr = shared.flows[0]!.controller;
  assert.ok(bbr instanceof Bbr);
  assert.ok(Math.abs(bbr.minRttMs - 40) < 2, `${bbr.minRttMs}`);
  shared.link.change({ delayMs: 50 });
  const [longer] = shared.shares(30_000, 40_000);
  assert.ok(Math.abs(bbr.minRttMs - 70) < 4, `${bbr.minRttMs}`);
  assert.ok(longer! >= 0.9, `${longer}`);
  shared.link.change({ delayMs: 10 });
  const [shorter] = shared.shares(45_000, 50_000);
  assert.ok(Math.abs(bbr.minRttMs - 30) < 2, `${bbr.minRttMs}`);
  assert.ok(shorter! >= 0.9, `${shorter}`);
});

Deno.test("Bbr goes through its states and probes every two to three seconds", () => {
  const shared = new SharedLink(1, link(40, 1), [{ congestion: "bbr" }]);
  const seen: string[] = [];
  let bbr: Bbr | undefined;
  const ups: number[] = [];
  shared.world.run({
    untilMs: 20_000,
    onStep: () => {
      bbr ??= shared.flows[0]!.controller as Bbr;
      if (bbr.state === seen.at(-1)) return;
      seen.push(bbr.state);
      if (bbr.state === "up") ups.push(shared.world.nowMs);
    },
  });
  assert.deepEqual(seen.slice(0, 8), [
    "startup",
    "drain",
    "down",
    "cruise",
    "refill",
    "up",
    "down",
    "cruise",
  ]);
  for (let index = 1; index < ups.length; index++) {
    const pauseMs = ups[index]! - ups[index - 1]!;
    assert.ok(pauseMs > 2000 && pauseMs < 3600, `${pauseMs}`);
  }
  assert.ok(ups.length >= 5);
});
