import assert from "node:assert/strict";
import { Hold, HoldTimes } from "../../../lib/protocol/hold_times.ts";
import { instant } from "../../../lib/time.ts";

Deno.test("HoldTimes counts each stretch of time once, for what held then", () => {
  const times = new HoldTimes(instant(100));
  times.note(instant(130), Hold.CONGESTION); // 30 ms without anything to send
  times.note(instant(140), Hold.CONGESTION);
  times.note(instant(150), Hold.LIMIT);
  times.settle(instant(155));
  times.settle(instant(155));
  times.note(instant(160), Hold.NOTHING);
  times.settle(instant(161));
  const expected = new Float64Array(6);
  expected[Hold.APPLICATION] = 30;
  expected[Hold.CONGESTION] = 20;
  expected[Hold.LIMIT] = 10;
  expected[Hold.NOTHING] = 1;
  assert.deepEqual(times.spentMs, expected);
});

Deno.test("HoldTimes takes a clock that stands still or is behind for no time", () => {
  const times = new HoldTimes(instant(100));
  times.note(instant(90), Hold.CREDIT);
  times.settle(instant(100));
  assert.equal(times.spentMs.reduce((sum, ms) => sum + ms), 0);
});
