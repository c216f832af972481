// Goal: the window follows RFC 9438, told by its formulas written down here a second time.
// Method: one flow in virtual time that always fills its window, an acknowledgement at a time.
import assert from "node:assert/strict";
import fc from "fast-check";
import { Cubic } from "../../../../lib/protocol/congestion/cubic.ts";
import { INITIAL_WINDOW_DATAGRAMS, MIN_WINDOW_DATAGRAMS } from "../../../../lib/protocol/params.ts";
import { RttEstimator } from "../../../../lib/protocol/rtt.ts";
import { type Instant, instant } from "../../../../lib/time.ts";

const SIZE = 1200;
const BETA = 0.7;
const C = 0.4;
const ALPHA = 3 * (1 - BETA) / (1 + BETA);

/** W_cubic(t) in datagrams (RFC 9438, figure 1). */
function cubicWindow(seconds: number, maxWindow: number, startWindow: number): number {
  const k = Math.cbrt((maxWindow - startWindow) / C);
  return C * (seconds - k) ** 3 + maxWindow;
}

function near(actual: number, expected: number, share: number): void {
  assert.ok(
    Math.abs(actual - expected) <= share * expected,
    `${actual} is not ${expected} to ${share * 100} %`,
  );
}

/** A flow on a path with a constant round trip. */
class Flow {
  readonly cubic = new Cubic(SIZE);
  readonly rtt = new RttEstimator();
  nowMs = 1000;
  #next = 0;
  readonly #rttMs: number;

  constructor(rttMs: number) {
    this.#rttMs = rttMs;
    this.rtt.addSample(rttMs, 0);
  }

  get now(): Instant {
    return instant(this.nowMs);
  }

  get window(): number {
    return this.cubic.windowBytes / SIZE;
  }

  /** Slow start in one step. */
  growTo(window: number): void {
    this.ack((window - this.window) * SIZE);
    near(this.window, window, 1e-9);
  }

