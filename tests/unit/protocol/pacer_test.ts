// Goal: the long-run rate is exact and no burst exceeds the bucket.
// Method: a greedy sender in virtual time that wakes when the pacer says, or late.
import assert from "node:assert/strict";
import fc from "fast-check";
import { Pacer } from "../../../lib/protocol/pacer.ts";
import {
  BURST_MS,
  MAX_BURST_DATAGRAMS,
  MIN_BURST_DATAGRAMS,
  TRAIN_BURST_MS,
  TRAIN_DATAGRAMS,
} from "../../../lib/protocol/params.ts";
import { instant } from "../../../lib/time.ts";

const SIZE = 1200;

interface Sending {
  atMs: number;
  bytes: number;
}

/** Sends as much as the pacer allows until `untilMs`; each wake-up comes `lateMs` late. */
function sendGreedily(pacer: Pacer, untilMs: number, lateMs = 0): Sending[] {
  const sent: Sending[] = [];
  let now = 0;
  while (now <= untilMs) {
    while (pacer.isOpen(instant(now))) {
      pacer.onSent(SIZE);
      sent.push({ atMs: now, bytes: SIZE });
    }
    const next = pacer.nextAt(instant(now));
    assert.ok(next > now, "the deadline is in the future");
    now = next + lateMs;
  }
  return sent;
}

function pacerAt(rate: number, takesTrains?: boolean): Pacer {
  const pacer = new Pacer(instant(0), SIZE);
  pacer.setRate(instant(0), rate, SIZE, takesTrains);
  return pacer;
}

function burstBytes(rate: number): number {
  const least = Math.max(rate * BURST_MS, MIN_BURST_DATAGRAMS * SIZE);
  return Math.min(least, MAX_BURST_DATAGRAMS * SIZE);
}

function trainBurstBytes(rate: number): number {
  const least = Math.max(rate * BURST_MS, MIN_BURST_DATAGRAMS * SIZE);
  return Math.min(least, Math.max(TRAIN_DATAGRAMS * SIZE, rate * TRAIN_BURST_MS));
}

const anyRate = fc.double({ min: 20, max: 200_000, noNaN: true });

Deno.test("Pacer keeps the long-run rate to within one burst", () => {
  fc.assert(
    fc.property(anyRate, (rate) => {
      const burst = burstBytes(rate);
      // Enough for some fifty refills at any rate.
      const untilMs = 50 * burst / rate;
      const sent = sendGreedily(pacerAt(rate), untilMs);
      const total = sent.reduce((sum, { bytes }) => sum + bytes, 0);
      // The full bucket it began with, and at most one datagram more.
      assert.ok(total <= rate * untilMs + burst + SIZE, `${total}`);
      // A timer shorter than 0.1 ms does not exist; a bucket filled sooner spills a little.
      const spill = Math.max(0, 0.1 * rate - 0.75 * burst) * untilMs / 0.1;
      assert.ok(total >= rate * untilMs - burst / 4 - SIZE - spill, `${total}`);
    }),
    { numRuns: 40 },
  );
});

Deno.test("[PACE-1] Pacer lets out at most a bucket and one datagram beyond the rate, in any interval", () => {
  fc.assert(
    fc.property(anyRate, fc.double({ min: 0, max: 5, noNaN: true }), (rate, lateMs) => {
      const burst = burstBytes(rate);
      const sent = sendGreedily(pacerAt(rate), Math.min(20 * burst / rate + 20, 400), lateMs);
      for (let first = 0; first < sent.length; first += 7) {
        let bytes = 0;
        for (let last = first; last < sent.length; last++) {
          bytes += sent[last]!.bytes;
          const elapsed = sent[last]!.atMs - sent[first]!.atMs;
          assert.ok(bytes <= rate * elapsed + burst + SIZE + 1e-6);
          if (last - first > 200) break;
        }
      }
    }),
    { numRuns: 25 },
  );
});

Deno.test("[PACE-1] Pacer's bucket is 2 ms of rate, within 10 and 32 datagrams", () => {
  const cases: [rate: number, datagrams: number][] = [
    [1, 10],
    [5 * SIZE, 10],
    [10 * SIZE, 20],
    [16 * SIZE, 32],
    [1000 * SIZE, 32],
  ];
  for (const [rate, datagrams] of cases) {
    const pacer = pacerAt(rate);
    // Long after: the bucket is full and no fuller.
    let sent = 0;
    for (; pacer.isOpen(instant(1e6)); sent++) pacer.onSent(SIZE);
    assert.equal(sent, datagrams, `${rate}`);
  }
});

Deno.test("Pacer does not wake its sender for a single datagram", () => {
  const pacer = pacerAt(10 * SIZE);
  while (pacer.isOpen(instant(0))) pacer.onSent(SIZE);
  const wakeAt = pacer.nextAt(instant(0));
  let sent = 0;
  for (; pacer.isOpen(wakeAt); sent++) pacer.onSent(SIZE);
  assert.ok(sent >= 5, `${sent}`);
});

Deno.test("Pacer.setRate counts the time before at the old rate", () => {
  const pacer = pacerAt(SIZE);
  while (pacer.isOpen(instant(0))) pacer.onSent(SIZE);
  pacer.setRate(instant(4), 1000 * SIZE, SIZE);
  let sent = 0;
  for (; pacer.isOpen(instant(4)); sent++) pacer.onSent(SIZE);
  assert.equal(sent, 4);
});

