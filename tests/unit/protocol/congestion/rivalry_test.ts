// Goal: a queue that is not ours is told from one that is, and answered until it is gone.
// Method: rounds with queues of given delays.
import assert from "node:assert/strict";
import { Jitter } from "../../../../lib/protocol/congestion/jitter.ts";
import { Rivalry } from "../../../../lib/protocol/congestion/rivalry.ts";
import { instant } from "../../../../lib/time.ts";

const SIZE = 1472;
const WINDOW = 340 * SIZE;

class Rounds {
  readonly rivalry = new Rivalry(SIZE);
  readonly leftOf: (queueMs: number) => number;
  nowMs = 0;

  /** @param leftOf What a test leaves of a queue. */
  constructor(leftOf = (queueMs: number): number => queueMs) {
    this.leftOf = leftOf;
    this.rivalry.handleStarted(WINDOW);
  }

  /** Rounds with a queue until competition begins or ends; −1 after a hundred. */
  until(isOn: boolean, queueMs: number, windowBytes = WINDOW): number {
    for (let count = 1; count <= 100; count++) {
      this.nowMs += 40;
      this.rivalry.handleRound(instant(this.nowMs), windowBytes, 40, queueMs, SIZE);
      if (this.rivalry.isOn === isOn) return count;
      if (this.rivalry.isInDoubt) this.rivalry.handleTested(this.leftOf(queueMs));
    }
    return -1;
  }
}

Deno.test("Rivalry begins after twenty rounds with a queue that flows like ours never build", () => {
  assert.equal(new Rounds().until(true, 5), -1);
  const rounds = new Rounds();
  assert.equal(rounds.until(true, 10, WINDOW / 4), 20);
  assert.equal(rounds.rivalry.windowBytes, WINDOW / 2, "half of what the link holds, at least");
});

Deno.test("Rivalry takes the queue of six flows like ours for theirs", () => {
  // Each keeps 1.2 roots of its share in the queue.
  const queueMs = 40 * 6 * 1.2 * Math.sqrt(WINDOW / 6 * SIZE) / WINDOW;
  assert.equal(new Rounds().until(true, queueMs, WINDOW / 6), -1);
});

Deno.test("Rivalry never takes a queue for foreign that goes when little is in flight", () => {
  assert.equal(new Rounds(() => 2).until(true, 30), -1);
  const rounds = new Rounds();
  const [small, large] = [3 * SIZE, 20 * SIZE];
  rounds.rivalry.handleStarted(small);
  assert.equal(rounds.until(true, 30, small), -1, "that of the least that may be in flight");
  rounds.rivalry.handleStarted(large);
  assert.ok(rounds.until(true, 60, large) > 0);
});

Deno.test("Rivalry wants a longer queue where the delay of the path wanders", () => {
  const jitter = new Jitter();
  for (let round = 0; round < 200; round++) jitter.handleRound(5, 40);
  const rivalry = new Rivalry(SIZE, jitter);
  rivalry.handleStarted(WINDOW);
  for (const [queueMs, isForeign] of [[12, false], [24, true]] as const) {
    for (let round = 0; round < 30; round++) {
      rivalry.handleRound(instant(40 * round), WINDOW, 40, queueMs, SIZE);
      if (rivalry.isInDoubt) rivalry.handleTested(queueMs);
    }
    assert.equal(rivalry.isOn, isForeign);
  }
});

Deno.test("Rivalry puts a doubtful queue to the test again and again, but not one that goes", () => {
  const { rivalry } = new Rounds();
  const asked: number[] = [];
  for (let round = 1; round <= 30; round++) {
    const queueMs = round === 24 ? 0 : 6;
    rivalry.handleRound(instant(40 * round), WINDOW, 40, queueMs, SIZE);
    if (rivalry.isInDoubt) asked.push(round);
  }
  assert.deepEqual(asked, [6, 14, 22, 30]);
});

Deno.test("Rivalry tells when a loss made it give way", () => {
  const { rivalry } = new Rounds();
  rivalry.onDatagramSize(SIZE);
  assert.ok(rivalry.onLost(instant(1000), SIZE, 1, instant(900)));
  assert.equal(rivalry.onLost(instant(1010), SIZE, 1, instant(910)), false, "the same event");
});

Deno.test("Rivalry ends when the queue is gone for a while", () => {
  const rounds = new Rounds();
  rounds.until(true, 10);
  assert.equal(rounds.until(false, 5), -1);
  assert.equal(rounds.until(false, 1), 9);
});

Deno.test("Rivalry asks again after the queue was to be emptied, but not for as long", () => {
  const rounds = new Rounds();
  rounds.until(true, 10);
  rounds.rivalry.handleEmptied(instant(rounds.nowMs), 10, 40);
  assert.ok(rounds.rivalry.isOn, "the queue is still there");
  rounds.rivalry.handleEmptied(instant(rounds.nowMs), 1, 40);
  assert.equal(rounds.rivalry.isOn, false);
  assert.equal(rounds.until(true, 10, WINDOW / 8), 6);
  assert.equal(rounds.rivalry.windowBytes, WINDOW, "where it was");
});
