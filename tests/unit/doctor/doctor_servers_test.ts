import assert from "node:assert/strict";
import { askServers } from "../../../lib/doctor/doctor_servers.ts";
import type { ResolveName } from "../../../lib/traversal/stun_servers.ts";
import { MeetingWorld, ROUND_TRIP_MS } from "../../support/meeting_world.ts";
import { WatchedMachine } from "../../support/watched_machine.ts";

/** Asks in a world where 45.0.0.1 and 45.0.0.2 are STUN servers; what came of it, and when. */
async function asked(servers: readonly string[], resolve: ResolveName) {
  const meeting = new MeetingWorld(1);
  const machine = new WatchedMachine(meeting, meeting.home());
  const { clock, prng: random } = meeting.world;
  const { live } = machine;
  const outcomes = await meeting.run(() => askServers(servers, { live, clock, random, resolve }));
  const atMs = meeting.world.nowMs;
  machine.close();
  return { outcomes, atMs };
}

Deno.test("askServers tells of each server whether it answers", async () => {
  const names: Record<string, string> = {
    "good.example": "45.0.0.2",
    "silent.example": "45.0.9.9",
  };
  const servers = ["45.0.0.1", "good.example", "silent.example", "unknown.example", "[::1]:1"];
  const { outcomes, atMs } = await asked(
    servers,
    (name) => Promise.resolve(names[name] === undefined ? [] : [names[name]!]),
  );
  assert.deepEqual(
    outcomes.map(({ server, outcome }) => [server, outcome]),
    servers.map((server, index) => [
      server,
      ["answered", "answered", "silent", "no_address", "no_address"][index],
    ]),
  );
  assert.ok(Math.abs(outcomes[0]!.rttMs! - ROUND_TRIP_MS) < 5);
  assert.ok(atMs <= 2000);
});

Deno.test("askServers waits no longer than 2 s for a name server, and ends its look-up", async () => {
  let ended: AbortSignal | undefined;
  const { outcomes, atMs } = await asked(["dead.example", "45.0.0.1"], (_name, signal) => {
    ended = signal;
    return new Promise(() => {});
  });
  assert.deepEqual(outcomes.map(({ outcome }) => outcome), ["no_address", "answered"]);
  assert.equal(atMs, 2000);
  assert.equal(ended?.aborted, true);
});
