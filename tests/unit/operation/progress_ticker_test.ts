import assert from "node:assert/strict";
import type { ProgressEvent } from "../../../lib/events.ts";
import { ProgressTicker } from "../../../lib/operation/progress_ticker.ts";
import { FakeClock } from "../cli/_fake_world.ts";

type Progress = Omit<ProgressEvent, "session" | "route">;

/** A ticker of a transfer of 10,000 bytes whose counters the test moves. */
function start() {
  const clock = new FakeClock();
  const state = {
    bytesDone: 0,
    keptBytes: 0,
    bytesTotal: 10_000,
    itemsDone: 0,
    itemsTotal: 1,
    file: "a",
  };
  const told: Progress[] = [];
  const ticker = new ProgressTicker(clock, () => ({ ...state }), (event) => told.push(event));
  return { clock, state, told, ticker };
}

Deno.test("ProgressTicker tells ten times a second, and once more at the end", () => {
  const { clock, told, ticker } = start();
  for (let tick = 0; tick < 10; tick++) clock.advance(100);
  assert.equal(told.length, 10);
  ticker.stop();
  assert.equal(told.length, 11);
  clock.advance(1000);
  assert.equal(told.length, 11, "no timer is left");
});

Deno.test("ProgressTicker has no rate and no time left before anything moved", () => {
  const { clock, told } = start();
  clock.advance(100);
  assert.equal(told[0]!.rateBytesPerSecond, 0);
  assert.ok(!("remainingSeconds" in told[0]!));
});

Deno.test("ProgressTicker tells the rate of the last three seconds, and the time left by it", () => {
  const { clock, state, told } = start();
  for (let tick = 0; tick < 20; tick++) {
    state.bytesDone += 100;
    clock.advance(100);
  }
  assert.equal(told.at(-1)!.rateBytesPerSecond, 1000);
  assert.equal(told.at(-1)!.remainingSeconds, 8);
  for (let tick = 0; tick < 32; tick++) clock.advance(100);
  assert.equal(told.at(-1)!.rateBytesPerSecond, 0, "a stall shows");
});

Deno.test("ProgressTicker tells no time left of a stream", () => {
  const clock = new FakeClock();
  const told: Progress[] = [];
  let bytesDone = 0;
  const counts = { itemsDone: 0, itemsTotal: 1, file: "stdin", hasStream: true } as const;
  const poll = () => ({ ...counts, bytesDone, bytesTotal: bytesDone + 1000 });
  new ProgressTicker(clock, poll, (event) => told.push(event));
  for (let tick = 0; tick < 10; tick++) {
    bytesDone += 100;
    clock.advance(100);
  }
  const { rateBytesPerSecond, hasStream } = told.at(-1)!;
  assert.deepEqual([rateBytesPerSecond, hasStream], [1000, true]);
  assert.ok(!("remainingSeconds" in told.at(-1)!));
});

Deno.test("ProgressTicker counts what was here before as done, and not in the rate", () => {
  const { clock, state, told } = start();
  for (let tick = 0; tick < 10; tick++) {
    state.bytesDone += 600;
    state.keptBytes += 500;
    clock.advance(100);
  }
  const { bytesDone, rateBytesPerSecond, remainingSeconds } = told.at(-1)!;
  assert.deepEqual([bytesDone, rateBytesPerSecond, remainingSeconds], [6000, 1000, 4]);
});

Deno.test("ProgressTicker can be stopped at once", () => {
  const { told, ticker } = start();
  ticker.stop();
  assert.deepEqual(told.map(({ rateBytesPerSecond }) => rateBytesPerSecond), [0]);
});
