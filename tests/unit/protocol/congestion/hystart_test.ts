import assert from "node:assert/strict";
import fc from "fast-check";
import { HyStart } from "../../../../lib/protocol/congestion/hystart.ts";

/** Runs rounds: acknowledgements of one flight, with given samples, let the next one out. */
class Flow {
  readonly hystart = new HyStart();
  #next = 0;

  constructor() {
    this.#send(20);
  }

  /** One round trip; each sample comes with an ACK, the first of which ends the round before. */
  round(samplesMs: readonly number[]): void {
    const first = this.#next - 20;
    for (const [index, sampleMs] of samplesMs.entries()) {
      this.hystart.onAck(first + index, sampleMs);
      if (index === 0) this.#send(20);
    }
  }

  /** A round of ten equal samples. */
  steady(sampleMs: number): void {
    this.round(new Array(10).fill(sampleMs));
  }

  #send(count: number): void {
    for (let index = 0; index < count; index++) this.hystart.onSent(this.#next++);
  }
}

/** Whether a round at `beforeMs` and one at `afterMs` begin the conservative phase. */
function slowsDown(beforeMs: number, afterMs: number): boolean {
  const flow = new Flow();
  flow.steady(beforeMs);
  flow.steady(afterMs);
  return flow.hystart.isConservative;
}

Deno.test("HyStart goes on while the round trip stays", () => {
  const flow = new Flow();
  for (let round = 0; round < 50; round++) flow.steady(40);
  assert.equal(flow.hystart.isConservative, false);
  assert.equal(flow.hystart.isOver, false);
  assert.equal(flow.hystart.growthDivisor, 1);
});

Deno.test("HyStart slows down when a round's least grew by an eighth", () => {
  assert.equal(slowsDown(80, 89.99), false);
  assert.equal(slowsDown(80, 90), true);
});

Deno.test("HyStart's threshold is at least 4 ms and at most 16 ms (RFC 9406, 4.3)", () => {
  assert.equal(slowsDown(1, 4.99), false);
  assert.equal(slowsDown(1, 5), true);
  assert.equal(slowsDown(400, 415.99), false);
  assert.equal(slowsDown(400, 416), true);
});

Deno.test("HyStart divides growth by four while it is not sure", () => {
  const flow = new Flow();
  flow.steady(40);
  flow.steady(50);
  assert.equal(flow.hystart.growthDivisor, 4);
});

Deno.test("HyStart looks at the least of eight samples: one quick one is enough to go on", () => {
  const flow = new Flow();
  flow.steady(40);
  flow.round([70, 70, 70, 41, 70, 70, 70, 70, 70, 70]);
  assert.equal(flow.hystart.isConservative, false);
});

Deno.test("HyStart decides nothing on fewer than eight samples", () => {
  const flow = new Flow();
  flow.steady(40);
  flow.round(new Array(7).fill(90));
  assert.equal(flow.hystart.isConservative, false);
  const other = new Flow();
  other.steady(40);
  other.round(new Array(8).fill(90));
  assert.equal(other.hystart.isConservative, true);
});

Deno.test("HyStart ends slow start five rounds after the round trip grew, that one included", () => {
  const flow = new Flow();
  flow.steady(40);
  flow.steady(50);
  for (let round = 1; round <= 4; round++) {
    flow.steady(50 + round);
    assert.equal(flow.hystart.isOver, false, `${round}`);
  }
  flow.round([54]);
  assert.equal(flow.hystart.isOver, true);
});

Deno.test("HyStart takes up slow start again when the round trip falls below where it slowed", () => {
  const flow = new Flow();
  flow.steady(40);
  flow.steady(50);
  flow.steady(50); // not below
  assert.equal(flow.hystart.isConservative, true);
  flow.steady(49.9);
  assert.equal(flow.hystart.isConservative, false);
  assert.equal(flow.hystart.growthDivisor, 1);
  for (let round = 0; round < 10; round++) flow.steady(49.9);
  assert.equal(flow.hystart.isOver, false);
});

Deno.test("HyStart counts the conservative rounds anew after jitter", () => {
  const flow = new Flow();
  flow.steady(40);
  flow.steady(50);
  for (let round = 0; round < 3; round++) flow.steady(50);
  flow.steady(44); // jitter
  flow.steady(55);
  assert.equal(flow.hystart.isConservative, true);
  for (let round = 0; round < 4; round++) flow.steady(55);
  assert.equal(flow.hystart.isOver, false);
  flow.round([55]);
  assert.equal(flow.hystart.isOver, true);
});

Deno.test("HyStart notices a queue in the round that builds it", () => {
  const flow = new Flow();
  flow.steady(40);
  flow.round([40, 41, 42, 43, 46, 47, 48, 49, 50, 51, 52, 53]);
  assert.equal(flow.hystart.isConservative, true);
});

Deno.test("HyStart ends slow start at once when the queue is half a round trip deep", () => {
  const flow = new Flow();
  flow.steady(40);
  flow.steady(59.9);
  assert.equal(flow.hystart.isOver, false);
  flow.round(new Array(8).fill(60));
  assert.equal(flow.hystart.isOver, true);
});

Deno.test("HyStart calls no queue of less than 8 ms certain", () => {
  const flow = new Flow();
  flow.steady(1);
  flow.steady(8.9);
  flow.steady(8.9);
  assert.equal(flow.hystart.isOver, false);
  flow.steady(9);
  assert.equal(flow.hystart.isOver, true);
});

Deno.test("HyStart ends no round before something sent in it is acknowledged", () => {
  const flow = new Flow();
  flow.steady(40);
  flow.steady(50);
  // The newest packets carried only ACKs: nothing was sent that could measure a round.
  for (let count = 0; count < 20; count++) flow.hystart.onAck(1000, 50);
  assert.equal(flow.hystart.isOver, false);
});

Deno.test("HyStart never ends slow start on a path without a queue, whatever its jitter below 4 ms", () => {
  const anyRound = fc.array(fc.double({ min: 20, max: 23.9, noNaN: true }), {
    minLength: 1,
    maxLength: 20,
    size: "max",
  });
  fc.assert(fc.property(fc.array(anyRound, { maxLength: 60, size: "max" }), (rounds) => {
    const flow = new Flow();
    for (const samples of rounds) flow.round(samples);
    assert.equal(flow.hystart.isConservative, false);
    assert.equal(flow.hystart.isOver, false);
  }));
});
