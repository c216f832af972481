import assert from "node:assert/strict";
import { Places } from "../../lib/places.ts";

Deno.test("Places has as many places as it was made with", async () => {
  const places = new Places(2);
  assert.equal(places.tryTake(), true);
  assert.equal(await places.take(), true);
  assert.equal(places.tryTake(), false);
  places.giveBack();
  assert.equal(places.tryTake(), true);
});

Deno.test("Places gives a place that comes back to who waited longest, and to one only", async () => {
  const places = new Places(1);
  assert.equal(places.tryTake(), true);
  const told: string[] = [];
  const first = places.take().then((isTaken) => told.push(`first ${isTaken}`));
  const second = places.take().then((isTaken) => told.push(`second ${isTaken}`));
  places.giveBack();
  await first;
  assert.equal(places.tryTake(), false, "nobody slips in between");
  assert.deepEqual(told, ["first true"]);
  places.giveBack();
  await second;
  assert.deepEqual(told, ["first true", "second true"]);
});

Deno.test("Places passes the place of a silent client on, and to one only", async () => {
  const places = new Places(1);
  const told: string[] = [];
  assert.equal(places.tryTake(), true);
  const keep = places.offer(() => told.push("kept"));
  keep();
  assert.equal(places.hasFree, false, "it was heard again");
  places.offer(() => told.push("passed to who comes"));
  assert.equal(places.hasFree, true);
  assert.equal(places.tryTake(), true);
  assert.equal(places.tryTake(), false);
  const waiting = places.take();
  places.offer(() => told.push("passed to who waits"));
  assert.equal(await waiting, true);
  assert.equal(places.tryTake(), false);
  assert.deepEqual(told, ["passed to who comes", "passed to who waits"]);
});

Deno.test("Places sends everyone away once it is closed", async () => {
  const places = new Places(1);
  assert.equal(places.tryTake(), true);
  const waiting = [places.take(), places.take()];
  places.close();
  assert.deepEqual(await Promise.all(waiting), [false, false]);
  places.giveBack();
  assert.equal(places.tryTake(), false);
  assert.equal(await places.take(), false);
});

Deno.test("Places without end never runs out", () => {
  const places = new Places(Infinity);
  for (let count = 0; count < 1000; count++) assert.equal(places.tryTake(), true);
});
