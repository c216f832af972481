import assert from "node:assert/strict";
import { TenMinuteMin } from "../../../../lib/protocol/congestion/ten_minute_min.ts";
import { instant } from "../../../../lib/time.ts";

const MINUTE_MS = 60_000;

Deno.test("TenMinuteMin keeps the least for ten minutes, then forgets it", () => {
  const least = new TenMinuteMin();
  assert.equal(least.value, Number.POSITIVE_INFINITY);
  least.add(instant(0), 40);
  least.add(instant(10), 60);
  assert.equal(least.value, 40);
  for (let atMs = 1000; atMs < 9.5 * MINUTE_MS; atMs += 1000) least.add(instant(atMs), 50);
  assert.equal(least.value, 40);
  for (let atMs = 9.5 * MINUTE_MS; atMs < 11 * MINUTE_MS; atMs += 1000) {
    least.add(instant(atMs), 50);
  }
  assert.equal(least.value, 50);
});

Deno.test("TenMinuteMin takes a lower value at once, and forgets all when told", () => {
  const least = new TenMinuteMin();
  least.add(instant(0), 40);
  least.add(instant(1), 30);
  assert.equal(least.value, 30);
  least.clear();
  assert.equal(least.value, Number.POSITIVE_INFINITY);
  least.add(instant(2), 70);
  assert.equal(least.value, 70);
});
