import assert from "node:assert/strict";
import { DeliveryRate } from "../../../lib/protocol/congestion/delivery_rate.ts";
import { MIN_PEER_BUFFER_DATAGRAMS, SHORT_PATH_MS } from "../../../lib/protocol/params.ts";
import { PeerBuffer } from "../../../lib/protocol/peer_buffer.ts";
import { RttEstimator } from "../../../lib/protocol/rtt.ts";
import { instant } from "../../../lib/time.ts";

const SIZE = 1472;
const BUFFER = 64 * SIZE;

/** A buffer, and ACKs of a path as they come. */
class Acks {
  readonly buffer: PeerBuffer;
  readonly rtt = new RttEstimator();
  readonly sample = new DeliveryRate();

  constructor(bytes: number) {
    this.buffer = new PeerBuffer(bytes);
  }

  take(nowMs: number, rate: number, rttMs: number): number {
    this.sample.rate = rate;
    this.rtt.addSample(rttMs, 0);
    this.buffer.handleAck(instant(nowMs), this, SIZE);
    return this.buffer.windowBytes;
  }
}

Deno.test("[CC-2] PeerBuffer allows what rate and least round trip need, and the buffer", () => {
  const acks = new Acks(BUFFER);
  assert.equal(acks.buffer.windowBytes, Number.POSITIVE_INFINITY);
  assert.equal(acks.buffer.burstBytes, BUFFER / 2);
  assert.equal(acks.take(0, 0, 0.4), BUFFER);
  assert.equal(acks.take(1, 80_000, 0.4), 1.25 * 80_000 * 0.4 + BUFFER);
  assert.equal(acks.take(2, 40_000, 0.8), 1.25 * 80_000 * 0.4 + BUFFER, "neither is the largest");
  assert.equal(acks.take(3, 40_000, 0.2), 1.25 * 80_000 * 0.2 + BUFFER);
});

Deno.test("PeerBuffer forgets a rate within 40 ms", () => {
  const acks = new Acks(BUFFER);
  acks.take(0, 80_000, 0.4);
  acks.take(20, 10_000, 0.4);
  assert.equal(acks.take(39, 10_000, 0.4), 1.25 * 80_000 * 0.4 + BUFFER);
  assert.equal(acks.take(40, 10_000, 0.4), 1.25 * 10_000 * 0.4 + BUFFER);
});

Deno.test("PeerBuffer bounds nothing on longer paths, nor where the peer did not tell", () => {
  const long = new Acks(BUFFER);
  for (let nowMs = 0; nowMs < 100; nowMs++) {
    assert.equal(long.take(nowMs, 80_000, SHORT_PATH_MS * 1.01), Number.POSITIVE_INFINITY);
  }
  assert.ok(long.take(100, 80_000, SHORT_PATH_MS) < Number.POSITIVE_INFINITY);
  const silent = new Acks(0);
  assert.equal(silent.take(0, 80_000, 0.1), Number.POSITIVE_INFINITY);
  assert.equal(silent.buffer.burstBytes, Number.POSITIVE_INFINITY);
});

Deno.test("PeerBuffer does not starve a path that became long, and forgets one that was left", () => {
  const acks = new Acks(BUFFER);
  acks.take(0, 80_000, 0.4);
  // 50 ms from now on: what is in flight grows until the rate is the old one.
  let window = 0;
  for (let nowMs = 10; nowMs < 30_000; nowMs += 50) {
    window = acks.take(nowMs, Math.min(acks.buffer.windowBytes / 50, 80_000), 50);
  }
  assert.ok(window >= 80_000 * 50, `${window}`);
  acks.buffer.restart();
  assert.equal(acks.buffer.windowBytes, Number.POSITIVE_INFINITY);
  assert.equal(acks.take(40_000, 1000, 0.5), 1.25 * 1000 * 0.5 + BUFFER);
});

Deno.test("PeerBuffer takes no buffer for smaller than what is acknowledged at once", () => {
  assert.equal(new Acks(1).take(0, 0, 0.4), MIN_PEER_BUFFER_DATAGRAMS * SIZE);
});
