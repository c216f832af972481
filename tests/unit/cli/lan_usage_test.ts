import assert from "node:assert/strict";
import { parseArguments } from "../../../lib/cli/arguments.ts";
import type { ReceiveInvocation, ShareInvocation } from "../../../lib/cli/invocation.ts";
import { closedToNeighbours, lanUsageError } from "../../../lib/cli/lan_usage.ts";
import { permissionNeeds } from "../../../lib/cli/permissions.ts";
import { FakeStreams } from "./_fake_world.ts";

const PIPES = new FakeStreams();
const TERMINAL = new FakeStreams({ terminal: true });

function parse(...words: string[]): ShareInvocation | ReceiveInvocation {
  const parsed = parseArguments(words, { version: "1.2.3", columns: 80 });
  assert.ok("lan" in parsed, JSON.stringify(parsed));
  return parsed as ShareInvocation | ReceiveInvocation;
}

Deno.test("--lan takes its name behind an equals sign, and none for no name", () => {
  assert.deepEqual(parse("share", "--lan", "photos").lan, {});
  assert.deepEqual(parse("share", "--lan=Anna", "photos").lan, { name: "Anna" });
  assert.deepEqual(parse("share", "--lan= ", "photos").lan, {});
  assert.deepEqual(parse("receive", "--lan=Anna").lan, { name: "Anna" });
  assert.deepEqual(parse("receive", "--lan").lan, {});
  assert.deepEqual(parse("wait", "--lan=Anna").lan, { name: "Anna" });
});

Deno.test("lanUsageError asks for a name and for somebody who decides", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["share x --lan=Anna", "--private or --allow"],
    ["share x --lan=Anna --yes", undefined],
    ["share x --lan=Anna --private", undefined],
    ["share x --lan=Anna --allow ben", undefined],
    ["share x --lan --yes", "--lan=NAME"],
    ["send --text hello --lan=Anna", "--private or --allow"],
    ["wait --lan=Anna", "--private or --allow"],
    ["receive --lan", "--lan=NAME"],
    ["receive --lan=Anna", undefined],
  ];
  for (const [line, hint] of cases) {
    const invocation = parse(...line.split(" "));
    const found = lanUsageError(invocation, PIPES);
    assert.deepEqual([found?.code, found?.hint.includes(hint!)], [
      hint === undefined ? undefined : "usage",
      hint === undefined ? undefined : true,
    ], line);
    assert.equal(lanUsageError(invocation, TERMINAL), undefined, line);
    const json = lanUsageError(parse(...line.split(" "), "--json"), TERMINAL);
    assert.equal(json?.hint, found?.hint, line);
  }
});

Deno.test("closedToNeighbours makes private what is announced and nobody is asked about", () => {
  const isPrivate = (line: string, streams: FakeStreams): boolean =>
    closedToNeighbours(parse(...line.split(" ")) as ShareInvocation, streams).private;
  assert.equal(isPrivate("share x --lan=Anna --allow ben", PIPES), true);
  assert.equal(isPrivate("share x --lan=Anna --allow ben --yes", PIPES), false);
  assert.equal(isPrivate("share x --lan=Anna --allow ben", TERMINAL), false);
  assert.equal(isPrivate("share x --lan=Anna --allow ben --json", TERMINAL), true);
});

Deno.test("--lan requires the machine's interfaces, whatever addresses are given", () => {
  const required = (line: string): boolean =>
    permissionNeeds(parse(...line.split(" ")))
      .some(({ flag, required }) => required && flag === "--allow-sys=networkInterfaces");
  assert.equal(required("share x --lan=Anna --address 192.0.2.7"), true);
  assert.equal(required("receive --lan=Anna"), true);
  assert.equal(required("receive --lan"), false);
});