  /** One acknowledgement of `bytes` that were sent a round trip ago. */
  ack(bytes: number, isWindowLimited = true): void {
    const packetNumber = this.#next++;
    this.cubic.onSent(this.now, packetNumber, bytes, bytes);
    this.cubic.onAcked(packetNumber, bytes, instant(this.nowMs - this.#rttMs));
    this.cubic.onAckDone(this.now, this.rtt, packetNumber, 0, isWindowLimited);
  }

  /** Sends and acknowledges one datagram after the other, a window in each round trip. */
  run(durationMs: number, isWindowLimited = true): void {
    const endMs = this.nowMs + durationMs;
    while (this.nowMs < endMs) {
      this.nowMs += this.#rttMs / this.window;
      this.ack(SIZE, isWindowLimited);
    }
  }

  /** Time passes without a word. */
  wait(durationMs: number): void {
    this.nowMs += durationMs;
  }

  /** A packet that was just sent is lost. */
  lose(packets = 1, sentAgoMs = 0): void {
    const sentAt = instant(this.nowMs - sentAgoMs);
    this.cubic.onLost(this.now, packets * SIZE, packets, sentAt);
  }

  /** A packet told lost has arrived; it was sent so long ago. */
  spurious(sentAgoMs: number): void {
    this.cubic.onSpuriousLoss(0, instant(this.nowMs - sentAgoMs));
  }
}

/** A flow just after its first loss at `window` datagrams, with the recovery behind it. */
function flowAfterLoss(rttMs: number, window: number): Flow {
  const flow = new Flow(rttMs);
  flow.growTo(window);
  flow.lose();
  flow.wait(rttMs + 1);
  near(flow.window, BETA * window, 1e-9);
  return flow;
}

// ---- slow start ----

Deno.test("Cubic starts with its initial window and grows by what is acknowledged", () => {
  const flow = new Flow(50);
  assert.equal(flow.window, INITIAL_WINDOW_DATAGRAMS);
  flow.ack(SIZE);
  assert.equal(flow.window, INITIAL_WINDOW_DATAGRAMS + 1);
  flow.ack(32 * SIZE);
  assert.equal(flow.window, INITIAL_WINDOW_DATAGRAMS + 33);
});

Deno.test("Cubic does not grow while the application is what limits it", () => {
  const flow = new Flow(50);
  flow.ack(10 * SIZE, false);
  assert.equal(flow.window, INITIAL_WINDOW_DATAGRAMS);
  const later = flowAfterLoss(50, 100);
  const before = later.window;
  later.run(2000, false);
  assert.equal(later.window, before);
});

/** Two round trips of 40 ms, then so many of 50: packets of four datagrams each. */
function growQueue(flow: Flow, slowRounds: number): void {
  let next = 0;
  const send = () => {
    for (let index = 0; index < 10; index++) flow.cubic.onSent(flow.now, next++, 4 * SIZE, 0);
  };
  send();
  for (let round = 0; round < 2 + slowRounds; round++) {
    const first = next - 10;
    flow.rtt.latestMs = round < 2 ? 40 : 50;
    for (let index = 0; index < 10; index++) {
      flow.nowMs += 7;
      flow.cubic.onAcked(first + index, 4 * SIZE, instant(flow.nowMs - 70));
      flow.cubic.onAckDone(flow.now, flow.rtt, first + index, 0, true);
      if (index === 0) send();
    }
  }
}

Deno.test("Cubic grows by a quarter while HyStart++ is not sure, and paces accordingly", () => {
  const flow = new Flow(40);
  growQueue(flow, 1);
  near(flow.cubic.pacingRate(flow.rtt), 1.25 * flow.cubic.windowBytes / 40, 1e-9);
  const before = flow.window;
  flow.ack(8 * SIZE);
  near(flow.window - before, 2, 1e-9);
});

Deno.test("Cubic leaves slow start without a loss where HyStart++ says a queue is real", () => {
  const flow = new Flow(40);
  growQueue(flow, 7);
  const before = flow.window;
  flow.run(40);
  near(flow.window - before, 1, 0.2); // a congestion avoidance with K = 0
});

// ---- reduction ----

Deno.test("Cubic reduces to seven tenths, once for all losses of a round trip", () => {
  const flow = new Flow(100);
  flow.growTo(1000);
  flow.lose(3);
  near(flow.window, 700, 1e-9);
  flow.wait(50);
  flow.lose(2, 60);
  flow.lose(1, 50);
  near(flow.window, 700, 1e-9);
  flow.lose(1, 49); // sent after the reduction
  near(flow.window, 490, 1e-9);
});

Deno.test("Cubic grows by nothing that was sent before the reduction", () => {
  const flow = new Flow(100);
  flow.growTo(1000);
  flow.lose();
  flow.wait(99);
  flow.ack(500 * SIZE);
  near(flow.window, 700, 1e-9);
});

Deno.test("Cubic never goes below its least window", () => {
  const flow = new Flow(100);
  for (let count = 0; count < 30; count++) {
    flow.wait(200);
    flow.lose();
  }
  assert.equal(flow.window, MIN_WINDOW_DATAGRAMS);
  flow.cubic.onPersistentCongestion();
  assert.equal(flow.window, MIN_WINDOW_DATAGRAMS);
});

// ---- growth ----

Deno.test("Cubic's window follows W_cubic(t), concave to W_max and convex beyond", () => {
  const flow = flowAfterLoss(100, 1000);
  const k = Math.cbrt(300 / C);
  for (let seconds = 0.5; seconds < 2 * k; seconds += 0.5) {
    flow.run(500);
    near(flow.window, cubicWindow(seconds, 1000, 700), 0.01);
  }
  assert.ok(flow.window > 1200);
});

Deno.test("Cubic's window follows Reno's where that is faster, to W_max by α and then by 1", () => {
  const flow = flowAfterLoss(10, 40);
  let expected = 28;
  for (let round = 0; round < 60; round++) {
    flow.run(10);
    expected += expected < 40 ? ALPHA : 1;
    near(flow.window, expected, 0.03);
  }
});

Deno.test("Cubic's Reno window grows by α up to where it was reduced, fast convergence or not", () => {
  const flow = flowAfterLoss(10, 100);
  flow.run(100);
  const prior = flow.window;
  assert.ok(prior < 100);
  flow.lose(); // W_max becomes 0.85 of the window
  flow.wait(11);
  let expected = BETA * prior;
  while (expected < prior) {
    flow.run(10);
    expected += ALPHA;
    near(flow.window, expected, 0.02);
  }
});

Deno.test("Cubic leaves room for newcomers when it is reduced below its last maximum", () => {
  const flow = flowAfterLoss(100, 1000);
  flow.run(1500);
  const second = flow.window;
  assert.ok(second < 900);
  flow.lose();
  flow.wait(101);
  const maximum = second * (1 + BETA) / 2;
  const k = Math.cbrt((maximum - BETA * second) / C);
  flow.run(k * 1000);
  near(flow.window, maximum, 0.01);
  flow.run(1000);
  near(flow.window, maximum, 0.01);
});

Deno.test("Cubic aims at the window itself when it was reduced above its last maximum", () => {
  const flow = flowAfterLoss(100, 1000);
  flow.run(14_000);
  const second = flow.window;
  assert.ok(second > 1010);
  flow.lose();
  flow.wait(101);
  flow.run(Math.cbrt(0.3 * second / C) * 1000);
  near(flow.window, second, 0.01);
});

Deno.test("Cubic grows by at most half in a round trip, however long it was silent", () => {
  const flow = flowAfterLoss(100, 100);
  flow.run(200);
  const before = flow.window;
  flow.wait(600_000);
  for (let acked = 0; acked < before; acked++) flow.ack(SIZE);
  assert.ok(flow.window <= 1.5 * before + 1, `${before} to ${flow.window}`);
});

Deno.test("Cubic counts no time in which the application was idle", () => {
  const flow = flowAfterLoss(100, 1000);
  flow.run(3000);
  const before = flow.window;
  flow.wait(60_000);
  flow.run(300, false);
  flow.run(1000);
  // It goes on along the curve from where it was, and does not leap ahead by a minute.
  near(flow.window, cubicWindow(1, 1000, before), 0.01);
});

// ---- losses that were none ----

Deno.test("Cubic takes a reduction back when all its losses were none", () => {
  const flow = new Flow(100);
  flow.growTo(1000);
  flow.lose(2, 5);
  flow.lose(1, 3);
  flow.wait(10);
  flow.spurious(15);
  flow.spurious(15);
  near(flow.window, 700, 1e-9);
  flow.spurious(13);
  near(flow.window, 1000, 1e-9);
  // And it is in slow start as before.
  flow.wait(200);
  flow.ack(100 * SIZE);
  near(flow.window, 1100, 1e-9);
});

Deno.test("Cubic goes on along its old curve after a reduction that was none", () => {
  const flow = flowAfterLoss(100, 1000);
  flow.run(4000);
  const before = flow.window;
  flow.lose(1, 10);
  flow.wait(20);
  flow.spurious(30);
  near(flow.window, before, 1e-9);
  flow.wait(100);
  flow.run(3000);
  near(flow.window, cubicWindow(7.1, 1000, 700), 0.01);
});

Deno.test("Cubic keeps what it grew to when that is more than it would take back", () => {
  const flow = new Flow(10);
  flow.growTo(40);
  flow.lose(1, 1);
  flow.wait(11);
  flow.run(400);
  const grown = flow.window;
  assert.ok(grown > 40);
  flow.cubic.onSpuriousLoss(0, instant(999));
  assert.equal(flow.window, grown);
});

Deno.test("Cubic does not take a reduction back for a packet of an earlier one", () => {
  const flow = new Flow(100);
  flow.growTo(1000);
  flow.lose(1, 10);
  flow.wait(150);
  flow.lose(1, 10);
  near(flow.window, 490, 1e-9);
  flow.spurious(160); // of the first
  near(flow.window, 490, 1e-9);
  flow.spurious(10);
  near(flow.window, 700, 1e-9);
});

Deno.test("Cubic answers a real loss that follows a reduction it took back", () => {
  const flow = new Flow(100);
  flow.growTo(1000);
  flow.lose(1, 50);
  flow.wait(10);
  flow.spurious(60);
  near(flow.window, 1000, 1e-9);
  flow.lose(1, 20); // sent before the first reduction, and truly lost
  near(flow.window, 700, 1e-9);
});

Deno.test("Cubic takes nothing back without a reduction, nor for what was sent after it", () => {
  const flow = new Flow(100);
  flow.growTo(1000);
  flow.spurious(10);
  near(flow.window, 1000, 1e-9);
  flow.lose(1, 10);
  flow.wait(20);
  flow.spurious(10);
  near(flow.window, 700, 1e-9);
});

// ---- persistent congestion ----

Deno.test("Cubic starts slowly from its least window after persistent congestion", () => {
  const flow = new Flow(100);
  flow.growTo(1000);
  flow.lose();
  flow.cubic.onPersistentCongestion();
  assert.equal(flow.window, MIN_WINDOW_DATAGRAMS);
  flow.wait(101);
  // Doubles each round trip, as RFC 9002, 7.3.1 has it, up to seven tenths of where it was.
  for (let round = 1; round <= 8; round++) {
    flow.ack(flow.cubic.windowBytes);
    near(flow.window, MIN_WINDOW_DATAGRAMS * 2 ** round, 1e-9);
  }
  flow.ack(200 * SIZE);
  assert.ok(flow.window > 700);
  const before = flow.window;
  flow.run(1000);
  // RFC 9438, 4.8: then K is 0 and W_max the window.
  near(flow.window, before + Math.max(C, ALPHA * 10), 0.005);
});

Deno.test("Cubic's slow start after persistent congestion is not cut short by HyStart++", () => {
  const flow = new Flow(40);
  growQueue(flow, 7); // ends the first slow start
  flow.lose();
  const threshold = flow.window;
  flow.cubic.onPersistentCongestion();
  flow.wait(101);
  flow.ack(2 * SIZE);
  assert.equal(flow.window, 4);
  flow.ack(4 * SIZE);
  assert.equal(flow.window, 8);
  assert.ok(8 < threshold);
  near(flow.cubic.pacingRate(flow.rtt), 2 * 8 * SIZE / flow.rtt.smoothedMs, 1e-9);
});

Deno.test("Cubic takes no reduction back after persistent congestion", () => {
  const flow = new Flow(100);
  flow.growTo(1000);
  flow.lose(1, 10);
  flow.cubic.onPersistentCongestion();
  flow.spurious(10);
  assert.equal(flow.window, MIN_WINDOW_DATAGRAMS);
});

// ---- pacing and datagram sizes ----

Deno.test("Cubic paces at twice the window's rate in slow start, at 1.25 times afterwards", () => {
  const flow = new Flow(100);
  near(flow.cubic.pacingRate(flow.rtt), 2 * flow.cubic.windowBytes / 100, 1e-9);
  flow.lose();
  near(flow.cubic.pacingRate(flow.rtt), 1.25 * flow.cubic.windowBytes / 100, 1e-9);
});

Deno.test("Cubic paces at a finite rate whatever the round trip", () => {
  const flow = new Flow(0.001);
  assert.ok(Number.isFinite(flow.cubic.pacingRate(flow.rtt)));
});

Deno.test("Cubic's untouched window is a count of datagrams of any size", () => {
  const flow = new Flow(100);
  flow.cubic.onDatagramSize(1472);
  assert.equal(flow.cubic.windowBytes, INITIAL_WINDOW_DATAGRAMS * 1472);
  flow.ack(1472);
  flow.cubic.onDatagramSize(1200);
  assert.equal(flow.cubic.windowBytes, (INITIAL_WINDOW_DATAGRAMS + 1) * 1472);
});

Deno.test("Cubic's maximum is the same number of bytes whatever the datagrams' size", () => {
  for (const size of [1472, 1000]) {
    const flow = flowAfterLoss(100, 1000);
    flow.run(3000);
    const missing = (1000 - flow.window) * SIZE / size;
    flow.cubic.onDatagramSize(size);
    flow.run(Math.cbrt(missing / C) * 1000);
    near(flow.window, 1000, 0.01);
  }
});

Deno.test("Cubic's least window holds for larger datagrams", () => {
  const flow = new Flow(100);
  flow.cubic.onPersistentCongestion();
  flow.cubic.onDatagramSize(1472);
  assert.equal(flow.cubic.windowBytes, MIN_WINDOW_DATAGRAMS * 1472);
});

// ---- anything ----

type Step =
  | ["ack", number, boolean]
  | ["lose", number]
  | ["spurious", number]
  | ["wait", number]
  | [
    "persistent",
  ]
  | ["size", number];

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.tuple(fc.constant("ack" as const), fc.nat(60), fc.boolean()) },
  { weight: 3, arbitrary: fc.tuple(fc.constant("lose" as const), fc.nat(200)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("spurious" as const), fc.nat(200)) },
  { weight: 6, arbitrary: fc.tuple(fc.constant("wait" as const), fc.nat(2000)) },
  { weight: 1, arbitrary: fc.constant<Step>(["persistent"]) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("size" as const), fc.constantFrom(1200, 1472)) },
);

