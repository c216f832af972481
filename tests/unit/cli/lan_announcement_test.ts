import assert from "node:assert/strict";
import type { TransferEvent } from "../../../lib/events.ts";
import { runProgram } from "../../../lib/cli/program.ts";
import type { ShareOptions } from "../../../lib/options.ts";
import {
  EVENTS,
  FakeStreams,
  type FakeStreamsOptions,
  fakeWorld,
  operationOf,
  ScriptedOperation,
} from "./_fake_world.ts";
import { FakeLan, LAN_DENIED } from "./_lan.ts";

const MOVED: TransferEvent = { ...EVENTS.code, code: "p2p1qmoved", changed: true };
const NEEDS_NOBODY = ["--yes", "--lan=Anna"];

/** Runs `send` with a scripted share. */
async function send(
  args: readonly string[],
  options: FakeStreamsOptions & { readonly lan?: FakeLan } = {},
) {
  const lan = options.lan ?? new FakeLan();
  const streams = new FakeStreams(options);
  let given: ShareOptions | undefined;
  const exit = await runProgram(
    ["send", "photos", ...args],
    fakeWorld({
      streams,
      localNetwork: lan,
      send: (_source, options) => {
        given = options;
        return Promise.resolve(operationOf(EVENTS.code, MOVED, EVENTS.done));
      },
    }),
  );
  return { exit, streams, lan, given };
}

Deno.test("--lan announces every code of a share, and takes it back at the end", async () => {
  const { exit, streams, lan } = await send(NEEDS_NOBODY);
  assert.equal(exit, 0);
  assert.deepEqual(lan.said, [`Anna: ${EVENTS.code.code}`, "update: p2p1qmoved", "goodbye"]);
  assert.match(streams.error, /^On the local network as Anna$/m);
  lan.announced!.onName!("Anna (2)");
  assert.match(streams.error, /^On the local network as Anna \(2\)$/m);
});

Deno.test("a share that lets nobody new in is announced no more", async () => {
  const lan = new FakeLan();
  const streams = new FakeStreams();
  const said: string[][] = [];
  const exit = await runProgram(
    ["share", "photos", ...NEEDS_NOBODY],
    fakeWorld({
      streams,
      localNetwork: lan,
      share: () =>
        Promise.resolve(
          new ScriptedOperation((async function* () {
            yield EVENTS.code;
            yield EVENTS.connected;
            yield { event: "closing", reason: "expired", clients: 1 };
            yield MOVED;
            await new Promise((resolve) => setTimeout(resolve));
            said.push([...lan.said]);
            const counts = { clients: 1, bytes: 5, elapsedMs: 9000, exit: 0 };
            yield { event: "closed", reason: "expired", ...counts };
          })()),
        ),
    }),
  );
  assert.equal(exit, 0);
  assert.deepEqual(said, [[`Anna: ${EVENTS.code.code}`, "goodbye"]]);
  assert.equal(lan.said.length, 2, "taken back once");
  const line = "Its time is up: nobody new is let in. Ends when the client that is in is done.";
  assert.ok(streams.error.split("\n").includes(line), streams.error);
});

Deno.test("--lan tells the name with --json, and nothing with --quiet", async () => {
  const json = await send([...NEEDS_NOBODY, "--json"]);
  assert.deepEqual(json.streams.events.filter(({ event }) => event === "announced"), [
    { v: 1, event: "announced", name: "Anna" },
  ]);
  const quiet = await send([...NEEDS_NOBODY, "--quiet"]);
  assert.ok(!quiet.streams.error.includes("Anna"));
  assert.equal(quiet.lan.said.length, 3);
});

Deno.test("a share goes on when it cannot be announced, and says so", async () => {
  const lan = new FakeLan();
  lan.problem = LAN_DENIED;
  const { exit, streams } = await send([...NEEDS_NOBODY, "--json"], { lan });
  assert.equal(exit, 0);
  const { code, message } = streams.events.find(({ event }) => event === "warning")!;
  assert.deepEqual([code, message], ["not_announced", LAN_DENIED.message]);
});

Deno.test("--lan without a name asks for one, and gives nothing else away", async () => {
  const { exit, lan } = await send(["--lan", "--yes"], { terminal: true, lines: [" Our share "] });
  assert.equal(exit, 0);
  assert.equal(lan.said[0], `Our share: ${EVENTS.code.code}`);
  const none = await send(["--lan", "--yes"], { terminal: true, lines: [""] });
  assert.equal(none.exit, 2);
  assert.deepEqual([none.lan.said, none.given], [[], undefined]);
  // Nobody is there to ask.
  const silent = await send(["--lan", "--yes"]);
  assert.equal(silent.exit, 2);
  assert.match(silent.streams.error, /--lan=NAME/);
});

Deno.test("--lan lets nobody in unasked whom nobody named", async () => {
  const open = await send(["--lan=Anna"]);
  assert.deepEqual([open.exit, open.lan.said], [2, []]);
  assert.match(open.streams.error, /all neighbours would be let in.*\n.*--private or --allow/s);
  const json = await send(["--lan=Anna", "--json"], { terminal: true });
  assert.equal(json.exit, 2);
  const fromInput = await send(["-", "--lan=Anna"], { terminal: true });
  assert.equal(fromInput.exit, 2);
  // Who is named is let in, and nobody by the code that all neighbours have.
  assert.equal((await send(["--lan=Anna", "--private"])).given!.private, true);
  assert.equal((await send(NEEDS_NOBODY)).given!.private, false);
  const asked = await send(["--lan=Anna"], { terminal: true });
  assert.equal(asked.given!.private, false);
  assert.notEqual(asked.given!.admit, undefined);
});

Deno.test("--lan and --for are not for the same share, nor --lan and a code", async () => {
  const both = await send(["--lan=Anna", "--for", "ben"], { terminal: true });
  assert.equal(both.exit, 2);
  const streams = new FakeStreams();
  assert.equal(await runProgram(["receive", "--lan", "Anna"], fakeWorld({ streams })), 2);
  assert.match(streams.error, /its name goes behind =, --lan=NAME/);
});
