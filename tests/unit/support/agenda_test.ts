import assert from "node:assert/strict";
import { Agenda } from "../../support/agenda.ts";
import { Prng } from "../../support/prng.ts";

Deno.test("Agenda takes in order of time and, at equal times, of adding", () => {
  const prng = new Prng(1);
  for (let round = 0; round < 50; round++) {
    const agenda = new Agenda<number>();
    const model: { atMs: number; order: number }[] = [];
    let order = 0;
    for (let i = 0; i < 200; i++) {
      if (prng.chance(0.6)) {
        const atMs = prng.integer(0, 12);
        agenda.add(atMs, order);
        model.push({ atMs, order: order++ });
      } else {
        model.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
        assert.equal(agenda.nextMs, model[0]?.atMs ?? Infinity);
        assert.equal(agenda.take(), model.shift()?.order);
      }
      assert.equal(agenda.size, model.length);
    }
  }
});
