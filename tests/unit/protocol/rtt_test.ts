import assert from "node:assert/strict";
import fc from "fast-check";
import { GRANULARITY_MS, INITIAL_RTT_MS, MAX_ACK_DELAY_MS } from "../../../lib/protocol/params.ts";
import { RttEstimator } from "../../../lib/protocol/rtt.ts";

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);
}

Deno.test("RttEstimator begins as RFC 9002, 6.2.2 says", () => {
  const rtt = new RttEstimator();
  assert.equal(rtt.hasSample, false);
  assert.equal(rtt.smoothedMs, INITIAL_RTT_MS);
  assert.equal(rtt.variationMs, INITIAL_RTT_MS / 2);
  assert.equal(rtt.probeTimeoutMs, 333 + 4 * 166.5 + MAX_ACK_DELAY_MS);
});

Deno.test("RttEstimator takes the first sample whole, without its ACK delay", () => {
  const rtt = new RttEstimator();
  rtt.addSample(80, 20);
  assert.deepEqual(
    [rtt.hasSample, rtt.latestMs, rtt.minMs, rtt.smoothedMs, rtt.variationMs],
    [true, 80, 80, 80, 40],
  );
});

Deno.test("RttEstimator smooths as RFC 9002, 5.3 says, the variation by the old mean", () => {
  const rtt = new RttEstimator();
  rtt.addSample(80, 0);
  rtt.addSample(120, 20); // adjusted to 100
  near(rtt.variationMs, 0.75 * 40 + 0.25 * 20);
  near(rtt.smoothedMs, 0.875 * 80 + 0.125 * 100);
  assert.equal(rtt.latestMs, 120);
  assert.equal(rtt.minMs, 80);
});

Deno.test("RttEstimator takes no ACK delay off that would go below the least seen", () => {
  const rtt = new RttEstimator();
  rtt.addSample(80, 0);
  rtt.addSample(90, 11); // 79 would be less than 80
  near(rtt.smoothedMs, 0.875 * 80 + 0.125 * 90);
});

Deno.test("RttEstimator believes no ACK delay above the agreed one", () => {
  const rtt = new RttEstimator();
  rtt.addSample(80, 0);
  rtt.addSample(1000, 900);
  near(rtt.smoothedMs, 0.875 * 80 + 0.125 * (1000 - MAX_ACK_DELAY_MS));
});

Deno.test("RttEstimator keeps the least sample itself, ACK delay included", () => {
  const rtt = new RttEstimator();
  rtt.addSample(80, 0);
  rtt.addSample(60, 10);
  assert.equal(rtt.minMs, 60);
  near(rtt.smoothedMs, 0.875 * 80 + 0.125 * 60);
});

Deno.test("RttEstimator's probe timeout has a floor of the timer's granularity", () => {
  const rtt = new RttEstimator();
  for (let count = 0; count < 200; count++) rtt.addSample(10, 0);
  near(rtt.probeTimeoutMs, 10 + GRANULARITY_MS + MAX_ACK_DELAY_MS);
});

Deno.test("RttEstimator stays between the least and the largest sample", () => {
  const anySample = fc.tuple(
    fc.double({ min: 0.001, max: 5000, noNaN: true }),
    fc.double({ min: 0, max: 1e6, noNaN: true }),
  );
  fc.assert(
    fc.property(fc.array(anySample, { minLength: 1, maxLength: 60, size: "max" }), (samples) => {
      const rtt = new RttEstimator();
      for (const [sampleMs, delayMs] of samples) {
        rtt.addSample(sampleMs, delayMs);
        assert.ok(rtt.variationMs >= 0);
        assert.ok(rtt.probeTimeoutMs > rtt.smoothedMs);
      }
      const sampleTimes = samples.map(([sampleMs]) => sampleMs);
      assert.equal(rtt.minMs, Math.min(...sampleTimes));
      assert.equal(rtt.latestMs, sampleTimes.at(-1));
      assert.ok(rtt.smoothedMs >= rtt.minMs - 1e-9);
      assert.ok(rtt.smoothedMs <= Math.max(...sampleTimes) + 1e-9);
    }),
  );
});
