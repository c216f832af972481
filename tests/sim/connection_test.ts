/**
 * Goal: whatever a path does, no byte is lost, changed or handed on in the wrong order, and once the
 * path is well the transfer finishes.
 * Method: endpoints with real keys over simulated links whose faults are drawn from the seed; safety
 * is checked after every step, then the link heals and everything must arrive in time.
 */
import assert from "node:assert/strict";
import { EndpointPair } from "../support/endpoint_pair.ts";
import { randomFaults } from "../support/faults.ts";
import type { LinkOptions } from "../support/link.ts";
import { seededTest } from "../support/seeded_test.ts";
import { SimWorld } from "../support/sim_world.ts";

const MIB = 1024 * 1024;
const MBIT = 125_000;

seededTest("Connection delivers everything over paths with random faults", 200, (seed) => {
  const world = new SimWorld(seed);
  const pair = new EndpointPair(world, {
    link: randomFaults(world.prng),
    backLink: randomFaults(world.prng),
    fileBytes: world.prng.pick([1000, 100_000, MIB]),
  });
  const until = () => pair.isComplete || pair.wasCutOff;
  world.run({ untilMs: 20_000, until, onStep: () => pair.check() });
  world.heal();
  world.run({ untilMs: world.nowMs + 120_000, until, onStep: () => pair.check() });
  // A path that carried nothing at all for 30 s is rightly given up; coming back is another layer's.
  if (pair.wasCutOff) return;
  assert.ok(pair.isComplete, `received ${pair.receivedBytes} bytes by ${world.nowMs} ms`);
});

const NAMED: Record<string, LinkOptions> = {
  "20 % loss in bursts": {
    delayMs: 20,
    burstLoss: { enterRate: 0.05, leaveRate: 0.2, lossRate: 1 },
  },
  "jitter of 40 ms that reorders": { delayMs: 20, jitterMs: 40, jitterKind: "independent" },
  "one datagram in ten overtaken": { delayMs: 20, reorderRate: 0.1, reorderMs: 10 },
  "one datagram in five repeated": { delayMs: 20, duplicateRate: 0.2 },
  "one datagram in twenty damaged": { delayMs: 20, corruptRate: 0.05 },
  "an MTU of 1280": { delayMs: 20, mtuBytes: 1280 },
  "1 Mbit/s and a queue of 20 datagrams": {
    delayMs: 20,
    rateBytesPerSecond: MBIT,
    queueBytes: 30_000,
  },
};
for (const [name, link] of Object.entries(NAMED)) {
  seededTest(`Connection delivers everything over ${name}`, 3, (seed) => {
    const world = new SimWorld(seed);
    const pair = new EndpointPair(world, { link, fileBytes: MIB });
    world.run({
      untilMs: 300_000,
      until: () => pair.isComplete,
      onStep: () => pair.check(),
    });
    assert.ok(pair.isComplete, `received ${pair.receivedBytes} bytes by ${world.nowMs} ms`);
  });
}

Deno.test("Connection gives equal bytes for equal seeds", () => {
  const trace = (): string => {
    const world = new SimWorld(42);
    const pair = new EndpointPair(world, {
      link: { delayMs: 10, jitterMs: 5, lossRate: 0.05, rateBytesPerSecond: 10 * MBIT },
      fileBytes: 300_000,
    });
    let steps = 0;
    world.run({ untilMs: 60_000, until: () => pair.isComplete, onStep: () => steps++ });
    return JSON.stringify([
      steps,
      world.nowMs,
      pair.sharer.connection?.statistics,
      pair.client.connection?.statistics,
      world.links.map(({ model }) => model.counters),
    ]);
  };
  assert.equal(trace(), trace());
});

Deno.test("Connection fills a link of 100 Mbit/s and 50 ms", () => {
  const world = new SimWorld(1);
  const rateBytesPerSecond = 100 * MBIT;
  const pair = new EndpointPair(world, {
    link: { delayMs: 25, rateBytesPerSecond, queueBytes: rateBytesPerSecond * 0.05 },
    backLink: { delayMs: 25 },
    fileBytes: 50_000_000,
  });
  world.run({ untilMs: 20_000, until: () => pair.isComplete });
  assert.ok(pair.isComplete);
  const share = 50_000_000 / (rateBytesPerSecond * world.nowMs / 1000);
  assert.ok(share > 0.88, `used ${share.toFixed(3)} of the link`);
});

Deno.test("Connection learns an MTU of 1400 and uses it", () => {
  const world = new SimWorld(1);
  const pair = new EndpointPair(world, { link: { delayMs: 5, mtuBytes: 1400 }, fileBytes: MIB });
  world.run({ untilMs: 60_000, until: () => pair.isComplete });
  assert.equal(pair.sharer.connection?.statistics.datagramBytes, 1372);
});
