/**
 * Goal: whatever a path loses, delays, repeats or reorders, little is sent again that was not lost,
 * nothing stands still for longer than a probe timeout or two, and what the path can carry in one
 * datagram is known after the first round trip.
 * Method: connections without encryption over simulated links, and a meter at the link that tells
 * bytes of the file sent, dropped and arrived; paths by name and drawn from seeds, outages, size
 * limits.
 */
import assert from "node:assert/strict";
import type { CongestionName } from "../../lib/protocol/congestion/choose.ts";
import { BASE_DATAGRAM_BYTES, MAX_PROBE_INTERVAL_MS } from "../../lib/protocol/params.ts";
import type { LinkOptions } from "../support/link.ts";
import { MeteredPair } from "../support/metered_pair.ts";
import type { Prng } from "../support/prng.ts";
import { seededTest } from "../support/seeded_test.ts";
import { SimWorld } from "../support/sim_world.ts";

const MBIT = 125_000;
const MB = 1_000_000;
/** Bytes sent again for nothing, as a share of the file. */
const MOST_REDUNDANT = 0.02;
const CONTROLLERS: readonly CongestionName[] = ["bbr", "cubic"];

/** One direction of a path, with a queue that holds what the path itself holds, or 40 datagrams. */
function link(rttMs: number, mbit: number, faults: LinkOptions = {}, queue = 1): LinkOptions {
  const rateBytesPerSecond = mbit * MBIT;
  const queueBytes = Math.max(60_000, queue * rateBytesPerSecond * rttMs / 1000);
  return { delayMs: rttMs / 2, rateBytesPerSecond, queueBytes, ...faults };
}

function checkRedundancy(pair: MeteredPair, name: string): void {
  assert.ok(pair.isComplete, `${name}: ${pair.arrivedBytes} of ${pair.fileBytes} bytes`);
  const share = pair.redundantShare;
  assert.ok(share <= MOST_REDUNDANT, `${name}: ${(100 * share).toFixed(2)} % sent for nothing`);
}

const FAULTS: Record<string, { readonly forth: LinkOptions; readonly back?: LinkOptions }> = {
  "nothing": { forth: {} },
  "0.1 % loss": { forth: { lossRate: 0.001 } },
  "5 % loss": { forth: { lossRate: 0.05 } },
  "2 % loss in bursts": { forth: { burstLoss: { enterRate: 0.004, leaveRate: 0.2 } } },
  "smooth jitter of 20 ms": { forth: { jitterMs: 20 } },
  "jitter of 20 ms that reorders": { forth: { jitterMs: 20, jitterKind: "independent" } },
  "5 % overtaken by 0.5 ms": { forth: { reorderRate: 0.05, reorderMs: 0.5 } },
  "5 % overtaken by 20 ms": { forth: { reorderRate: 0.05, reorderMs: 20 } },
  "1 % overtaken by 20 ms, 2 % loss, jitter": {
    forth: { reorderRate: 0.01, reorderMs: 20, lossRate: 0.02, jitterMs: 5 },
  },
  "5 % repeated": { forth: { duplicateRate: 0.05 } },
  "20 % of the ACKs lost": { forth: { lossRate: 0.01 }, back: { lossRate: 0.2 } },
  "ACKs that overtake one another": {
    forth: {},
    back: { jitterMs: 20, jitterKind: "independent" },
  },
};
for (const [name, { forth, back = forth }] of Object.entries(FAULTS)) {
  Deno.test(`Connection sends little twice for nothing on paths of 1 to 600 ms with ${name}`, () => {
    for (const [rttMs, mbit] of [[1, 100], [20, 100], [50, 20], [200, 50], [600, 20]] as const) {
      const world = new SimWorld(7);
      const pair = new MeteredPair(world, {
        forth: link(rttMs, mbit, forth),
        back: { delayMs: rttMs / 2, ...back },
        fileBytes: 6 * MB,
        congestion: "bbr",
        rttMs,
      });
      world.run({ untilMs: 120_000, until: () => pair.isComplete });
      checkRedundancy(pair, `${rttMs} ms`);
    }
  });
}

