import assert from "node:assert/strict";
import { RouterEpoch } from "../../../lib/portmap/router_epoch.ts";
import { instant } from "../../../lib/time.ts";

Deno.test("RouterEpoch takes a clock that goes on for one that goes on", () => {
  const epoch = new RouterEpoch();
  assert.equal(epoch.observe(1000, instant(0)), false);
  assert.equal(epoch.observe(1100, instant(100_000)), false);
  // One part in sixteen slower, and two seconds of delivery.
  assert.equal(epoch.observe(1100 + 1500 - 2, instant(100_000 + 1_600_000)), false);
});

Deno.test("RouterEpoch takes a clock that ran ahead for one that goes on", () => {
  const epoch = new RouterEpoch();
  epoch.observe(1000, instant(0));
  assert.equal(epoch.observe(9000, instant(100_000)), false);
});

Deno.test("RouterEpoch notices a clock that began anew, once", () => {
  const epoch = new RouterEpoch();
  epoch.observe(1000, instant(0));
  assert.equal(epoch.observe(5, instant(100_000)), true);
  assert.equal(epoch.observe(105, instant(200_000)), false);
});

Deno.test("RouterEpoch notices a router that restarted long ago", () => {
  const epoch = new RouterEpoch();
  epoch.observe(1000, instant(0));
  assert.equal(epoch.observe(2000, instant(1_800_000)), true);
});
