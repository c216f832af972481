import assert from "node:assert/strict";
import { PacedValue } from "../../../lib/traversal/paced_value.ts";
import { SimWorld } from "../../support/sim_world.ts";

/** A value with a pause of a second, and what was told when. */
function paced(): { world: SimWorld; value: PacedValue<string>; told: unknown[] } {
  const world = new SimWorld(1);
  const told: unknown[] = [];
  const value: PacedValue<string> = new PacedValue({
    clock: world.clock,
    pauseMs: 1000,
    onChange: () => void told.push([world.nowMs, value.current]),
  });
  return { world, value, told };
}

Deno.test("PacedValue tells the first value at once and the newest after a pause", () => {
  const { world, value, told } = paced();
  value.set("a");
  world.run({ untilMs: 400 });
  value.set("b");
  value.set("c");
  assert.equal(value.current, "a");
  world.run({ untilMs: 1500 });
  value.set("d");
  world.run({ untilMs: 5000 });
  value.set(undefined);
  assert.deepEqual(told, [[0, "a"], [1000, "c"], [2000, "d"], [5000, undefined]]);
});

Deno.test("PacedValue tells nothing when the value is what it was", () => {
  const { world, value, told } = paced();
  value.set(undefined);
  value.set("a");
  value.set("b");
  value.set("a");
  world.run({ untilMs: 5000 });
  value.set("a");
  assert.deepEqual(told, [[0, "a"]]);
});

Deno.test("PacedValue tells nothing more and needs no timer once it is closed", () => {
  for (const isPausing of [true, false]) {
    const { world, value, told } = paced();
    if (isPausing) value.set("a");
    value.set("b");
    value.close();
    value.set("c");
    world.run({});
    assert.equal(world.nowMs, 0);
    assert.equal(told.length, 1);
    assert.equal(value.current, isPausing ? "a" : "b");
  }
});
