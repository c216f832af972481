// Goal: ProbeRTT keeps inflight low for 200 ms and a round trip, whichever is longer.
// Method: inflight and rounds by hand.
import assert from "node:assert/strict";
import { ProbeRtt } from "../../../../lib/protocol/congestion/probe_rtt.ts";
import { instant } from "../../../../lib/time.ts";

function fallen(): ProbeRtt {
  const probe = new ProbeRtt();
  probe.begin();
  assert.equal(probe.handleInFlight(instant(1000), 11, 10), false);
  assert.equal(probe.isOver(instant(1500), true), false, "not low yet");
  assert.ok(probe.handleInFlight(instant(2000), 10, 10));
  assert.equal(probe.handleInFlight(instant(2001), 9, 10), false, "told once");
  return probe;
}

Deno.test("ProbeRtt is over after 200 ms and a round trip", () => {
  const short = fallen();
  assert.equal(short.isOver(instant(2100), true), false);
  assert.ok(short.isOver(instant(2201), false));
  const long = fallen();
  assert.equal(long.isOver(instant(2900), false), false);
  assert.ok(long.isOver(instant(3000), true));
});

Deno.test("ProbeRtt leaves a twentieth of the share", () => {
  assert.equal(new ProbeRtt().windowBytes(100_000), 5000);
});