Deno.test("[LOSS-3] Connection's probes carry what is new, so that a lost ACK costs nothing", () => {
  const world = new SimWorld(1);
  // CUBIC has a few datagrams on the way here: all ACKs for them are lost every now and then.
  const pair = new MeteredPair(world, {
    forth: link(65, 200, { lossRate: 0.05 }),
    back: { delayMs: 32.5, lossRate: 0.2 },
    fileBytes: 6 * MB,
    congestion: "cubic",
    rttMs: 65,
  });
  world.run({ untilMs: 3_000_000, until: () => pair.isComplete });
  assert.ok(pair.isComplete);
  assert.ok(pair.redundantShare <= 0.001, `${pair.redundantShare}`);
});

/** A path with some of all faults, and how long it may hold a datagram back beyond the round trip. */
function drawPath(prng: Prng) {
  const rttMs = Math.exp(prng.between(0, Math.log(600)));
  const forth: { -readonly [K in keyof LinkOptions]: LinkOptions[K] } = {
    ...link(rttMs, prng.pick([10, 20, 50, 100]), {}, prng.between(0.5, 2)),
  };
  const back: typeof forth = { delayMs: rttMs / 2 };
  if (prng.chance(0.6)) forth.lossRate = prng.pick([0.001, 0.01, 0.02, 0.05]);
  if (prng.chance(0.3)) {
    forth.burstLoss = {
      enterRate: prng.between(0.0001, 0.002),
      leaveRate: 1 / prng.between(2, 6),
    };
  }
  if (prng.chance(0.3)) forth.duplicateRate = prng.between(0, 0.05);
  if (prng.chance(0.5)) back.lossRate = prng.pick([0.01, 0.05, 0.2]);
  for (const direction of [forth, back]) {
    if (prng.chance(0.4)) {
      direction.jitterMs = prng.between(0, 20);
      direction.jitterKind = prng.pick(["smooth", "independent"]);
    }
    if (prng.chance(0.4)) {
      direction.reorderRate = prng.between(0, 0.05);
      direction.reorderMs = prng.between(0.1, 20);
    }
  }
  const queueMs = 1000 * forth.queueBytes! / forth.rateBytesPerSecond!;
  return { rttMs, forth, back, slackMs: queueMs + 80 };
}

seededTest(
  "Connection neither stalls nor sends much twice on paths with random faults",
  40,
  (seed) => {
    const world = new SimWorld(seed);
    const { rttMs, forth, back, slackMs } = drawPath(world.prng);
    const congestion = world.prng.pick(CONTROLLERS);
    const pair = new MeteredPair(world, { rttMs, forth, back, congestion, fileBytes: 6 * MB });
    world.run({ untilMs: 3_000_000, until: () => pair.isComplete });
    checkRedundancy(pair, `${congestion}, ${rttMs.toFixed(1)} ms`);
    // A burst ends after so many datagrams, and probes are few: that says nothing of real paths.
    if (forth.burstLoss) return;
    // A probe and its answer may both be lost.
    const mostMs = 4 * Math.max(MAX_PROBE_INTERVAL_MS, 2 * rttMs + slackMs);
    assert.ok(pair.longestPauseMs <= mostMs, `stood still for ${pair.longestPauseMs} ms`);
  },
);

for (const congestion of CONTROLLERS) {
  for (const direction of ["both directions", "one direction", "the ACKs' direction"]) {
    Deno.test(`Connection goes on after an outage of ${direction}, with ${congestion}`, () => {
      for (const rttMs of [1, 20, 50, 200, 600]) {
        for (const outageMs of [500, 2000, 5000]) {
          const world = new SimWorld(3);
          const pair = new MeteredPair(world, {
            forth: link(rttMs, 20),
            back: { delayMs: rttMs / 2 },
            fileBytes: 20 * MB,
            congestion,
            rttMs,
          });
          world.run({ untilMs: 5000 });
          const [first, second] = [pair.forth.model, pair.back.model];
          const cut = direction === "both directions"
            ? [first, second]
            : [direction === "one direction" ? first : second];
          for (const model of cut) model.up = false;
          world.run({ untilMs: 5000 + outageMs });
          for (const model of cut) model.up = true;
          const [backMs, before] = [world.nowMs, pair.arrivedBytes];
          const what = `${rttMs} ms, outage of ${outageMs} ms`;

          // A probe timeout, of which the deviation of the round trip is a part, and the way there.
          const firstMs = MAX_PROBE_INTERVAL_MS + 25 + 2.5 * rttMs;
          world.run({ untilMs: backMs + firstMs, until: () => pair.arrivedBytes > before });
          assert.ok(pair.arrivedBytes > before, `${what}: nothing arrived within ${firstMs} ms`);
          world.run({ untilMs: world.nowMs + 1000 + 8 * rttMs });
          const arrived = pair.arrivedBytes - before;
          assert.ok(arrived >= 100_000, `${what}: ${arrived} bytes later`);
          assert.equal(pair.sender.statistics.datagramBytes, 1472, what);
          world.run({ untilMs: 600_000, until: () => pair.isComplete });
          checkRedundancy(pair, what);
        }
      }
    });
  }
}

