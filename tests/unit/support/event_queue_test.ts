import assert from "node:assert/strict";
import { EventQueue } from "../../support/event_queue.ts";
import { Prng } from "../../support/prng.ts";

Deno.test("EventQueue takes in order of time and, at equal times, of adding", () => {
  const prng = new Prng(1);
  for (let round = 0; round < 50; round++) {
    const queue = new EventQueue<number>();
    const model: { atMs: number; order: number }[] = [];
    let order = 0;
    for (let i = 0; i < 200; i++) {
      if (prng.chance(0.6)) {
        const atMs = prng.integer(0, 12);
        queue.add(atMs, order);
        model.push({ atMs, order: order++ });
      } else {
        model.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
        assert.equal(queue.nextMs, model[0]?.atMs ?? Infinity);
        assert.equal(queue.take(), model.shift()?.order);
      }
      assert.equal(queue.size, model.length);
    }
  }
});
