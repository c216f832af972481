import assert from "node:assert/strict";
import { instant, NEVER } from "../../../lib/time.ts";
import { Timer, type TimerId, TimerTable } from "../../../lib/protocol/timer_table.ts";

const ALL: readonly TimerId[] = Object.values(Timer);

Deno.test("TimerTable has a slot of its own for every purpose", () => {
  assert.equal(new Set(ALL).size, ALL.length);
  const table = new TimerTable();
  for (const id of ALL) table.set(id, instant(1000 - id));
  for (const id of ALL) assert.equal(table.get(id), 1000 - id);
});

Deno.test("TimerTable.earliest sees every purpose", () => {
  for (const id of ALL) {
    const table = new TimerTable();
    assert.equal(table.earliest(), NEVER);
    for (const other of ALL) table.set(other, instant(200));
    table.set(id, instant(100));
    assert.equal(table.earliest(), 100);
    table.clear(id);
    assert.equal(table.get(id), NEVER);
    assert.equal(table.earliest(), 200);
  }
});

Deno.test("TimerTable.takeExpired is true once, at the deadline and not before", () => {
  const table = new TimerTable();
  table.set(Timer.ACK, instant(100));
  assert.equal(table.takeExpired(Timer.ACK, instant(99.999)), false);
  assert.equal(table.takeExpired(Timer.LOSS, instant(1e9)), false, "another purpose");
  assert.equal(table.takeExpired(Timer.ACK, instant(100)), true);
  assert.equal(table.takeExpired(Timer.ACK, instant(200)), false);
  assert.equal(table.earliest(), NEVER);
});

Deno.test("TimerTable.clearAll disarms everything", () => {
  const table = new TimerTable();
  for (const id of ALL) table.set(id, instant(1));
  table.clearAll();
  assert.equal(table.earliest(), NEVER);
});
