// Goal: the background controller grows on an empty path and gives way to queues that are not its
// own; neither loss alone, nor ACKs held back, nor an idle application mislead it.
// Method: ACKs for every sixteenth datagram of a full window, with delays made by hand.
import assert from "node:assert/strict";
import { Background } from "../../../../lib/protocol/congestion/background.ts";
import { RttEstimator } from "../../../../lib/protocol/rtt.ts";
import { instant } from "../../../../lib/time.ts";
import { sampleOf } from "./_sample.ts";

const SIZE = 1472;
const BASE_MS = 50;
/** 100 Mbit/s, in bytes per millisecond; 425 datagrams fill the path. */
const RATE = 12_500;
const PATH_BYTES = BASE_MS * RATE;

interface Round {
  readonly queueMs?: number;
  readonly ackDelayMs?: number;
  readonly lossShare?: number;
  readonly isAppLimited?: boolean;
}

class Feed {
  readonly controller = new Background(SIZE);
  readonly #rtt = new RttEstimator();
  #nowMs = 0;
  #delivered = 0;

  /** One round trip of ACKs. */
  round({ queueMs = 0, ackDelayMs = 0, lossShare = 0, isAppLimited = false }: Round = {}): void {
    const rttMs = BASE_MS + queueMs + ackDelayMs;
    const window = this.controller.windowBytes;
    const acks = Math.max(4, Math.ceil(window / (16 * SIZE)));
    this.#rtt.addSample(rttMs, ackDelayMs);
    for (let ack = 0; ack < acks; ack++) {
      this.#nowMs += rttMs / acks;
      const now = instant(this.#nowMs);
      const lostBytes = window * lossShare / acks;
      if (lossShare > 0) this.controller.onLost(now, lostBytes, lostBytes / SIZE, now);
      const ackedBytes = window / acks - lostBytes;
      this.#delivered += ackedBytes;
      this.controller.onAckDone(
        now,
        this.#rtt,
        0,
        0,
        !isAppLimited,
        sampleOf({
          rate: Math.min(window / rttMs, RATE),
          isAppLimited,
          delivered: this.#delivered,
          priorDelivered: Math.max(this.#delivered - window, 0),
          ackedBytes,
          rttMs,
          ackDelayMs,
        }),
      );
    }
  }

  rounds(count: number, round: Round = {}): number {
    for (let index = 0; index < count; index++) this.round(round);
    return this.controller.windowBytes;
  }

  /** A flow that has found the path and had its first slow-down. */
  static settled(): Feed {
    const feed = new Feed();
    while (feed.controller.windowBytes < PATH_BYTES) feed.round();
    feed.round({ queueMs: 10 });
    feed.rounds(12, { queueMs: 0.5 });
    assert.equal(feed.controller.state, "steady");
    return feed;
  }
}

Deno.test("Background begins with ten datagrams and doubles until a queue shows itself", () => {
  const feed = new Feed();
  assert.equal(feed.controller.windowBytes, 10 * SIZE);
  feed.round();
  assert.ok(Math.abs(feed.controller.windowBytes / (20 * SIZE) - 1) < 0.01);
  while (feed.controller.windowBytes < 2 * PATH_BYTES) feed.round();
  assert.equal(feed.controller.state, "start");
  feed.round({ queueMs: 50 });
  assert.equal(feed.controller.state, "steady");
  assert.equal(feed.controller.baseMs, BASE_MS);
  feed.controller.onDatagramSize(2 * SIZE);
  assert.ok(feed.controller.windowBytes <= 2 * PATH_BYTES, "no more than the path and a bunch");
});

Deno.test("Background looks for the base delay two round trips after its start, then rarely", () => {
  const feed = new Feed();
  while (feed.controller.windowBytes < PATH_BYTES) feed.round();
  feed.round({ queueMs: 10 });
  const states: string[] = [];
  for (let count = 0; count < 200; count++) {
    feed.round({ queueMs: 0.5 });
    states.push(feed.controller.state);
  }
  assert.ok(states.indexOf("slowdown") <= 3, `${states.slice(0, 6)}`);
  const slow = states.filter((state) => state === "slowdown").length;
  assert.ok(slow >= 5 && slow <= 20, `${slow} of 200 round trips`);
});

Deno.test("Background keeps a short queue of its own and gives way to one that stays", () => {
  const feed = Feed.settled();
  const { foreignMs } = feed.controller;
  // 0.85 · √(50 ms · 1472 bytes / 12,500 bytes per ms)
  assert.ok(Math.abs(foreignMs - 2.06) < 0.05, `${foreignMs}`);
  const before = feed.controller.windowBytes;
  assert.ok(feed.rounds(20, { queueMs: 0.4 * foreignMs }) > 0.8 * before);
  assert.ok(feed.rounds(16, { queueMs: 1.2 * foreignMs }) < 0.1 * before);
  assert.ok(feed.rounds(30, { queueMs: 1.2 * foreignMs }) <= 4 * SIZE);
});

Deno.test("Background halves at once when a queue grows fast", () => {
  const feed = Feed.settled();
  const before = feed.controller.windowBytes;
  assert.ok(feed.rounds(2, { queueMs: 3 * feed.controller.foreignMs }) <= before / 2);
});

Deno.test("Background comes back when the others are gone", () => {
  const feed = Feed.settled();
  feed.rounds(30, { queueMs: 10 });
  assert.ok(feed.rounds(60) > 0.8 * PATH_BYTES);
});

Deno.test("Background takes losses for congestion where there is a queue, or very many", () => {
  const feed = Feed.settled();
  const before = feed.controller.windowBytes;
  assert.ok(feed.rounds(10, { lossShare: 0.05 }) >= 0.9 * before);
  assert.ok(feed.rounds(8, { lossShare: 0.3 }) < before / 4);
  const queued = Feed.settled();
  assert.ok(queued.rounds(6, { lossShare: 0.05, queueMs: 1 }) < before / 2);
});

Deno.test("Background does not take an ACK that was held back for a queue", () => {
  const feed = Feed.settled();
  const before = feed.controller.windowBytes;
  assert.ok(feed.rounds(20, { ackDelayMs: 20 }) >= 0.9 * before);
  assert.equal(feed.controller.baseMs, BASE_MS);
});

Deno.test("Background does not grow while the application holds it back", () => {
  const feed = Feed.settled();
  const before = feed.controller.windowBytes;
  assert.ok(feed.rounds(15, { isAppLimited: true }) <= before);
});

Deno.test("Background starts anew after persistent congestion, and has two datagrams at least", () => {
  const feed = Feed.settled();
  feed.controller.onPersistentCongestion();
  assert.equal(feed.controller.windowBytes, 2 * SIZE);
  assert.equal(feed.controller.state, "start");
  assert.equal(feed.controller.baseMs, Number.POSITIVE_INFINITY);
});
