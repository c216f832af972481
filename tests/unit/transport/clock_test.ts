import assert from "node:assert/strict";
import { after } from "../../../lib/time.ts";
import { systemClock } from "../../../lib/transport/clock.ts";

Deno.test("systemClock does not take a deadline far away for one that is past", async () => {
  const fired: number[] = [];
  const arm = (delayMs: number) =>
    systemClock.setTimer(after(systemClock.now(), delayMs), () => fired.push(delayMs));
  const cancels = [2 ** 31, 2 ** 40, Infinity].map(arm);
  await new Promise<void>((resolve) => systemClock.setTimer(after(systemClock.now(), 5), resolve));
  assert.deepEqual(fired, []);
  // The sanitizer sees that these leave nothing behind.
  for (const cancel of cancels) cancel();
});

Deno.test("systemClock lets timers that are due have their turn", async () => {
  let hasFired = false;
  systemClock.setTimer(systemClock.now(), () => hasFired = true);
  for (let turn = 0; turn < 1000 && !hasFired; turn++) await systemClock.letOthers!();
  assert.ok(hasFired);
});