Deno.test("Cubic's window stays finite and above its least, and only losses reduce it", () => {
  fc.assert(fc.property(fc.array(anyStep, { maxLength: 200, size: "max" }), (steps) => {
    const flow = new Flow(50);
    let size = SIZE;
    for (const step of steps) {
      const before = flow.cubic.windowBytes;
      if (step[0] === "ack") flow.ack(step[1] * size, step[2]);
      else if (step[0] === "lose") flow.lose(1, step[1]);
      else if (step[0] === "spurious") flow.spurious(step[1]);
      else if (step[0] === "wait") flow.wait(step[1]);
      else if (step[0] === "persistent") flow.cubic.onPersistentCongestion();
      else {
        size = step[1];
        flow.cubic.onDatagramSize(size);
      }
      const after = flow.cubic.windowBytes;
      assert.ok(Number.isFinite(after) && after >= MIN_WINDOW_DATAGRAMS * size);
      assert.ok(flow.cubic.pacingRate(flow.rtt) > 0);
      // From bytes to datagrams and back may cost the last bit.
      const least = before * (1 - 1e-12);
      if (step[0] === "ack" || step[0] === "spurious") assert.ok(after >= least);
      if (step[0] === "lose" || step[0] === "persistent") assert.ok(after <= before);
      if (step[0] === "wait") assert.equal(after, before);
    }
  }));
});

Deno.test("Cubic.resumeAt goes on from a window without slow start", () => {
  const flow = new Flow(50);
  flow.cubic.resumeAt(200 * SIZE);
  assert.equal(flow.window, 200);
  flow.run(1000);
  // The curve is flat where it begins: K = 0, W_max = 200; or Reno's, if that is more.
  assert.ok(flow.window > 200 && flow.window < 225, `${flow.window}`);
});
