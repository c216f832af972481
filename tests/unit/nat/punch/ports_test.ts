import assert from "node:assert/strict";
import fc from "fast-check";
import {
  LOWEST_PORT,
  nearestPort,
  PORT_COUNT,
  portAhead,
  stepsAhead,
} from "../../../../lib/nat/punch/ports.ts";

const anyPort = fc.integer({ min: 1, max: 65_535 });

Deno.test("nearestPort gives every port from 1024 to 65535 once, the nearer the earlier", () => {
  for (const base of [1, 1024, 1025, 2000, 33_000, 65_000, 65_534, 65_535]) {
    const center = Math.max(base, LOWEST_PORT);
    const seen = new Set<number>();
    let distance = 0;
    for (let index = 0; index < PORT_COUNT; index++) {
      const port = nearestPort(base, index);
      assert.ok(port >= LOWEST_PORT && port <= 65_535, `${port}`);
      assert.ok(Math.abs(port - center) >= distance);
      distance = Math.abs(port - center);
      seen.add(port);
    }
    assert.equal(seen.size, PORT_COUNT);
    assert.equal(nearestPort(base, PORT_COUNT), nearestPort(base, 0));
  }
});

Deno.test("nearestPort covers 1023 ports on both sides with its first 2047", () => {
  const first = Array.from({ length: 2047 }, (_, index) => nearestPort(30_000, index));
  assert.equal(Math.min(...first), 30_000 - 1023);
  assert.equal(Math.max(...first), 30_000 + 1023);
  assert.deepEqual(first.slice(0, 5), [30_000, 30_001, 29_999, 30_002, 29_998]);
});

Deno.test("portAhead walks upwards from the next port and goes on at 1024", () => {
  assert.deepEqual([0, 1, 2].map((index) => portAhead(40_000, index)), [40_001, 40_002, 40_003]);
  assert.deepEqual([0, 1, 2].map((index) => portAhead(65_534, index)), [65_535, 1024, 1025]);
  assert.equal(portAhead(40_000, -1), 40_000);
  assert.equal(portAhead(1024, -2), 65_535);
  const all = new Set(Array.from({ length: PORT_COUNT }, (_, index) => portAhead(50_000, index)));
  assert.equal(all.size, PORT_COUNT);
});

Deno.test("stepsAhead undoes portAhead", () => {
  fc.assert(fc.property(anyPort, fc.integer({ min: 0, max: PORT_COUNT - 2 }), (base, index) => {
    assert.equal(stepsAhead(base, portAhead(base, index)), index + 1);
  }));
  assert.equal(stepsAhead(40_000, 40_000), 0);
});
