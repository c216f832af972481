/**
 * Goal: two machines join, each behind a NAT of its own.
 *
 * Method: both run in virtual time behind small NATs that filter by address and port (address only
 * where they map by address); the code is pasted 10 s after it was shown. Times are from the paste
 * until both sides heard each other, 80 ms being one round trip.
 */
import assert from "node:assert/strict";
import type { MappingClass } from "../../../../lib/nat/mapping_class.ts";
import { meet, type MeetOptions } from "./_punch_world.ts";

const FIXED: MappingClass = "endpoint_independent";
const ADDRESS: MappingClass = "address_dependent";
const STEPPING: MappingClass = "port_dependent_stepping";
const RANDOM: MappingClass = "port_dependent_random";

const SEEDS = 8;

/** How long the slowest of several seeds took. */
function slowest(options: Omit<MeetOptions, "seed">, methods: string): number {
  let slowestMs = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const meeting = meet({ seed, ...options });
    assert.ok(meeting.bothMs !== undefined, `seed ${seed} did not join`);
    assert.ok(meeting.sprayedBySharer <= 2048);
    assert.equal(meeting.methods.join(" "), methods);
    slowestMs = Math.max(slowestMs, meeting.bothMs);
  }
  return slowestMs;
}

Deno.test("two fixed NATs are joined within one round trip of the paste", () => {
  const pair = { sharer: FIXED, client: FIXED, pasteMs: 10_060 };
  assert.equal(slowest(pair, "punched punched"), 80);
  // A question of the client's that was on its way comes in, too.
  assert.equal(slowest({ ...pair, pasteMs: 10_000 }, "punched punched"), 40);
});

Deno.test("a fixed sharer that filters by address hears the client's next question, whatever its port", () => {
  for (const client of [RANDOM, "unknown"] as const) {
    const pair = { sharer: FIXED, sharerFiltersPorts: false, client };
    for (let pasteMs = 10_000; pasteMs < 10_125; pasteMs += 25) {
      const slowestMs = slowest({ ...pair, pasteMs }, "punched punched");
      assert.ok(slowestMs <= 125 + 40, `${slowestMs}`);
    }
  }
});

Deno.test("two fixed NATs are joined at 20 % loss within a second", () => {
  const slowestMs = slowest({ sharer: FIXED, client: FIXED, lossRate: 0.2 }, "punched punched");
  assert.ok(slowestMs <= 1000, `${slowestMs}`);
});

Deno.test("a stepping and a fixed NAT are joined within 200 ms, on either side", () => {
  for (const [sharer, client] of [[FIXED, STEPPING], [STEPPING, FIXED]] as const) {
    const slowestMs = slowest({ sharer, client }, "predicted predicted");
    assert.ok(slowestMs <= 200, `${slowestMs}`);
  }
});

Deno.test("a stepping sharer whose ports have gone on is met all the same", () => {
  const moved = { sharer: STEPPING, client: FIXED, sharerMoves: 700 };
  assert.ok(slowest(moved, "predicted birthday") <= 200);
});

Deno.test("two stepping NATs are joined in lockstep, also when others take ports in between", () => {
  const both = { sharer: STEPPING, client: STEPPING };
  const methods = "predicted predicted";
  assert.ok(slowest(both, methods) <= 200);
  assert.ok(slowest({ ...both, sharerMoves: 40 }, methods) <= 200);
  assert.ok(slowest({ ...both, sharerMoves: 40, disturbances: 3 }, methods) <= 500);
  assert.ok(slowest({ ...both, lossRate: 0.2 }, methods) <= 1200);
});

Deno.test("a fixed sharer and a client of random ports are joined within 5 s", () => {
  const pair = { sharer: FIXED, client: RANDOM };
  assert.ok(slowest(pair, "birthday birthday") <= 5000);
});

Deno.test("a sharer of random ports and a fixed client are joined within 5 s", () => {
  const pair = { sharer: RANDOM, client: FIXED };
  assert.ok(slowest(pair, "birthday birthday") <= 5000);
});

Deno.test("an address-dependent NAT is joined with every other kind", () => {
  for (const other of [FIXED, ADDRESS, STEPPING, RANDOM]) {
    const pair = { sharer: other, client: ADDRESS };
    assert.ok(slowest(pair, "birthday birthday") <= 5000);
  }
  for (const other of [STEPPING, RANDOM]) {
    // The client does not know when its tries begin to count.
    const pair = { sharer: ADDRESS, client: other };
    assert.ok(slowest(pair, "birthday birthday") <= 30_000);
  }
});

Deno.test("two NATs of random ports are not joined, and little is sent", () => {
  const meeting = meet({ seed: 1, sharer: RANDOM, client: RANDOM });
  assert.equal(meeting.bothMs, undefined);
  assert.equal(meeting.sprayedBySharer, 0);
  assert.equal(meeting.sentBySharer, 2 * 64);
});
