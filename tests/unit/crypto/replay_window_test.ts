import assert from "node:assert/strict";
import fc from "fast-check";
import { REPLAY_WINDOW_PACKETS, ReplayWindow } from "../../../lib/crypto/replay_window.ts";

/** The trivially correct window: a set of everything marked. */
class ModelWindow {
  #marked = new Set<number>();
  #largest = -1;

  check(packetNumber: number): boolean {
    return !this.#marked.has(packetNumber) &&
      packetNumber > this.#largest - REPLAY_WINDOW_PACKETS;
  }

  mark(packetNumber: number): void {
    this.#marked.add(packetNumber);
    this.#largest = Math.max(this.#largest, packetNumber);
  }
}

/** Steps that matter: small ones, ones around a word, the window and the bitmap, and leaps. */
const step = fc.oneof(
  fc.integer({ min: -70, max: 70 }),
  fc.integer({ min: -3, max: 3 }).map((x) => REPLAY_WINDOW_PACKETS + x),
  fc.integer({ min: -3, max: 3 }).map((x) => -REPLAY_WINDOW_PACKETS + x),
  fc.integer({ min: -33, max: 33 }).map((x) => 2 * REPLAY_WINDOW_PACKETS + x),
  fc.integer({ min: -REPLAY_WINDOW_PACKETS, max: 0 }),
  fc.integer({ min: 0, max: 2 ** 33 }),
);

Deno.test("ReplayWindow equals a set of all numbers", () => {
  const origin = fc.constantFrom(0, 1, 31, 2 ** 31 - 40, 2 ** 32 - 40, 2 ** 52);
  fc.assert(
    fc.property(origin, fc.array(step, { maxLength: 200 }), (start, steps) => {
      const window = new ReplayWindow();
      const model = new ModelWindow();
      let largest = start;
      for (const by of steps) {
        const packetNumber = largest + by;
        if (packetNumber < 0 || packetNumber > Number.MAX_SAFE_INTEGER) continue;
        const isNew = model.check(packetNumber);
        assert.equal(window.check(packetNumber), isNew, `number ${packetNumber}`);
        if (!isNew) continue;
        window.mark(packetNumber);
        model.mark(packetNumber);
        largest = Math.max(largest, packetNumber);
        assert.equal(window.check(packetNumber), false);
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("ReplayWindow accepts exactly 32,768 numbers up to the largest", () => {
  const window = new ReplayWindow();
  window.mark(1_000_000);
  assert.equal(window.largest, 1_000_000);
  assert.equal(window.check(1_000_000 - 32_767), true);
  assert.equal(window.check(1_000_000 - 32_768), false);
});

Deno.test("ReplayWindow accepts every number of a window once, in any order", () => {
  const window = new ReplayWindow();
  window.mark(99_999);
  for (let index = 0; index < REPLAY_WINDOW_PACKETS - 1; index++) {
    // 12,345 and 32,767 have no common factor, so this visits each number once.
    const packetNumber = 99_998 - (index * 12_345) % (REPLAY_WINDOW_PACKETS - 1);
    assert.ok(window.check(packetNumber));
    window.mark(packetNumber);
  }
  for (let packetNumber = 0; packetNumber < 100_000; packetNumber++) {
    assert.equal(window.check(packetNumber), false);
  }
});

Deno.test("ReplayWindow forgets a lap completely before the next", () => {
  const window = new ReplayWindow();
  const lap = 2 * REPLAY_WINDOW_PACKETS;
  for (let packetNumber = 0; packetNumber < lap; packetNumber++) window.mark(packetNumber);
  for (let packetNumber = lap; packetNumber < 2 * lap; packetNumber += 2) {
    window.mark(packetNumber + 1);
    assert.ok(window.check(packetNumber), `number ${packetNumber}`);
  }
});

Deno.test("ReplayWindow does not mark what was only checked", () => {
  const window = new ReplayWindow();
  assert.ok(window.check(5));
  assert.ok(window.check(5));
  assert.equal(window.largest, -1);
});

Deno.test("ReplayWindow reaches 2^53 − 1", () => {
  const window = new ReplayWindow();
  window.mark(Number.MAX_SAFE_INTEGER);
  assert.equal(window.check(Number.MAX_SAFE_INTEGER), false);
  assert.equal(window.check(Number.MAX_SAFE_INTEGER - 1), true);
  assert.equal(window.check(0), false);
});