Deno.test("[MTU-1] Connection knows the largest datagram after one round trip, beside the first data", () => {
  for (
    const [mtuBytes, datagramBytes] of [[1500, 1472], [1492, 1464], [1400, 1372], [1280, 1252]]
  ) {
    for (const rttMs of [1, 50, 600]) {
      const world = new SimWorld(1);
      const forth = link(rttMs, 100, { mtuBytes: mtuBytes! });
      const pair = new MeteredPair(world, { forth, fileBytes: MB, rttMs });
      world.run({ untilMs: rttMs / 2 + 2 });
      assert.ok(pair.arrivedBytes > 0, "data did not wait for the answer");
      world.run({ untilMs: rttMs + 2 });
      assert.equal(pair.sender.statistics.datagramBytes, datagramBytes, `${rttMs} ms`);
    }
  }
});

Deno.test("[MTU-1] Connection comes to a large datagram within some round trips when one in five is lost", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const world = new SimWorld(seed);
    const forth = link(50, 100, { lossRate: 0.2 });
    const pair = new MeteredPair(world, { forth, fileBytes: MB, congestion: "bbr", rttMs: 50 });
    world.run({ untilMs: 400 });
    const { datagramBytes } = pair.sender.statistics;
    assert.ok(datagramBytes >= 1252, `seed ${seed}: ${datagramBytes}`);
  }
});

Deno.test("[MTU-1] Connection probes sizes again when a burst of losses took all probes", () => {
  for (const rttMs of [1, 50, 600]) {
    const world = new SimWorld(1);
    const pair = new MeteredPair(world, {
      forth: link(rttMs, 100, { lossRate: 1 }),
      back: { delayMs: rttMs / 2 },
      fileBytes: 2 * MB,
      congestion: "bbr",
      rttMs,
    });
    world.run({ untilMs: rttMs / 4 });
    assert.equal(pair.sender.statistics.datagramBytes, BASE_DATAGRAM_BYTES);
    pair.forth.model.change({ lossRate: 0 });
    world.run({ untilMs: 2 * MAX_PROBE_INTERVAL_MS + 5 * rttMs });
    assert.equal(pair.sender.statistics.datagramBytes, 1472, `${rttMs} ms`);
  }
});

Deno.test("Connection's last bytes are there soon, also when the last packets are lost", () => {
  for (const [lossRate, meanRoundTrips, mostRoundTrips] of [[0, 0.7, 0.7], [0.05, 2, 8]] as const) {
    const rttMs = 50;
    const roundTrips: number[] = [];
    for (let seed = 1; seed <= 60; seed++) {
      const world = new SimWorld(seed);
      const forth = link(rttMs, 100, { lossRate });
      const pair = new MeteredPair(world, {
        forth,
        fileBytes: 200_000,
        congestion: "bbr",
        rttMs,
      });
      world.run({ untilMs: 20_000, until: () => pair.isComplete });
      roundTrips.push((pair.allArrivedMs - pair.allSentMs) / rttMs);
    }
    const mean = roundTrips.reduce((sum, value) => sum + value, 0) / roundTrips.length;
    const most = Math.max(...roundTrips);
    assert.ok(mean <= meanRoundTrips && most <= mostRoundTrips, `${mean}, at most ${most}`);
  }
});

Deno.test("[ACK-1] Connection's ACKs are few: one in sixteen, and two for each gap", () => {
  for (const [faults, most] of [[{}, 0.075], [{ lossRate: 0.05 }, 0.15]] as const) {
    const world = new SimWorld(1);
    const pair = new MeteredPair(world, {
      forth: link(20, 100, faults),
      back: { delayMs: 10 },
      fileBytes: 10 * MB,
      congestion: "bbr",
      rttMs: 20,
    });
    world.run({ untilMs: 60_000, until: () => pair.isComplete });
    const share = pair.back.model.counters.entered / pair.forth.model.counters.delivered;
    assert.ok(share <= most, `${share}`);
  }
});
