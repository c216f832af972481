import assert from "node:assert/strict";
import type { ClientRequest, ShareOptions } from "../../../lib/options.ts";
import { runProgram } from "../../../lib/cli/program.ts";
import {
  EVENTS,
  FakeStreams,
  type FakeStreamsOptions,
  fakeWorld,
  operationOf,
  ScriptedOperation,
} from "./_fake_world.ts";

const CLIENT: ClientRequest = { session: 1, address: "198.51.100.4:5000" };

/** A share that asks to admit one client and moves everything if it may. */
function shareTo(client: ClientRequest) {
  const seen: { paths: readonly string[]; options: ShareOptions; admitted?: boolean }[] = [];
  return {
    seen,
    share: (paths: readonly string[], options: ShareOptions) => {
      const call: (typeof seen)[number] = { paths, options };
      seen.push(call);
      return Promise.resolve(
        new ScriptedOperation((async function* () {
          yield EVENTS.code;
          yield EVENTS.connected;
          const admitted = await options.admit?.(client) ?? true;
          call.admitted = admitted;
          yield { event: "admission", session: 1, address: client.address, admitted } as const;
          yield admitted ? EVENTS.done : EVENTS.refused;
        })()),
      );
    },
  };
}

async function send(args: string[], streamsOptions: FakeStreamsOptions = {}, client = CLIENT) {
  const streams = new FakeStreams(streamsOptions);
  const { share, seen } = shareTo(client);
  const exit = await runProgram(["send", ...args], fakeWorld({ streams, share }));
  return { exit, streams, ...seen[0]! };
}

Deno.test("send prints the code, the line to run and the summary to output", async () => {
  const { exit, streams } = await send(["photos", "--yes"]);
  assert.equal(exit, 0);
  assert.equal(
    streams.output,
    `p2p1qexample
deno run -A jsr:@p2pft/cli receive p2p1qexample
Sent 12 items, 50.2 MB in 4.5s (11.2 MB/s)
Verified root: ${EVENTS.done.root}
Confirmation received. Transfer complete.
`,
  );
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(streams.error + streams.output, /[\x1b\r]/);
});

Deno.test("send asks before it lets a client in", async () => {
  const yes = await send(["photos"], { terminal: true, columns: 60, lines: ["y"] });
  assert.equal(yes.exit, 0);
  assert.equal(yes.admitted, true);
  assert.ok(yes.streams.screen.lines.includes("Let 198.51.100.4:5000 in? [y/N] y"));
  const enter = await send(["photos"], { terminal: true, lines: [""] });
  assert.equal(enter.exit, 5);
  assert.equal(enter.admitted, false);
});

Deno.test("send shows each line once on a terminal of 60 columns", async () => {
  const { streams } = await send(["photos"], { terminal: true, columns: 60, lines: ["y"] });
  assert.deepEqual(streams.screen.lines, [
    "Code for the other side:",
    "p2p1qexample",
    "On the other machine, run:",
    "deno run -A jsr:@p2pft/cli receive p2p1qexample",
    "Connected to 198.51.100.4:5000 (direct, 12 ms)",
    "Let 198.51.100.4:5000 in? [y/N] y",
    "Sent 12 items, 50.2 MB in 4.5s (11.2 MB/s)",
    `Verified root: ${EVENTS.done.root.slice(0, 32)}`,
    `               ${EVENTS.done.root.slice(32)}`,
    "Confirmation received. Transfer complete.",
  ]);
});

Deno.test("send asks about the words where --verify was given", async () => {
  const client = { ...CLIENT, words: ["one", "two", "three"] };
  const { streams } = await send(["x", "--verify"], { terminal: true, lines: ["y"] }, client);
  assert.ok(streams.screen.lines.includes("Words: one two three"));
  assert.ok(
    streams.screen.lines.includes(
      "Does 198.51.100.4:5000 show the same words? Let it in? [y/N] y",
    ),
  );
});

Deno.test("send without a terminal warns once that the code is the admission", async () => {
  const text = await send(["x"]);
  assert.equal(text.admitted, true);
  assert.equal(text.streams.error.match(/Nobody is asked here/g)?.length, 1);
  const yes = await send(["x", "--yes"]);
  assert.doesNotMatch(yes.streams.error, /Nobody is asked/);
});

Deno.test("send --json writes objects only, the code first, done last", async () => {
  const { exit, streams } = await send(["x", "--json"], { terminal: true });
  assert.equal(exit, 0);
  assert.equal(streams.error, "");
  assert.deepEqual(
    streams.events.map((event) => event.event),
    ["code", "warning", "connected", "admission", "done"],
  );
  assert.ok(streams.events.every((event) => event.v === 1));
});

