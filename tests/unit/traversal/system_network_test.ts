import assert from "node:assert/strict";
import { type LookUp, nameResolver } from "../../../lib/traversal/system_network.ts";
import { SimWorld } from "../../support/sim_world.ts";

/** A name server that answers nothing: look-ups end when they are aborted. */
const dead: LookUp = (_name, _type, { signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

Deno.test("nameResolver gives the addresses of both families", async () => {
  const world = new SimWorld(1);
  const resolve = nameResolver(
    world.clock,
    (name, type) => Promise.resolve([`${type} of ${name}`]),
  );
  assert.deepEqual(await resolve("example.org"), ["A of example.org", "AAAA of example.org"]);
  world.run({});
  assert.equal(world.nowMs, 0, "no timer is left");
});

Deno.test("nameResolver gives what there is when a family has none", async () => {
  const { clock } = new SimWorld(1);
  const only = (family: string): LookUp => (_name, type) =>
    type === family ? Promise.resolve([family]) : Promise.reject(new Error("no records"));
  assert.deepEqual(await nameResolver(clock, only("A"))("example.org"), ["A"]);
  assert.deepEqual(await nameResolver(clock, only("AAAA"))("example.org"), ["AAAA"]);
  assert.deepEqual(await nameResolver(clock, only("MX"))("example.org"), []);
});

Deno.test("nameResolver gives up a dead name server after 2.5 s", async () => {
  const world = new SimWorld(1);
  const until = nameResolver(world.clock, dead)("example.org");
  assert.deepEqual(await world.runAsync({ until }), []);
  assert.equal(world.nowMs, 2500);
});

Deno.test("nameResolver gives after 2.5 s what came by then", async () => {
  const world = new SimWorld(1);
  const half: LookUp = (name, type, options) =>
    type === "A" ? Promise.resolve(["192.0.2.1"]) : dead(name, type, options);
  const until = nameResolver(world.clock, half)("example.org");
  assert.deepEqual(await world.runAsync({ until }), ["192.0.2.1"]);
  assert.equal(world.nowMs, 2500);
});

Deno.test("nameResolver ends at once when it is aborted", async () => {
  const world = new SimWorld(1);
  const controller = new AbortController();
  const looking = nameResolver(world.clock, dead)("example.org", controller.signal);
  controller.abort();
  assert.deepEqual(await looking, []);
  world.run({});
  assert.equal(world.nowMs, 0, "no timer is left");
});
