import assert from "node:assert/strict";
import fc from "fast-check";
import { BlockCredit, ControlCredit } from "../../../lib/protocol/flow_control.ts";
import {
  CONTROL_WINDOW_BYTES,
  INITIAL_BLOCK_WINDOW_BYTES,
  MAX_BLOCK_WINDOW_BYTES,
} from "../../../lib/protocol/params.ts";
import { instant } from "../../../lib/time.ts";

const MIB = 1024 * 1024;
const START = instant(1000);

Deno.test("BlockCredit grants the first window and no byte more", () => {
  const credit = new BlockCredit(START);
  assert.equal(credit.limit, INITIAL_BLOCK_WINDOW_BYTES);
  assert.equal(credit.onReceived(INITIAL_BLOCK_WINDOW_BYTES), true);
  assert.equal(credit.onReceived(0), true);
  assert.equal(credit.onReceived(1), false);
});

Deno.test("BlockCredit starts with what the handshake granted", () => {
  const credit = new BlockCredit(START, { windowBytes: MIB });
  assert.equal(credit.limit, MIB);
});

Deno.test("BlockCredit tells a new limit only when it is worth a frame", () => {
  const credit = new BlockCredit(START);
  const quarter = INITIAL_BLOCK_WINDOW_BYTES / 4;
  // Slowly, so that the window stays as it is.
  assert.equal(credit.onConsumed(instant(2000), quarter - 1, 10), false);
  assert.equal(credit.limit, INITIAL_BLOCK_WINDOW_BYTES);
  assert.equal(credit.onConsumed(instant(3000), 1, 10), true);
  assert.equal(credit.limit, INITIAL_BLOCK_WINDOW_BYTES + quarter);
});

Deno.test("BlockCredit doubles its window when it is emptied within two round trips", () => {
  const credit = new BlockCredit(START);
  let consumed = 0;
  const quarter = INITIAL_BLOCK_WINDOW_BYTES / 4;
  for (let step = 1; step <= 3; step++) {
    consumed += quarter;
    credit.onConsumed(instant(1000 + step), quarter, 50);
  }
  assert.equal(credit.limit, consumed + 2 * INITIAL_BLOCK_WINDOW_BYTES);
});

Deno.test("BlockCredit keeps its window for a peer that is slow itself", () => {
  const credit = new BlockCredit(START);
  let consumed = 0;
  for (let step = 1; step <= 100; step++) {
    consumed += MIB;
    credit.onConsumed(instant(1000 + 101 * step), MIB, 50);
  }
  assert.equal(credit.limit, consumed + INITIAL_BLOCK_WINDOW_BYTES);
});

Deno.test("BlockCredit stops growing at its bound", () => {
  const credit = new BlockCredit(START);
  let consumed = 0;
  for (let step = 1; step <= 1000; step++) {
    consumed += 4 * MIB;
    credit.onConsumed(instant(1000 + step), 4 * MIB, 1000);
    assert.ok(credit.limit - consumed <= MAX_BLOCK_WINDOW_BYTES);
  }
  assert.ok(credit.limit - consumed > 0.75 * MAX_BLOCK_WINDOW_BYTES);
});

Deno.test("BlockCredit only grows, and never leaves an honest sender without credit", () => {
  const anyStep = fc.record({ bytes: fc.nat(3 * MIB), waitMs: fc.nat(300) });
  const anyMaximum = fc.integer({ min: 1, max: 64 * MIB });
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 80, size: "max" }), anyMaximum, (steps, maximum) => {
      const credit = new BlockCredit(START, {
        windowBytes: Math.min(maximum, INITIAL_BLOCK_WINDOW_BYTES),
        maxWindowBytes: maximum,
      });
      let now = 1000;
      let told = credit.limit;
      let used = 0;
      for (const { bytes, waitMs } of steps) {
        now += waitMs;
        const received = Math.min(bytes, told - used);
        used += received;
        assert.equal(credit.onReceived(received), true);
        const isNew = credit.onConsumed(instant(now), received, 50);
        assert.ok(credit.limit >= told);
        assert.equal(isNew, credit.limit > told);
        if (isNew) told = credit.limit;
        assert.ok(told > used, "all was consumed, so there must be credit");
        assert.ok(told - used <= maximum);
      }
    }),
  );
});

Deno.test("ControlCredit moves a fixed window, a quarter of it at a time", () => {
  const credit = new ControlCredit();
  assert.equal(credit.limit, CONTROL_WINDOW_BYTES);
  assert.equal(credit.onDelivered(CONTROL_WINDOW_BYTES / 4 - 1), false);
  assert.equal(credit.limit, CONTROL_WINDOW_BYTES);
  assert.equal(credit.onDelivered(CONTROL_WINDOW_BYTES / 4), true);
  assert.equal(credit.limit, 1.25 * CONTROL_WINDOW_BYTES);
  assert.equal(credit.onDelivered(CONTROL_WINDOW_BYTES / 4), false);
});