Deno.test("send --quiet prints the code and nothing else", async () => {
  const { streams } = await send(["x", "--yes", "--quiet"]);
  assert.equal(streams.output, "p2p1qexample\n");
  assert.equal(streams.error, "");
});

Deno.test("send passes addresses on as additions or as the only ones", async () => {
  const adds = await send(["x", "--yes", "--address", "203.0.113.5"]);
  assert.deepEqual(adds.options.extraAddresses, ["203.0.113.5"]);
  assert.equal(adds.options.addresses, undefined);
  const only = await send(["x", "--yes", "--address", "203.0.113.5", "--no-local-addresses"]);
  assert.deepEqual(only.options.addresses, ["203.0.113.5"]);
  assert.equal(only.options.extraAddresses, undefined);
});

Deno.test("send passes the common options on", async () => {
  const { paths, options } = await send(
    ["a", "b", "--yes", "--bind", "4000", "--timeout", "30s", "--allow-loopback", "--verify"],
  );
  assert.deepEqual(paths, ["a", "b"]);
  assert.deepEqual(options.bind, { port: 4000 });
  assert.equal(options.timeoutMs, 30_000);
  assert.equal(options.allowLoopback, true);
  assert.equal(options.verify, true);
  assert.equal(options.maxClients, 1);
});

Deno.test("send takes a question away when its client is gone", async () => {
  const streams = new FakeStreams({ terminal: true });
  let answer: Promise<boolean> | undefined;
  const exit = await runProgram(
    ["send", "x"],
    fakeWorld({
      streams,
      share: (_paths, options) =>
        Promise.resolve(
          new ScriptedOperation((async function* () {
            yield EVENTS.code;
            yield EVENTS.connected;
            answer = options.admit!(CLIENT);
            while (!streams.error.includes("Let ")) await Promise.resolve();
            yield { ...EVENTS.refused, session: 1, fatal: false };
            assert.equal(await answer, false);
            yield EVENTS.done;
          })()),
        ),
    }),
  );
  assert.equal(exit, 0);
  assert.equal(streams.screen.lines.filter((line) => line.startsWith("Let ")).length, 1);
});

Deno.test("send draws a QR code where it was asked for", async () => {
  const streams = new FakeStreams();
  const share = () => Promise.resolve(operationOf(EVENTS.code, EVENTS.done));
  await runProgram(["send", "x", "--qr", "--yes"], fakeWorld({ streams, share }));
  assert.match(streams.error, /█/);
});

Deno.test("send asks below the line about the connection, and says once that it turned away", async () => {
  const streams = new FakeStreams({ terminal: true, lines: ["n"] });
  await runProgram(
    ["send", "x"],
    fakeWorld({
      streams,
      share: (_paths, options) =>
        Promise.resolve(
          new ScriptedOperation((async function* () {
            yield EVENTS.code;
            // Asked before anyone read the event, as the library does.
            const admitted = options.admit!(CLIENT);
            yield EVENTS.connected;
            const { session, address } = CLIENT;
            yield { event: "admission", session, address, admitted: await admitted } as const;
            yield { ...EVENTS.refused, session, fatal: false };
            yield EVENTS.done;
          })()),
        ),
    }),
  );
  const { lines } = streams.screen;
  const connected = lines.findIndex((line) => line.startsWith("Connected to"));
  assert.deepEqual(lines.slice(connected + 1, connected + 3), [
    "Let 198.51.100.4:5000 in? [y/N] n",
    "Turned away 198.51.100.4:5000",
  ]);
  assert.ok(!lines.some((line) => line.startsWith("Error:")));
});

Deno.test("send says once that it was interrupted", async () => {
  const interrupt = new AbortController();
  const streams = new FakeStreams();
  const { refused } = EVENTS;
  const interrupted = {
    ...refused,
    code: "interrupted",
    exit: 130,
    message: "Interrupted",
  } as const;
  const exit = await runProgram(
    ["send", "x", "--yes"],
    fakeWorld({
      streams,
      signal: interrupt.signal,
      share: () =>
        Promise.resolve(
          new ScriptedOperation((async function* () {
            yield EVENTS.code;
            yield EVENTS.connected;
            interrupt.abort();
            yield { ...interrupted, session: 1, fatal: false };
            yield interrupted;
          })()),
        ),
    }),
  );
  assert.equal(exit, 130);
  assert.equal(streams.error.match(/Interrupted/g)?.length, 1);
});
