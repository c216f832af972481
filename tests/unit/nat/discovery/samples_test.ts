import assert from "node:assert/strict";
import { parseSocketAddress } from "../../../../lib/nat/address.ts";
import { DiscoverySamples } from "../../../../lib/nat/discovery/samples.ts";
import { instant } from "../../../../lib/time.ts";

/** Adds how `server` saw socket 0 (5000 inside) at `ms`. */
function add(samples: DiscoverySamples, order: number, server: number, port: number, ms = 0) {
  samples.add({
    at: instant(ms),
    order,
    socket: 0,
    localPort: 5000,
    server: parseSocketAddress(`203.0.113.${server}:3478`)!,
    mapped: parseSocketAddress(`198.51.100.7:${port}`)!,
  });
}

Deno.test("DiscoverySamples keeps the order of the requests, not of the answers", () => {
  const samples = new DiscoverySamples();
  add(samples, 3, 3, 40_002);
  add(samples, 1, 1, 40_000);
  add(samples, 2, 2, 40_001);
  assert.deepEqual(samples.of(0).map(({ order }) => order), [1, 2, 3]);
  assert.deepEqual(samples.pattern(4), { pattern: "sequential", step: 1, newestPort: 40_002 });
});

Deno.test("DiscoverySamples lets an unchanged mapping keep its place", () => {
  const samples = new DiscoverySamples();
  add(samples, 1, 1, 40_000);
  add(samples, 2, 2, 40_001);
  add(samples, 3, 1, 40_000);
  assert.equal(samples.pattern(4).newestPort, 40_001);
  add(samples, 4, 1, 40_007);
  assert.equal(samples.of(0).length, 2);
  assert.equal(samples.pattern(4).newestPort, 40_007);
});

Deno.test("DiscoverySamples forgets one family and stays small", () => {
  const samples = new DiscoverySamples();
  for (let order = 1; order <= 200; order++) add(samples, order, order, 1000 + order);
  assert.equal(samples.of(0).length, 64);
  assert.equal(samples.of(0).at(-1)!.order, 200, "the newest is there");
  samples.forget(6);
  assert.equal(samples.of(0).length, 64);
  samples.forget(4);
  assert.deepEqual(samples.of(0), []);
});
