import assert from "node:assert/strict";
import type { NetworkEvent, PathEvent } from "../../../lib/events.ts";
import type { PathMethod } from "../../../lib/nat/path_method.ts";
import {
  expectedLine,
  firstPathLine,
  METHOD_WORDS,
  networkLine,
  networkWarnings,
  pathLine,
  pathLostLine,
  reconnectingLines,
  replyLines,
} from "../../../lib/cli/path_messages.ts";
import { textWidth } from "../../../lib/cli/text_width.ts";
import { EVENTS } from "./_fake_world.ts";

const LINE = { isBack: false, hasAddress: false };
const LAN: PathEvent = { ...EVENTS.path, route: "lan", method: "direct", rttMs: 0.42 };

Deno.test("pathLine says how the path was made, where it leads and how long it takes", () => {
  assert.equal(
    pathLine(EVENTS.path, LINE),
    "Path changed: hole punched, Internet, 82 ms",
  );
  assert.equal(pathLine(LAN, LINE), "Path changed: direct, local network, 0.4 ms");
  assert.equal(
    pathLine({ ...LAN, family: 6, route: "internet", rttMs: 12 }, LINE),
    "Path changed: direct, Internet, IPv6, 12 ms",
  );
  assert.equal(
    pathLine(EVENTS.path, { isBack: true, hasAddress: true }),
    "Back: hole punched, Internet, 82 ms, 198.51.100.4:5000",
  );
});

Deno.test("lines about paths and replies fit into 60 columns whatever the method", () => {
  for (const method of Object.keys(METHOD_WORDS) as PathMethod[]) {
    const lines = [
      firstPathLine({ ...EVENTS.path, method }) ?? "",
      ...replyLines({ ...EVENTS.reply, expected: method }),
      pathLostLine(EVENTS.pathLost),
      ...reconnectingLines(EVENTS.reconnecting),
    ];
    for (const line of lines) assert.ok(textWidth(line) <= 60, line);
  }
});

Deno.test("firstPathLine adds only what the line about the connection did not say", () => {
  assert.equal(firstPathLine(EVENTS.path), "Path: hole punched");
  assert.equal(firstPathLine(LAN), undefined);
});

Deno.test("pathLostLine counts whole seconds", () => {
  assert.equal(
    pathLostLine(EVENTS.pathLost),
    "Nothing heard for 3 s: looking for another way …",
  );
  assert.match(pathLostLine({ ...EVENTS.pathLost, silentMs: 125_000 }), /for 2m05s:/);
});

Deno.test("replyLines names the client and what to expect", () => {
  assert.deepEqual(replyLines(EVENTS.reply), [
    "Looking for the client behind that code (k3n9) …",
    "  Expected: hole punched, about a second",
  ]);
});

Deno.test("expectedLine is what both sides say of a meeting", () => {
  assert.equal(expectedLine("punched"), "Expected: hole punched, about a second");
  assert.equal(replyLines(EVENTS.reply)[1], `  ${expectedLine(EVENTS.reply.expected)}`);
});

Deno.test("networkLine says all that is known and nothing that is not", () => {
  assert.equal(
    networkLine({ ...EVENTS.network, mapped: "203.0.113.5:4000", mappedBy: "nat-pmp" }),
    "Network: outside ports: one outside port per program; seen as 203.0.113.5:41000; " +
      "port opened by NAT-PMP: 203.0.113.5:4000; STUN: answered",
  );
  assert.equal(
    networkLine({ ...EVENTS.network, mapping: "unknown", reflexive: [], stun: "off" }),
    "Network: outside ports: not known; STUN: off",
  );
});

Deno.test("networkWarnings warns of routers that are hard and of servers that are silent", () => {
  const codes = (changes: Partial<NetworkEvent>) =>
    networkWarnings({ ...EVENTS.network, ...changes }).map(({ code }) => code);
  assert.deepEqual(codes({}), []);
  assert.deepEqual(codes({ mapping: "port_dependent_stepping" }), ["hard_mapping"]);
  assert.deepEqual(codes({ mapping: "port_dependent_random", stun: "silent" }), [
    "hard_mapping",
    "stun_silent",
  ]);
  assert.deepEqual(codes({ mapping: "unknown", stun: "off" }), []);
});
