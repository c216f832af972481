// Goal: what BBR decides is a number, whatever comes first.
// Method: ACKs by hand; whole paths are simulated in tests/sim/congestion_test.ts.
import assert from "node:assert/strict";
import { Bbr } from "../../../../lib/protocol/congestion/bbr.ts";
import { RttEstimator } from "../../../../lib/protocol/rtt.ts";
import { instant } from "../../../../lib/time.ts";
import { Prng } from "../../../support/prng.ts";
import { sampleOf } from "./_sample.ts";

const SIZE = 1200;

// A peer that slept from the first packet on: the ACK that wakes the session tells of many losses,
// and what it acknowledges last gives no round trip. Seed 6 of tests/sim/swarm_test.ts.
Deno.test("Bbr goes on with Startup after many losses and no round trip yet", () => {
  const bbr = new Bbr(SIZE, new Prng(1));
  const rtt = new RttEstimator();
  bbr.onLost(instant(20_000), 30 * SIZE, 30, instant(10_000));
  const first = sampleOf({ delivered: SIZE, ackedBytes: SIZE });
  bbr.onAckDone(instant(20_000), rtt, 31, 0, true, first);
  assert.equal(bbr.state, "startup");
  for (let round = 1; round <= 20; round++) {
    rtt.addSample(50, 0);
    const delivered = (round + 1) * 10 * SIZE;
    const sample = sampleOf({
      rate: 240,
      delivered,
      priorDelivered: delivered - SIZE,
      inFlightAtSend: 10 * SIZE,
      ackedBytes: 10 * SIZE,
      rttMs: 50,
    });
    bbr.onAckDone(instant(20_000 + 50 * round), rtt, 31 + round, 0, true, sample);
    assert.ok(Number.isFinite(bbr.windowBytes), `window of round ${round}`);
    assert.ok(bbr.pacingRate(rtt) > 0, `rate of round ${round}`);
  }
  assert.notEqual(bbr.state, "startup");
});
