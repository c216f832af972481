/** MemoryLog: what it calls flat. */
import assert from "node:assert/strict";
import { MemoryLog } from "../../../bench/reliability/memory_log.ts";

function logOf(samples: readonly number[]): MemoryLog {
  const log = new MemoryLog();
  for (const bytes of samples) log.add(bytes);
  return log;
}

Deno.test("MemoryLog compares the last third with the first, whatever single samples are", () => {
  const flat = logOf([100, 900, 101, 5, 300, 7, 110, 111, 990]);
  assert.deepEqual([flat.firstBytes, flat.lastBytes, flat.peakBytes], [101, 111, 990]);
  assert.ok(flat.isFlat);
  assert.ok(!logOf([100, 100, 100, 110, 115, 118, 125, 125, 125]).isFlat);
  assert.ok(logOf([]).isFlat);
  assert.ok(logOf([7]).isFlat);
});
