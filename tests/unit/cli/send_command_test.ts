import assert from "node:assert/strict";
import { TransferError } from "../../../lib/errors.ts";
import type { ClientRequest, ShareOptions, ShareSource } from "../../../lib/options.ts";
import { runProgram } from "../../../lib/cli/program.ts";
import {
  EVENTS,
  FakeStreams,
  type FakeStreamsOptions,
  fakeWorld,
  operationOf,
  ScriptedOperation,
  until,
} from "./_fake_world.ts";

const CLIENT: ClientRequest = {
  session: 1,
  address: "198.51.100.4:5000",
  isInvited: false,
  signal: new AbortController().signal,
};

/** A share that asks to admit one client and moves everything if it may. */
function shareTo(client: ClientRequest) {
  const seen: { source: ShareSource; options: ShareOptions; admitted?: boolean }[] = [];
  return {
    seen,
    send: (source: ShareSource, options: ShareOptions) => {
      const call: (typeof seen)[number] = { source, options };
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

/** A share that runs until a reply code was taken, and lets that client in unasked. */
function shareForReply(onReply: (code: string) => void = () => {}) {
  const replied = Promise.withResolvers<void>();
  const { session, address } = CLIENT;
  const operation = new ScriptedOperation(
    (async function* () {
      yield EVENTS.code;
      await replied.promise;
      yield EVENTS.reply;
      yield EVENTS.connected;
      yield { event: "admission", session, address, admitted: true } as const;
      yield EVENTS.done;
    })(),
    (code) => {
      onReply(code);
      replied.resolve();
    },
  );
  return { operation, send: () => Promise.resolve(operation) };
}

/** Refuses `p2p1bad` as the library does. */
function refuseBad(code: string): void {
  if (code !== "p2p1bad") return;
  throw new TransferError("bad_code", "Cannot read the code: it is bad\x1b[2J", { hint: "Look" });
}

async function runSend(args: string[], streamsOptions: FakeStreamsOptions = {}, client = CLIENT) {
  const streams = new FakeStreams(streamsOptions);
  const { send, seen } = shareTo(client);
  const exit = await runProgram(["send", ...args], fakeWorld({ streams, send }));
  return { exit, streams, ...seen[0]! };
}

Deno.test("send prints the code, the line to run and the summary to output", async () => {
  const { exit, streams } = await runSend(["photos", "--yes"]);
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
  const yes = await runSend(["photos"], { terminal: true, columns: 60, lines: ["y"] });
  assert.equal(yes.exit, 0);
  assert.equal(yes.admitted, true);
  assert.ok(yes.streams.screen.lines.includes("Let 198.51.100.4:5000 in? [y/N] y"));
  const enter = await runSend(["photos"], { terminal: true, lines: [""] });
  assert.equal(enter.exit, 5);
  assert.equal(enter.admitted, false);
});

Deno.test("send shows each line once on a terminal of 60 columns", async () => {
  const { streams } = await runSend(["photos"], { terminal: true, columns: 60, lines: ["y"] });
  assert.deepEqual(streams.screen.lines, [
    "Code for the other side:",
    "p2p1qexample",
    "On the other machine, run:",
    "deno run -A jsr:@p2pft/cli receive p2p1qexample",
    "If the other side shows a reply code, paste it here.",
    "Connected to 198.51.100.4:5000 (Internet, 12 ms)",
    "Let 198.51.100.4:5000 in? [y/N] y",
    "Sent 12 items, 50.2 MB in 4.5s (11.2 MB/s)",
    `Verified root: ${EVENTS.done.root.slice(0, 32)}`,
    `               ${EVENTS.done.root.slice(32)}`,
    "Confirmation received. Transfer complete.",
  ]);
});

Deno.test("send asks about the words where --verify was given", async () => {
  const client = { ...CLIENT, words: ["one", "two", "three"] };
  const { streams } = await runSend(["x", "--verify"], { terminal: true, lines: ["y"] }, client);
  assert.ok(streams.screen.lines.includes("Words: one two three"));
  assert.ok(
    streams.screen.lines.includes(
      "Does 198.51.100.4:5000 show the same words? Let it in? [y/N] y",
    ),
  );
});

Deno.test("send without a terminal warns once that the code is the admission", async () => {
  const text = await runSend(["x"]);
  assert.equal(text.admitted, true);
  assert.equal(text.streams.error.match(/Nobody is asked here/g)?.length, 1);
  const yes = await runSend(["x", "--yes"]);
  assert.doesNotMatch(yes.streams.error, /Nobody is asked/);
});

Deno.test("send --json writes objects only, the code first, done last", async () => {
  const { exit, streams } = await runSend(["x", "--json"], { terminal: true });
  assert.equal(exit, 0);
  assert.equal(streams.error, "");
  assert.deepEqual(
    streams.events.map((event) => event.event),
    ["code", "warning", "connected", "admission", "done"],
  );
  assert.ok(streams.events.every((event) => event.v === 1));
});

Deno.test("send --quiet prints the code and nothing else", async () => {
  const { streams } = await runSend(["x", "--yes", "--quiet"]);
  assert.equal(streams.output, "p2p1qexample\n");
  assert.equal(streams.error, "");
});

Deno.test("send passes addresses on as additions or as the only ones", async () => {
  const adds = await runSend(["x", "--yes", "--address", "203.0.113.5"]);
  assert.deepEqual(adds.options.extraAddresses, ["203.0.113.5"]);
  assert.equal(adds.options.addresses, undefined);
  const only = await runSend(["x", "--yes", "--address", "203.0.113.5", "--no-local-addresses"]);
  assert.deepEqual(only.options.addresses, ["203.0.113.5"]);
  assert.equal(only.options.extraAddresses, undefined);
});

Deno.test("send passes limits and congestion control on", async () => {
  const none = (await runSend(["x"])).options;
  assert.deepEqual(
    [none.limitBytesPerSecond, none.clientLimitBytesPerSecond, none.congestion, none.background],
    [undefined, undefined, undefined, false],
  );
  const { options } = await runSend(
    ["--limit", "2M", "--limit-client", "1M", "--cc", "bbr", "x"],
  );
  assert.equal(options.limitBytesPerSecond, 2_000_000);
  assert.equal(options.clientLimitBytesPerSecond, 1_000_000);
  assert.equal(options.congestion, "bbr");
  assert.equal((await runSend(["--background", "x"])).options.background, true);
});

Deno.test("send passes the common options on", async () => {
  const { source, options } = await runSend(
    ["a", "b", "--yes", "--bind", "4000", "--timeout", "30s", "--allow-loopback", "--verify"],
  );
  assert.equal(options.stunServers, undefined);
  assert.equal(options.portMapping, undefined);
  assert.deepEqual(source, ["a", "b"]);
  assert.deepEqual(options.bind, { port: 4000 });
  assert.equal(options.timeoutMs, 30_000);
  assert.equal(options.allowLoopback, true);
  assert.equal(options.verify, true);
  assert.deepEqual([options.maxClients, options.readLimit], [undefined, undefined]);
  const alone = await runSend(["x", "--yes", "--stun", "none", "--no-portmap"]);
  assert.deepEqual(alone.options.stunServers, []);
  assert.equal(alone.options.portMapping, false);
});

Deno.test("send passes on what is left out of folders", async () => {
  const { options } = await runSend(
    ["x", "--exclude", "*.o", "--exclude", "/tmp", "--gitignore", "--symlinks", "follow"],
  );
  assert.deepEqual(options.exclude, ["*.o", "/tmp"]);
  assert.equal(options.gitignore, true);
  assert.equal(options.symlinks, "follow");
  const plain = await runSend(["x"]);
  assert.deepEqual(plain.options.exclude, []);
  assert.equal(plain.options.gitignore, false);
  assert.equal(plain.options.symlinks, "skip");
});

Deno.test("send - hands over standard input, and asks nothing that is answered there", async () => {
  const bytes = new Uint8Array(200_000).map((_, index) => index);
  for (const terminal of [false, true]) {
    const { seen, send } = shareTo(CLIENT);
    const streams = new FakeStreams({ terminal, bytes });
    assert.equal(await runProgram(["send", "-"], fakeWorld({ streams, send })), 0);
    const { source, options } = seen[0]!;
    assert.ok("stream" in source);
    assert.equal(source.name, "stdin");
    assert.deepEqual(await new Response(source.stream).bytes(), bytes);
    assert.equal(options.admit, undefined);
    assert.equal(streams.error.includes("What is typed here is sent; Ctrl-D"), terminal);
    assert.match(streams.error, /no reply code can be pasted here/);
    assert.match(streams.error, /whoever has the code may take what is shared/);
    assert.doesNotMatch(streams.error, /paste it here/);
  }
});

Deno.test("send --json - says that reply codes cannot come from what is sent", async () => {
  const { send } = shareTo(CLIENT);
  const streams = new FakeStreams();
  const args = ["send", "--json", "--yes", "-", "--name", "a.tar"];
  assert.equal(await runProgram(args, fakeWorld({ streams, send })), 0);
  const codes = streams.events.flatMap(({ event, code }) => event === "warning" ? [code] : []);
  assert.deepEqual(codes, ["no_reply_codes"]);
  assert.equal(streams.error, "");
});

Deno.test("send - --verify needs --yes: nobody can answer", async () => {
  const streams = new FakeStreams({ terminal: true });
  assert.equal(await runProgram(["send", "-", "--verify"], fakeWorld({ streams })), 2);
  assert.match(streams.error, /Cannot compare the words/);
});

Deno.test("send --text hands over a text, from the command line or standard input", async () => {
  const { seen, send } = shareTo(CLIENT);
  const run = (args: string[], streams: FakeStreams) =>
    runProgram(["send", "--yes", ...args], fakeWorld({ streams, send }));
  assert.equal(await run(["--text", "hi\nthere"], new FakeStreams()), 0);
  assert.deepEqual(seen.pop()!.source, { text: "hi\nthere" });
  const bytes = new TextEncoder().encode("pipéd\n");
  const piped = new FakeStreams({ bytes });
  assert.equal(await run(["--text", "-", "--name", "note.md"], piped), 0);
  assert.deepEqual(seen.pop()!.source, { text: "pipéd\n", name: "note.md" });
  assert.doesNotMatch(piped.error, /Type the text/);
  const typed = new FakeStreams({ terminal: true, bytes });
  assert.equal(await run(["--text", "-"], typed), 0);
  assert.match(typed.error, /Type the text to send, and Ctrl-D on a line of its own/);
});

Deno.test("send --text - ends with Ctrl-C while the text is typed", async () => {
  const interrupt = new AbortController();
  const streams = new FakeStreams({ terminal: true });
  streams.readInput = () => {
    interrupt.abort();
    return new Promise(() => {});
  };
  const world = fakeWorld({ streams, signal: interrupt.signal });
  assert.equal(await runProgram(["send", "--text", "-"], world), 130);
  assert.match(streams.error, /Interrupted/);
});

Deno.test("send --text - ends with a usage error for what is no text", async () => {
  const run = async (bytes: Uint8Array) => {
    const streams = new FakeStreams({ bytes });
    assert.equal(await runProgram(["send", "--text", "-"], fakeWorld({ streams })), 2);
    return streams.error;
  };
  assert.match(await run(new Uint8Array(65_537)), /more than 64 KiB/);
  assert.match(await run(new Uint8Array([0xff, 0xfe])), /not UTF-8/);
});

Deno.test("send takes a question away when its client is gone", async () => {
  const streams = new FakeStreams({ terminal: true });
  let answer: Promise<boolean> | undefined;
  const exit = await runProgram(
    ["send", "x"],
    fakeWorld({
      streams,
      send: (_paths, options) =>
        Promise.resolve(
          new ScriptedOperation((async function* () {
            yield EVENTS.code;
            yield EVENTS.connected;
            const left = new AbortController();
            answer = options.admit!({ ...CLIENT, signal: left.signal });
            while (!streams.error.includes("Let ")) await Promise.resolve();
            left.abort();
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

Deno.test("send takes a reply code that is pasted while it waits, and asks nothing", async () => {
  const streams = new FakeStreams({ terminal: true, columns: 60 });
  const { operation, send } = shareForReply(refuseBad);
  const exit = runProgram(["send", "photos"], fakeWorld({ streams, send }));
  await until(() => streams.error.includes("Waiting for the other side"));
  streams.type("hello?");
  await until(() => streams.error.includes("That is no reply code"));
  streams.type("p2p1bad");
  await until(() => streams.error.includes("Look"));
  streams.type("Here: P2P1 zzz");
  assert.equal(await exit, 0);
  assert.deepEqual(operation.replies, ["p2p1bad", "P2P1 zzz"]);
  const { lines } = streams.screen;
  assert.deepEqual(lines.slice(lines.findIndex((line) => line.startsWith("If the")), -4), [
    "If the other side shows a reply code, paste it here.",
    "> hello?",
    "That is no reply code and no command: type help.",
    "Error: Cannot read the code: it is bad\\u{1b}[2J",
    "  Look",
    "Reply code taken.",
    "Looking for the client behind that code (k3n9) …",
    "  Expected: hole punched, about a second",
    "Connected to 198.51.100.4:5000 (Internet, 12 ms)",
  ]);
});

Deno.test("send takes a reply code while it asks about another client", async () => {
  const streams = new FakeStreams({ terminal: true, columns: 60 });
  let operation: ScriptedOperation | undefined;
  const exit = runProgram(
    ["send", "x"],
    fakeWorld({
      streams,
      send: (_paths, options) => {
        operation = new ScriptedOperation((async function* () {
          yield EVENTS.code;
          yield EVENTS.connected;
          const admitted = await options.admit!(CLIENT);
          yield { event: "admission", session: 1, address: CLIENT.address, admitted } as const;
          yield EVENTS.done;
        })());
        return Promise.resolve(operation);
      },
    }),
  );
  await until(() => streams.error.endsWith("in? [y/N] "));
  streams.type("p2p1reply");
  await until(() => operation!.replies.length > 0);
  streams.type("y");
  assert.equal(await exit, 0);
  assert.deepEqual(operation!.replies, ["p2p1reply"]);
  assert.deepEqual(streams.screen.lines.filter((line) => line.startsWith("Let ")), [
    "Let 198.51.100.4:5000 in? [y/N] y",
  ]);
});

Deno.test("send takes reply codes from a pipe, and runs on when that has ended", async () => {
  const { operation, send } = shareForReply(refuseBad);
  const streams = new FakeStreams({ lines: ["no code", "p2p1bad", "p2p1good"] });
  assert.equal(await runProgram(["send", "x", "--yes"], fakeWorld({ streams, send })), 0);
  assert.deepEqual(operation.replies, ["p2p1bad", "p2p1good"]);
  assert.match(streams.error, /That is no reply code/);
  assert.match(streams.error, /Error: Cannot read the code: it is bad.*\n {2}Look\n/);
  assert.doesNotMatch(streams.error, /paste/);
});

Deno.test("send --json warns of bad reply codes and goes on", async () => {
  const { operation, send } = shareForReply(refuseBad);
  const streams = new FakeStreams({ lines: ["no code", "p2p1bad", "p2p1good"] });
  const exit = await runProgram(["send", "x", "--json", "--yes"], fakeWorld({ streams, send }));
  assert.equal(exit, 0);
  assert.deepEqual(operation.replies, ["p2p1bad", "p2p1good"]);
  assert.equal(streams.error, "");
  const warnings = streams.events.filter(({ event }) => event === "warning");
  assert.deepEqual(warnings.map(({ code, message }) => [code, message]), [
    ["bad_reply_code", "A line of the input holds no reply code"],
    ["bad_reply_code", "Cannot read the code: it is bad\x1b[2J"],
  ]);
});

Deno.test("send runs on without an input that can be read", async () => {
  const streams = new FakeStreams();
  streams.readLine = () => Promise.reject(new Deno.errors.IsADirectory("no lines here"));
  const send = () => Promise.resolve(operationOf(EVENTS.code, EVENTS.done));
  assert.equal(await runProgram(["send", "x", "--yes"], fakeWorld({ streams, send })), 0);
  assert.equal(streams.error, "");
});

Deno.test("send --private says who is let in, and that the code alone is not enough", async () => {
  const terminal = await runSend(["x", "--private"], { terminal: true, columns: 60, lines: ["y"] });
  assert.equal(terminal.options.private, true);
  assert.ok(
    terminal.streams.screen.lines.includes(
      "Only those whose reply code is pasted here are let in.",
    ),
  );
  const piped = await runSend(["x", "--private"]);
  assert.doesNotMatch(piped.streams.error, /Nobody is asked here/);
  assert.equal((await runSend(["x", "--yes"])).options.private, false);
});

Deno.test("send shows a new code once more, with one line on why, and asks for no paste again", async () => {
  const changed = { ...EVENTS.code, code: "p2p1qother", changed: true };
  const streams = new FakeStreams({ terminal: true, columns: 60 });
  const send = () => Promise.resolve(operationOf(EVENTS.code, changed, EVENTS.done));
  await runProgram(["send", "x"], fakeWorld({ streams, send }));
  const { lines } = streams.screen;
  const at = lines.indexOf("This machine's address changed. New code for new clients:");
  assert.equal(lines[at + 1], "p2p1qother");
  assert.equal(lines.filter((line) => line.startsWith("If the other side shows")).length, 1);
  const quiet = new FakeStreams();
  await runProgram(["send", "x", "-q", "--yes"], fakeWorld({ streams: quiet, send }));
  assert.equal(quiet.output, "p2p1qexample\np2p1qother\n");
});

Deno.test("send draws a QR code where it was asked for", async () => {
  const streams = new FakeStreams();
  const send = () => Promise.resolve(operationOf(EVENTS.code, EVENTS.done));
  await runProgram(["send", "x", "--qr", "--yes"], fakeWorld({ streams, send }));
  assert.match(streams.error, /█/);
});

Deno.test("send asks below the line about the connection, and says once that it turned away", async () => {
  const streams = new FakeStreams({ terminal: true, lines: ["n"] });
  await runProgram(
    ["send", "x"],
    fakeWorld({
      streams,
      send: (_paths, options) =>
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

Deno.test("send says of a client that came second that it waits, and at the end that it was not served", async () => {
  const streams = new FakeStreams();
  const second = { ...EVENTS.connected, session: 2, address: "192.0.2.8:1" };
  const waits = {
    event: "warning",
    session: 2,
    code: "waits_for_place",
    message: "192.0.2.8:1 waits: another client is being served",
  } as const;
  const closed = {
    ...EVENTS.refused,
    session: 2,
    code: "share_closed",
    exit: 4,
    message: "The share was closed",
    fatal: false,
  } as const;
  const send = () =>
    Promise.resolve(
      operationOf(EVENTS.code, EVENTS.connected, second, waits, closed, EVENTS.done),
    );
  await runProgram(["send", "x", "--private"], fakeWorld({ streams, send }));
  assert.deepEqual(streams.error.trimEnd().split("\n"), [
    "Connected to 198.51.100.4:5000 (Internet, 12 ms)",
    "Connected to 192.0.2.8:1 (Internet, 12 ms)",
    "192.0.2.8:1 waits: one client at a time",
    "Not served: 192.0.2.8:1, the share is over",
  ]);
});

Deno.test("send turns nobody away when Ctrl-C takes its question", async () => {
  const interrupt = new AbortController();
  const streams = new FakeStreams({ terminal: true, columns: 60 });
  const exit = runProgram(
    ["send", "x"],
    fakeWorld({
      streams,
      signal: interrupt.signal,
      send: (_paths, options) =>
        Promise.resolve(
          new ScriptedOperation((async function* () {
            yield EVENTS.code;
            yield EVENTS.connected;
            const admitted = await options.admit!(CLIENT);
            yield { event: "admission", ...CLIENT, admitted } as const;
            const { refused } = EVENTS;
            yield { ...refused, code: "interrupted", exit: 130, message: "Interrupted" } as const;
          })()),
        ),
    }),
  );
  await until(() => streams.error.endsWith("in? [y/N] "));
  interrupt.abort();
  assert.equal(await exit, 130);
  assert.equal(streams.screen.lines.at(-1), "Interrupted");
  assert.doesNotMatch(streams.error, /Turned away|Error/);
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
      send: () =>
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