Deno.test("Pacer ignores a clock that stands still or steps back", () => {
  const pacer = pacerAt(SIZE);
  while (pacer.isOpen(instant(10))) pacer.onSent(SIZE);
  assert.equal(pacer.isOpen(instant(10)), false);
  assert.equal(pacer.isOpen(instant(5)), false);
  assert.equal(pacer.isOpen(instant(10.5)), true);
});

Deno.test("[PACE-1] Pacer's bucket where trains are taken is 44 datagrams or 1 ms of rate", () => {
  const cases: [rate: number, datagrams: number][] = [
    [1, 10],
    [10 * SIZE, 20],
    [22 * SIZE, 44],
    [40 * SIZE, 44],
    [300 * SIZE, 300],
  ];
  for (const [rate, datagrams] of cases) {
    const pacer = pacerAt(rate, true);
    let sent = 0;
    for (; pacer.isOpen(instant(1e6)); sent++) pacer.onSent(SIZE);
    assert.equal(sent, datagrams, `${rate}`);
  }
});

Deno.test("Pacer for trains keeps the rate, and lets out half a bucket at a time, however often it is asked", () => {
  fc.assert(
    fc.property(anyRate, fc.double({ min: 0.01, max: 0.5, noNaN: true }), (rate, pollMs) => {
      const pacer = pacerAt(rate, true);
      const burst = trainBurstBytes(rate);
      const untilMs = Math.min(40 * burst / rate, 1000 * pollMs);
      let total = 0;
      for (let now = 0; now <= untilMs; now += pollMs) {
        let bytes = 0;
        while (pacer.isOpen(instant(now))) {
          pacer.onSent(SIZE);
          bytes += SIZE;
        }
        // At first there is what the rate that was not known yet allowed.
        if (bytes > 0 && now > 0) assert.ok(bytes >= burst / 2 - 1e-6, `${bytes} of ${burst}`);
        if (bytes === 0) assert.ok(pacer.nextAt(instant(now)) > now);
        total += bytes;
      }
      assert.ok(total <= rate * untilMs + burst + SIZE, `${total}`);
      // What was asked for late is lost above a full bucket, and up to half of one is still to come.
      const spill = Math.max(0, rate * pollMs - burst / 2) * untilMs / pollMs;
      assert.ok(total >= rate * (untilMs - pollMs) - burst / 2 - spill - 1e-6, `${total}`);
    }),
    { numRuns: 60 },
  );
});

Deno.test("Pacer for trains is asked again when half a bucket is there, and opens then", () => {
  for (const rate of [SIZE, 30 * SIZE, 400 * SIZE]) {
    const pacer = pacerAt(rate, true);
    while (pacer.isOpen(instant(0))) pacer.onSent(SIZE);
    const wakeAt = pacer.nextAt(instant(0));
    assert.ok(Math.abs(wakeAt - trainBurstBytes(rate) / 2 / rate) < 1e-6, `${wakeAt}`);
    assert.equal(pacer.isOpen(instant(wakeAt / 2)), false);
    assert.equal(pacer.isOpen(instant(wakeAt + 1e-6)), true);
  }
});

Deno.test("Pacer forgets that it waits for half a bucket when no more trains are taken", () => {
  const pacer = pacerAt(10 * SIZE, true);
  while (pacer.isOpen(instant(0))) pacer.onSent(SIZE);
  assert.equal(pacer.isOpen(instant(0.5)), false);
  pacer.setRate(instant(0.5), 10 * SIZE, SIZE, false);
  assert.equal(pacer.isOpen(instant(0.5)), true);
});

Deno.test("[CC-2] Pacer lets out no more at once than the peer takes, but always a datagram", () => {
  for (const [peerBytes, most] of [[5 * SIZE, 5 * SIZE], [1, SIZE]] as const) {
    for (const takesTrains of [false, true]) {
      const pacer = new Pacer(instant(0), SIZE);
      pacer.setRate(instant(0), 1000 * SIZE, SIZE, takesTrains, peerBytes);
      let sent = 0;
      for (; pacer.isOpen(instant(1000)); sent += SIZE) pacer.onSent(SIZE);
      assert.equal(sent, most);
    }
  }
});

/** Bytes that are let out at once at a time. */
function bytesAt(pacer: Pacer, atMs: number): number {
  let bytes = 0;
  for (; pacer.isOpen(instant(atMs)); bytes += SIZE) pacer.onSent(SIZE);
  return bytes;
}

Deno.test("[PACE-1] Pacer for trains keeps what the rate allowed for who comes too late, up to a train", () => {
  const pacer = pacerAt(SIZE, true);
  bytesAt(pacer, 0);
  assert.equal(bytesAt(pacer, 20.5), 21 * SIZE, "more than its bucket of 10");
  assert.equal(bytesAt(pacer, 1000), TRAIN_DATAGRAMS * SIZE, "no more than a train");
});

Deno.test("[PACE-1] Pacer keeps no more than its bucket for who had nothing to send, or takes no trains", () => {
  const idle = pacerAt(SIZE, true);
  bytesAt(idle, 0);
  idle.giveUp();
  assert.equal(bytesAt(idle, 1000), MIN_BURST_DATAGRAMS * SIZE);
  const single = pacerAt(SIZE, false);
  bytesAt(single, 0);
  assert.equal(bytesAt(single, 1000), MIN_BURST_DATAGRAMS * SIZE);
});

Deno.test("[CC-2] Pacer keeps no more for who comes late than the peer takes at once", () => {
  const pacer = new Pacer(instant(0), SIZE);
  pacer.setRate(instant(0), SIZE, SIZE, true, 12 * SIZE);
  bytesAt(pacer, 0);
  assert.equal(bytesAt(pacer, 1000), 12 * SIZE);
});
