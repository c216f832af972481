import assert from "node:assert/strict";
import { Renewal } from "../../../lib/portmap/renewal.ts";
import { SimWorld } from "../../support/sim_world.ts";

/** When a lease is renewed and ends if nobody ever answers, seconds. */
function timesOf(lifetimeSeconds: number): { due: number[]; expired: number[] } {
  const world = new SimWorld(1);
  const due: number[] = [];
  const expired: number[] = [];
  const renewal = new Renewal(world.clock, {
    onDue: () => {
      due.push(world.nowMs / 1000);
      world.schedule(world.nowMs + 7750, () => renewal.handleSilence());
    },
    onExpired: () => expired.push(world.nowMs / 1000),
  });
  renewal.handleGranted(lifetimeSeconds);
  world.run({});
  return { due, expired };
}

Deno.test("Renewal is due at half of the lease, then at half of what is left", () => {
  const { due, expired } = timesOf(3600);
  assert.equal(due[0], 1800);
  assert.equal(due[1], 1800 + 7.75 + (1800 - 7.75) / 2);
  assert.ok(due.length < 10);
  assert.deepEqual(expired, [3600]);
});

Deno.test("Renewal bounds what a router may grant", () => {
  assert.equal(timesOf(1).due[0], 30);
  assert.equal(timesOf(0xffff_ffff).due[0], 43_200);
});

Deno.test("Renewal begins anew when it was granted, and ends at stop", () => {
  const world = new SimWorld(1);
  let count = 0;
  const renewal = new Renewal(world.clock, {
    onDue: () => count++,
    onExpired: () => assert.fail("renewed"),
  });
  renewal.handleGranted(3600);
  world.run({ untilMs: 1_700_000 });
  renewal.handleGranted(3600);
  world.run({ untilMs: 1_700_000 + 1_799_000 });
  assert.equal(count, 0);
  world.run({ untilMs: 1_700_000 + 1_800_000 });
  assert.equal(count, 1);
  renewal.stop();
  renewal.handleSilence();
  world.run({});
  assert.equal(count, 1);
});
