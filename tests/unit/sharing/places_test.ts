import assert from "node:assert/strict";
import fc from "fast-check";
import { Places } from "../../../lib/sharing/places.ts";

Deno.test("Places has as many places as it was made with, and takes them back", () => {
  const places = new Places({ atOnce: 2, reads: Infinity });
  assert.equal(places.free, 2);
  assert.equal(places.tryTake(), true);
  assert.equal(places.tryTake(), true);
  assert.equal(places.tryTake(), false);
  places.giveBack();
  assert.equal(places.tryTake(), true);
  places.useUp();
  assert.equal(places.free, 1, "reads without end are never used up");
  assert.equal(places.isUsedUp, false);
});

Deno.test("Places never lets more in than reads are left", () => {
  const places = new Places({ atOnce: 2, reads: 3 });
  assert.ok(places.tryTake() && places.tryTake());
  places.useUp();
  assert.ok(places.tryTake(), "two reads are left, and one is at it");
  places.useUp();
  assert.equal(places.tryTake(), false, "one read is left, and one is at it");
  places.giveBack();
  assert.ok(places.tryTake(), "it was not served");
  places.useUp();
  assert.equal(places.free, 0);
  assert.equal(places.isUsedUp, true);
});

Deno.test("Places gives a place that comes back to who waited longest, and to one only", () => {
  const places = new Places({ atOnce: 1, reads: Infinity });
  assert.equal(places.tryTake(), true);
  const told: string[] = [];
  const leave = places.wait(() => told.push("left"));
  places.wait(() => told.push("first"));
  places.wait(() => told.push("second"));
  leave();
  places.giveBack();
  assert.deepEqual(told, ["first"]);
  assert.equal(places.tryTake(), false, "nobody slips in between");
  places.useUp();
  assert.deepEqual(told, ["first", "second"]);
});

Deno.test("Places passes the place of a silent client on, and to one only", () => {
  const places = new Places({ atOnce: 1, reads: 1 });
  const told: string[] = [];
  assert.equal(places.tryTake(), true);
  const keep = places.offer(() => told.push("kept"));
  keep();
  assert.equal(places.free, 0, "it was heard again");
  places.offer(() => told.push("passed to who comes"));
  assert.equal(places.free, 1);
  assert.equal(places.tryTake(), true);
  assert.equal(places.tryTake(), false);
  places.wait(() => told.push("came"));
  places.offer(() => told.push("passed to who waits"));
  assert.equal(places.tryTake(), false);
  assert.deepEqual(told, ["passed to who comes", "passed to who waits", "came"]);
});

Deno.test("Places says when one is free that nobody waits for", () => {
  let told = 0;
  const places = new Places({ atOnce: 1, reads: Infinity, onFree: () => told++ });
  assert.ok(places.tryTake());
  const leave = places.wait(() => {});
  places.giveBack();
  assert.equal(told, 0);
  leave();
  places.giveBack();
  assert.equal(told, 1);
  assert.ok(places.tryTake());
  places.offer(() => {});
  assert.equal(told, 2);
});

Deno.test("Places gives nobody a place once it is closed", () => {
  const places = new Places({ atOnce: 1, reads: Infinity, onFree: () => assert.fail("told") });
  assert.equal(places.tryTake(), true);
  places.wait(() => assert.fail("let in"));
  places.close();
  places.wait(() => assert.fail("let in"));
  places.giveBack();
  assert.equal(places.tryTake(), false);
  assert.equal(places.free, 0);
});

Deno.test("Places keeps both of its bounds whatever clients do", () => {
  const actions = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 200 });
  const counts = fc.integer({ min: 1, max: 5 });
  fc.assert(fc.property(actions, counts, counts, (steps, atOnce, reads) => {
    const places = new Places({ atOnce, reads });
    let inside = 0;
    let served = 0;
    let silent = 0;
    const leaving: (() => void)[] = [];
    for (const step of steps) {
      const hasActive = inside > silent;
      if (step === 0 && places.tryTake()) inside++;
      if (step === 1 && hasActive) inside--, places.giveBack();
      if (step === 2 && hasActive) inside--, served++, places.useUp();
      if (step === 3 && places.free === 0) leaving.push(places.wait(() => inside++));
      if (step === 4) leaving.pop()?.();
      if (step === 5 && hasActive) silent++, places.offer(() => (inside--, silent--));
      assert.ok(inside <= atOnce && inside + served <= reads, `${inside} in, ${served} served`);
      assert.equal(places.isUsedUp, served === reads);
    }
  }));
});
