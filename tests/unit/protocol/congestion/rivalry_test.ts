// Goal: a queue that is not ours is told from one that is, and answered until it is gone.
// Method: rounds with queues of given delays.
import assert from "node:assert/strict";
import { Rivalry } from "../../../../lib/protocol/congestion/rivalry.ts";
import { instant } from "../../../../lib/time.ts";

const SIZE = 1472;
const WINDOW = 340 * SIZE;

class Rounds {
  readonly rivalry = new Rivalry(SIZE);
  nowMs = 0;

  constructor() {
    this.rivalry.handleStarted(WINDOW);
  }

  /** Rounds with a queue until competition begins or ends; −1 after a hundred. */
  until(isOn: boolean, queueMs: number, windowBytes = WINDOW): number {
    for (let count = 1; count <= 100; count++) {
      this.nowMs += 40;
      this.rivalry.handleRound(instant(this.nowMs), windowBytes, 40, queueMs, SIZE);
      if (this.rivalry.isOn === isOn) return count;
    }
    return -1;
  }
}

Deno.test("Rivalry begins after twenty rounds with a queue that flows like ours never build", () => {
  assert.equal(new Rounds().until(true, 5), -1);
  const rounds = new Rounds();
  assert.equal(rounds.until(true, 10, WINDOW / 4), 20);
  assert.equal(rounds.rivalry.windowBytes, WINDOW / 4);
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
  rounds.rivalry.handleEmptied(instant(rounds.nowMs));
  assert.equal(rounds.rivalry.isOn, false);
  assert.equal(rounds.until(true, 10, WINDOW / 8), 6);
  assert.equal(rounds.rivalry.windowBytes, WINDOW, "where it was");
});
