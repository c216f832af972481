import assert from "node:assert/strict";
import { PunchBudget } from "../../../../lib/nat/punch/budget.ts";
import { PunchStream, type PunchStreamOptions } from "../../../../lib/nat/punch/stream.ts";
import { instant } from "../../../../lib/time.ts";
import { ipv4 } from "./_punch.ts";

function stream(options: Partial<PunchStreamOptions> = {}): PunchStream {
  return new PunchStream({
    startAt: instant(0),
    spacingMs: 2,
    gapMs: () => 1000,
    count: () => 3,
    target: (index, round) => ({ socket: round, remote: ipv4("192.0.2.1", 1 + index) }),
    ...options,
  });
}

/** Takes what is due whenever it is, `lateMs` late: time, round, index of each. */
function taken(from: PunchStream, untilMs: number, lateMs = 0): [number, number, number][] {
  const found: [number, number, number][] = [];
  let nowMs = 0;
  for (;;) {
    nowMs = Math.max(nowMs, from.nextAt + lateMs);
    if (nowMs > untilMs) return found;
    while (from.nextAt <= nowMs) {
      const target = from.take(instant(nowMs));
      if (target) found.push([nowMs, target.socket, target.remote.port - 1]);
    }
  }
}

Deno.test("PunchStream sends its rounds, spaced, each at its time", () => {
  assert.deepEqual(taken(stream(), 1003), [
    [0, 0, 0],
    [2, 0, 1],
    [4, 0, 2],
    [1000, 1, 0],
    [1002, 1, 1],
  ]);
});

Deno.test("PunchStream is given nothing before it is due", () => {
  const early = stream({ startAt: instant(50) });
  assert.equal(early.nextAt, 50);
  assert.equal(early.take(instant(49)), undefined);
  assert.ok(early.take(instant(50)));
  assert.equal(early.take(instant(51)), undefined);
});

Deno.test("PunchStream begins a round at once when the one before took longer than its gap", () => {
  const ends = taken(stream({ gapMs: (round) => round === 1 ? Infinity : 1 }), 1e6);
  assert.deepEqual(ends.map(([atMs]) => atMs), [0, 2, 4, 6, 8, 10]);
});

Deno.test("PunchStream makes good at most 20 ms that its owner slept", () => {
  const long = stream({ count: () => 1000 });
  long.take(instant(0));
  let burst = 0;
  while (long.take(instant(500))) burst++;
  assert.equal(burst, 11);
  const late = taken(stream({ count: () => 1000, gapMs: () => Infinity }), 3000, 15);
  assert.equal(late.length, 1000);
  for (const [atMs, , index] of late) assert.ok(atMs >= 2 * index);
});

Deno.test("PunchStream goes on with a round that grows", () => {
  let count = 0;
  const growing = stream({ count: () => count });
  assert.deepEqual(taken(growing, 500), []);
  count = 2;
  assert.equal(growing.nextAt, 0);
  assert.ok(growing.take(instant(500)));
  assert.ok(growing.take(instant(502)));
  assert.equal(growing.take(instant(504)), undefined);
  count = 3;
  assert.ok(growing.take(instant(504)));
  assert.equal(growing.nextAt, 1500);
});

Deno.test("PunchStream waits for its budget and for the one it follows", () => {
  const first = stream({ budget: new PunchBudget(2, 300), gapMs: () => Infinity });
  const second = stream({ following: first });
  assert.ok(first.isSpray && !second.isSpray);
  assert.equal(second.nextAt, Infinity);
  assert.deepEqual(taken(first, 1000).map(([atMs]) => atMs), [0, 2, 300]);
  assert.equal(second.nextAt, 0);
});
