import assert from "node:assert/strict";
import {
  ARRIVAL_WINDOW_MS,
  ArrivalLimit,
  MAX_NOT_LET_IN,
} from "../../../lib/sharing/arrival_limit.ts";

const START = 5 as Parameters<ArrivalLimit["note"]>[1];
const later = (ms: number) => START + ms as typeof START;

Deno.test("ArrivalLimit refuses one host after so many in a minute, and says so once", () => {
  const limit = new ArrivalLimit();
  for (let index = 1; index < MAX_NOT_LET_IN; index++) limit.note("a", later(index));
  assert.equal(limit.refuses("a", later(100)), false);
  limit.note("a", later(100));
  assert.equal(limit.refuses("b", later(100)), false);
  assert.equal(limit.refuses("a", later(100)), "first");
  assert.equal(limit.refuses("a", later(ARRIVAL_WINDOW_MS)), "again");
  assert.equal(limit.refuses("a", later(ARRIVAL_WINDOW_MS + 1)), false);
});

Deno.test("ArrivalLimit begins to count anew when the minute is over", () => {
  const limit = new ArrivalLimit();
  for (let minute = 0; minute < 3; minute++) {
    const at = later(minute * ARRIVAL_WINDOW_MS);
    for (let index = 0; index < MAX_NOT_LET_IN; index++) limit.note("a", at);
    assert.equal(limit.refuses("a", at), "first");
  }
});
