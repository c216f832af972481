import assert from "node:assert/strict";
import { MAX_UNPROVEN_PROBES } from "../../../../lib/protocol/params.ts";
import { ProbeBudget } from "../../../../lib/protocol/paths/probe_budget.ts";
import { instant } from "../../../../lib/time.ts";

Deno.test("[PATH-4] ProbeBudget gives no more than its share in any 30 s", () => {
  const budget = new ProbeBudget(instant(0));
  const takenAt: number[] = [];
  for (let nowMs = 0; nowMs < 120_000; nowMs += 50) {
    if (budget.take(instant(nowMs))) takenAt.push(nowMs);
  }
  for (const startMs of takenAt) {
    const count = takenAt.filter((atMs) => atMs >= startMs && atMs < startMs + 30_000).length;
    assert.ok(count <= MAX_UNPROVEN_PROBES, `${count} from ${startMs} ms on`);
  }
  assert.ok(takenAt.length > 2 * MAX_UNPROVEN_PROBES, "it comes back");
});
