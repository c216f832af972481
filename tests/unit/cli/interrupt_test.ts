import assert from "node:assert/strict";
import { Interrupt, SAME_INTERRUPT_MS } from "../../../lib/cli/interrupt.ts";
import { instant } from "../../../lib/time.ts";

Deno.test("Interrupt aborts at the first signal and ends at the second", () => {
  let ended = 0;
  const interrupt = new Interrupt(() => ended++);
  assert.equal(interrupt.signal.aborted, false);
  interrupt.handleSignal(instant(0));
  assert.equal(interrupt.signal.aborted, true);
  assert.equal(ended, 0);
  interrupt.handleSignal(instant(SAME_INTERRUPT_MS));
  assert.equal(ended, 1);
});

Deno.test("Interrupt takes signals at the same moment for one", () => {
  let ended = 0;
  const interrupt = new Interrupt(() => ended++);
  interrupt.handleSignal(instant(5));
  interrupt.handleSignal(instant(5 + SAME_INTERRUPT_MS - 1));
  assert.equal(ended, 0);
});
