import assert from "node:assert/strict";
import fc from "fast-check";
import { PunchBudget } from "../../../../lib/nat/punch/budget.ts";
import { instant } from "../../../../lib/time.ts";

Deno.test("[PROBE-4] PunchBudget allows no more within any window, and no less", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 200 }), (gaps) => {
    const budget = new PunchBudget(5, 100);
    const spent: number[] = [];
    let nowMs = 0;
    for (const gap of gaps) {
      nowMs += gap;
      const recent = spent.filter((atMs) => nowMs - atMs < 100).length;
      assert.equal(budget.nextAt <= nowMs, recent < 5);
      if (recent === 5) continue;
      budget.spend(instant(nowMs));
      spent.push(nowMs);
    }
  }));
});

Deno.test("PunchBudget says when the oldest leaves the window", () => {
  const budget = new PunchBudget(2, 100);
  budget.spend(instant(10));
  budget.spend(instant(50));
  assert.equal(budget.nextAt, 110);
  budget.spend(instant(110));
  assert.equal(budget.nextAt, 150);
});
