import assert from "node:assert/strict";
import { RouterEpoch } from "../../../lib/portmap/router_epoch.ts";
import { instant } from "../../../lib/time.ts";

/** An epoch that was noted once. */
function noted(epochSeconds: number, atMs: number): RouterEpoch {
  const epoch = new RouterEpoch();
  epoch.note(epochSeconds, instant(atMs));
  return epoch;
}

Deno.test("RouterEpoch takes a clock that goes on for one that goes on", () => {
  assert.equal(new RouterEpoch().hasRestarted(0, instant(0)), false);
  const epoch = noted(1000, 0);
  assert.equal(epoch.hasRestarted(1100, instant(100_000)), false);
  // One part in sixteen slower, and two seconds of delivery.
  assert.equal(epoch.hasRestarted(1000 + 1500 - 2, instant(1_600_000)), false);
});

Deno.test("RouterEpoch takes a clock that ran ahead for one that goes on", () => {
  assert.equal(noted(1000, 0).hasRestarted(9000, instant(100_000)), false);
});

Deno.test("RouterEpoch notices a clock that began anew, until that is noted", () => {
  const epoch = noted(1000, 0);
  assert.equal(epoch.hasRestarted(5, instant(100_000)), true);
  assert.equal(epoch.hasRestarted(6, instant(101_000)), true, "to look is not to note");
  epoch.note(5, instant(100_000));
  assert.equal(epoch.hasRestarted(105, instant(200_000)), false);
});

Deno.test("RouterEpoch notices a router that restarted long ago", () => {
  assert.equal(noted(1000, 0).hasRestarted(2000, instant(1_800_000)), true);
});
