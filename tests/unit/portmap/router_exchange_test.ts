import assert from "node:assert/strict";
import { RouterExchange } from "../../../lib/portmap/router_exchange.ts";
import { SimWorld } from "../../support/sim_world.ts";

Deno.test("RouterExchange repeats a request and gives up", () => {
  const world = new SimWorld(1);
  const sentMs: number[] = [];
  let silentMs = 0;
  const exchange = new RouterExchange(world.clock, () => sentMs.push(world.nowMs));
  exchange.begin(new Uint8Array(1), () => silentMs = world.nowMs);
  assert.equal(exchange.isWaiting, true);
  world.run({});
  assert.deepEqual(sentMs, [0, 250, 750, 1750, 3750]);
  assert.equal(silentMs, 7750);
  assert.equal(exchange.isWaiting, false);
});

Deno.test("RouterExchange sends nothing after stop, and one request at a time", () => {
  const world = new SimWorld(1);
  const sent: number[] = [];
  const exchange = new RouterExchange(world.clock, (datagram) => sent.push(datagram[0]!));
  exchange.begin(Uint8Array.of(1), () => assert.fail("stopped"));
  world.run({ untilMs: 300 });
  exchange.begin(Uint8Array.of(2), () => assert.fail("stopped"));
  world.run({ untilMs: 600 });
  exchange.stop();
  world.run({});
  assert.deepEqual(sent, [1, 1, 2, 2]);
});
