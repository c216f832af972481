import assert from "node:assert/strict";
import { AWAKE_GRACE_MS, waitUntil } from "../../../lib/operation/patience.ts";
import { instant } from "../../../lib/time.ts";
import { SimProcess } from "../../support/sim_process.ts";
import { SimWorld } from "../../support/sim_world.ts";

/** When a wait of 1 s was over in a program that sleeps from 0 on. */
function overAt(sleepUntilMs: number): number[] {
  const world = new SimWorld(1);
  const process = new SimProcess(world);
  const over: number[] = [];
  waitUntil(process.clock, instant(1000), () => over.push(world.nowMs));
  process.sleep(sleepUntilMs);
  world.run({ untilMs: 1_000_000 });
  return over;
}

Deno.test("waitUntil is over in time", () => {
  assert.deepEqual(overAt(0), [1000]);
});

Deno.test("waitUntil gives whoever is to come a minute after a sleep", () => {
  assert.deepEqual(overAt(60_000), [60_000 + AWAKE_GRACE_MS]);
  // A busy machine is no sleeping one.
  assert.deepEqual(overAt(4000), [4000]);
});

Deno.test("waitUntil can be called off, also in the minute after a sleep", () => {
  const world = new SimWorld(1);
  const process = new SimProcess(world);
  const cancel = waitUntil(process.clock, instant(1000), () => assert.fail("over"));
  process.sleep(60_000);
  world.run({ untilMs: 70_000 });
  cancel();
  world.run({ untilMs: 1_000_000 });
});
