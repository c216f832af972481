import assert from "node:assert/strict";
import type { PathEvent } from "../../../lib/events.ts";
import { parseSocketAddress } from "../../../lib/nat/address.ts";
import { PathTeller } from "../../../lib/operation/path_teller.ts";
import { pathEvent } from "../../../lib/operation/path_report.ts";
import { SimWorld } from "../../support/sim_world.ts";

function setUp() {
  const world = new SimWorld(1);
  const told: [number, number][] = [];
  const clock = {
    now: () => world.now,
    setTimer: (deadline: number, callback: () => void) => world.schedule(deadline, callback),
  };
  const news = new PathTeller(clock, ({ rttMs }) => told.push([world.nowMs, rttMs]));
  const push = (rttMs: number): void => news.push(event(rttMs));
  return { world, told, news, push };
}

function event(rttMs: number): PathEvent {
  const path = { socket: 0, remote: parseSocketAddress("192.0.2.1:4000")! };
  return pathEvent(1, path, { method: "punched", rttMs });
}

Deno.test("PathTeller tells the first at once and then the newest, once a second", () => {
  const { world, told, push } = setUp();
  for (let count = 1; count <= 25; count++) world.schedule(count * 100, () => push(count));
  world.run({ untilMs: 10_000 });
  assert.deepEqual(told, [[100, 1], [1100, 11], [2100, 21], [3100, 25]]);
});

Deno.test("PathTeller tells what waits when the session ends, and nothing more", () => {
  const { world, told, news, push } = setUp();
  push(1);
  push(2);
  news.end();
  news.end();
  world.run({ untilMs: 5000 });
  assert.deepEqual(told, [[0, 1], [0, 2]]);
});
