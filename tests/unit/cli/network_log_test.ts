import assert from "node:assert/strict";
import type { NetworkEvent } from "../../../lib/events.ts";
import { NetworkLog } from "../../../lib/cli/network_log.ts";
import { EVENTS, FakeClock } from "./_fake_world.ts";

const KNOWN: NetworkEvent = EVENTS.network;
const PARTIAL: NetworkEvent = { ...KNOWN, mapping: "unknown" };

function logging() {
  const clock = new FakeClock();
  const lines: string[] = [];
  return { clock, lines, log: new NetworkLog(clock, (line) => lines.push(line)) };
}

Deno.test("NetworkLog holds the first line until the mapping is known", () => {
  const { clock, lines, log } = logging();
  log.handleEvent(PARTIAL);
  assert.deepEqual(lines, []);
  log.handleEvent(KNOWN);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /one outside port/);
  clock.advance(1000);
  assert.equal(lines.length, 1);
});

Deno.test("NetworkLog holds it for half a second at most, and not where nobody is asked", () => {
  const { clock, lines, log } = logging();
  log.handleEvent(PARTIAL);
  clock.advance(499);
  assert.deepEqual(lines, []);
  clock.advance(1);
  assert.match(lines[0]!, /not known/);
  const off = logging();
  off.log.handleEvent({ ...PARTIAL, stun: "off" });
  assert.equal(off.lines.length, 1);
});

Deno.test("NetworkLog tells what has changed, once, and what it holds at the end", () => {
  const { lines, log } = logging();
  log.handleEvent(KNOWN);
  log.handleEvent({ ...KNOWN });
  assert.equal(lines.length, 1);
  log.handleEvent(PARTIAL);
  assert.equal(lines.length, 2);
  const ended = logging();
  ended.log.handleEvent(PARTIAL);
  ended.log.end();
  ended.log.end();
  assert.equal(ended.lines.length, 1);
});
