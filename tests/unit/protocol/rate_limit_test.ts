import assert from "node:assert/strict";
import fc from "fast-check";
import { MIN_RATE_LIMIT_BYTES, RATE_LIMIT_BURST_MS } from "../../../lib/protocol/params.ts";
import { RateLimit } from "../../../lib/protocol/rate_limit.ts";
import { instant } from "../../../lib/time.ts";

const DATAGRAM_BYTES = 1472;

/** Sends all that is let out for a while; `lateMs` says by how much a timer fires too late. */
function sendFor(limit: RateLimit, fromMs: number, untilMs: number, lateMs: () => number): number {
  let sentBytes = 0;
  let nowMs = fromMs;
  let wakes = 0;
  while (nowMs < untilMs) {
    while (limit.isOpen(instant(nowMs))) {
      limit.onSent(DATAGRAM_BYTES);
      sentBytes += DATAGRAM_BYTES;
    }
    const nextMs = limit.opensAt;
    assert.ok(nextMs > nowMs, "a limit that is asked again and again");
    nowMs = nextMs + lateMs();
    wakes++;
  }
  assert.ok(wakes <= (untilMs - fromMs) / 2 + 1, `${wakes} wakes`);
  return sentBytes;
}

Deno.test("[RATE-1] RateLimit is exact to 1 % over 5 s from 10 kB/s to 100 MB/s", () => {
  for (const rate of [10_000, 123_456, 2_000_000, 100_000_000]) {
    const limit = new RateLimit(instant(0), rate);
    const sent = sendFor(limit, 0, 5000, () => 0);
    // One datagram may be on its way before it is paid for.
    assert.ok(Math.abs(sent / 5 - rate) <= rate / 100 + DATAGRAM_BYTES / 5, `${rate}: ${sent / 5}`);
  }
});

Deno.test("[RATE-1] RateLimit stays exact when timers fire up to 240 ms late", () => {
  fc.assert(fc.property(
    fc.integer({ min: 50_000, max: 100_000_000 }),
    fc.array(fc.integer({ min: 0, max: 240 }), { minLength: 1 }),
    (rate, delays) => {
      let index = 0;
      const limit = new RateLimit(instant(0), rate);
      const sent = sendFor(limit, 0, 10_000, () => delays[index++ % delays.length]!);
      const expected = 10 * rate;
      // The last wake may be late, too.
      assert.ok(sent <= expected * 1.01 + DATAGRAM_BYTES, `${sent} of ${expected}`);
      assert.ok(sent >= expected * 0.97 - 2 * DATAGRAM_BYTES, `${sent} of ${expected}`);
    },
  ));
});

Deno.test("RateLimit saves no more than its burst over a pause", () => {
  const rate = 1_000_000;
  const limit = new RateLimit(instant(0), rate);
  const sent = sendFor(limit, 60_000, 60_001, () => 0);
  assert.ok(sent <= rate * RATE_LIMIT_BURST_MS / 1000 + DATAGRAM_BYTES, `${sent} at once`);
});

Deno.test("RateLimit without a limit is always open, and knows nothing of before when it gets one", () => {
  const limit = new RateLimit(instant(0));
  assert.equal(limit.bytesPerSecond, Infinity);
  for (let count = 0; count < 1000; count++) {
    assert.ok(limit.isOpen(instant(0)));
    limit.onSent(DATAGRAM_BYTES);
  }
  limit.setRate(instant(1000), 50_000);
  assert.equal(limit.bytesPerSecond, 50_000);
  const sent = sendFor(limit, 1000, 6000, () => 0);
  assert.ok(Math.abs(sent - 250_000) <= 2500 + DATAGRAM_BYTES, `${sent}`);
  limit.setRate(instant(6000));
  assert.ok(limit.isOpen(instant(6000)));
});

Deno.test("RateLimit.setRate carries a debt over as the time it stands for", () => {
  const limit = new RateLimit(instant(0), 1_000_000);
  assert.ok(limit.isOpen(instant(1)));
  limit.onSent(11_000); // 10 ms in debt
  limit.setRate(instant(1), 100_000);
  assert.equal(limit.isOpen(instant(1)), false);
  const { opensAt } = limit;
  assert.ok(opensAt > 11 && opensAt <= 13.1, `${opensAt}`);
  assert.ok(limit.isOpen(opensAt));
});

Deno.test("RateLimit.setRate opens what was closed for a slower rate", () => {
  const limit = new RateLimit(instant(0), 1000);
  assert.ok(limit.isOpen(instant(50)));
  limit.onSent(DATAGRAM_BYTES);
  assert.equal(limit.isOpen(instant(51)), false);
  limit.setRate(instant(52));
  assert.ok(limit.isOpen(instant(52)));
  assert.ok(limit.takeReopened(instant(52)), "those that wait are to be asked");
});

Deno.test("RateLimit refuses what is no limit", () => {
  for (const rate of [0, -1, MIN_RATE_LIMIT_BYTES - 1, Number.NaN]) {
    assert.throws(() => new RateLimit(instant(0), rate), RangeError);
    assert.throws(() => new RateLimit(instant(0)).setRate(instant(0), rate), RangeError);
  }
});

Deno.test("RateLimit stays closed for all until it opens, and says so once", () => {
  const limit = new RateLimit(instant(0), 1_000_000);
  assert.equal(limit.takeReopened(instant(0)), false, "it was never closed");
  assert.equal(limit.isOpen(instant(0)), false);
  const { opensAt } = limit;
  assert.ok(opensAt >= 1 && opensAt <= 10, `${opensAt}`);
  for (const beforeMs of [1, 0.001]) {
    assert.equal(limit.isOpen(instant(opensAt - beforeMs)), false, "somebody is early");
    assert.equal(limit.takeReopened(instant(opensAt - beforeMs)), false);
  }
  assert.equal(limit.takeReopened(opensAt), true);
  assert.equal(limit.takeReopened(opensAt), false);
  assert.equal(limit.isOpen(opensAt), true);
});
