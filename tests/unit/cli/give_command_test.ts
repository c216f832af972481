/** What goes the other way: `send --to`, `receive --offer`, and `offer` from the keyboard. */
import assert from "node:assert/strict";
import { runProgram } from "../../../lib/cli/program.ts";
import type { TransferEvent } from "../../../lib/events.ts";
import type { ReceiveOptions } from "../../../lib/options.ts";
import {
  EVENTS,
  FakeStreams,
  type FakeStreamsOptions,
  fakeWorld,
  type FakeWorldOptions,
  type ScriptedOperation,
  scriptedOperation,
  until,
} from "./_fake_world.ts";

const CODE = `p2p1q${"q".repeat(50)}`;

type Script = (
  options: ReceiveOptions,
  receive: ScriptedOperation,
) => AsyncGenerator<TransferEvent, void>;

function start(
  args: string[],
  script: Script,
  streamsOptions: FakeStreamsOptions = {},
  worldOptions: FakeWorldOptions = {},
) {
  const streams = new FakeStreams(streamsOptions);
  const seen: { code?: string; options?: ReceiveOptions; operation?: ScriptedOperation } = {};
  const receive = (code: string, options: ReceiveOptions) => {
    const operation = scriptedOperation((itself) => script(options, itself));
    Object.assign(seen, { code, options, operation });
    return Promise.resolve(operation);
  };
  return {
    exit: runProgram(args, fakeWorld({ streams, receive, ...worldOptions })),
    streams,
    seen,
  };
}

const GIVEN = { ...EVENTS.done, back: true } as const;

const given: Script = async function* () {
  yield EVENTS.connecting;
  yield EVENTS.connected;
  yield { ...EVENTS.offer, items: 0, files: 0, names: [] };
  yield { ...EVENTS.offer, back: true };
  yield { ...EVENTS.done, items: 0, bytes: 0 };
  yield GIVEN;
};

Deno.test("send --to gives, takes nothing, and tells only of what went there", async () => {
  const { exit, streams, seen } = start(["send", "photos", "--to", CODE], given);
  assert.equal(await exit, 0);
  assert.equal(seen.code, CODE);
  assert.deepEqual(seen.options!.offer, ["photos"]);
  assert.equal(seen.options!.declines, true);
  assert.equal(seen.options!.decide, undefined);
  assert.equal(
    streams.error,
    "Connected to 198.51.100.4:5000 (Internet, 12 ms)\nSending 12 items, 50.2 MB\n",
  );
  assert.match(streams.output, /^Sent 12 items[^]*Confirmation received. Transfer complete.\n$/);
});

Deno.test("send --to takes the code from P2PFT_CODE, a question or the input", async () => {
  const fromEnv = start(["send", "x", "--to"], given, {}, { env: { P2PFT_CODE: CODE } });
  assert.equal(await fromEnv.exit, 0);
  assert.equal(fromEnv.seen.code, CODE);
  const piped = start(["send", "x", "--to"], given, { lines: [CODE] });
  assert.equal(await piped.exit, 0);
  assert.equal(piped.seen.code, CODE);
  const none = start(["send", "x", "--to"], given);
  assert.equal(await none.exit, 2);
  assert.match(none.streams.error, /Give it as p2pft send PATH --to CODE or in P2PFT_CODE/);
});

Deno.test("send --to gives standard input and texts, whose code comes from elsewhere", async () => {
  const bytes = new TextEncoder().encode("hello");
  const stream = start(["send", "-", "--to", CODE], given, { bytes });
  assert.equal(await stream.exit, 0);
  const { offer } = stream.seen.options!;
  assert.ok(offer !== undefined && "stream" in offer && offer.name === "stdin");
  const text = start(["send", "--text", "-", "--to", CODE], given, { bytes });
  assert.equal(await text.exit, 0);
  assert.deepEqual(text.seen.options!.offer, { text: "hello" });
  const taken = start(["send", "-", "--to"], given, { bytes, lines: [CODE] });
  assert.equal(await taken.exit, 2);
});

Deno.test("receive --offer and --from are passed on", async () => {
  const words = ["receive", CODE, "--offer", "a", "--offer", "b", "--from", "alice", "--yes"];
  const { exit, seen } = start(
    words,
    async function* () {
      yield EVENTS.connected;
      yield EVENTS.done;
    },
    {},
    { env: { P2PFT_HOME: "/ids" }, openIdentities: () => Promise.resolve({} as never) },
  );
  assert.equal(await exit, 0);
  assert.deepEqual(seen.options!.offer, ["a", "b"]);
  assert.equal(seen.options!.expectPeer, "alice");
  assert.equal(seen.options!.declines, undefined);
  assert.equal(seen.options!.identity!.shows, false);
});

Deno.test("receive takes offer PATH while it runs and at its question, where that may be read", async () => {
  const { exit, streams, seen } = start(
    ["receive", CODE],
    async function* (options, receive) {
      yield EVENTS.connected;
      yield EVENTS.offer;
      const { accept } = await options.decide!(EVENTS.offer);
      assert.ok(accept);
      yield EVENTS.progress;
      await until(() => receive.calls.length === 2);
      yield EVENTS.done;
    },
    { terminal: true, columns: 80 },
    {
      granted: (descriptor) => !("path" in descriptor) || descriptor.path !== "secret",
    },
  );
  await until(() => streams.error.endsWith("Receive into .? [Y/n] "));
  streams.type("offer notes.txt");
  await until(() => seen.operation!.calls.length === 1);
  streams.type("y");
  await until(() => streams.error.includes("24%"));
  for (const line of ["what?", "help", "offer", "offer secret"]) {
    streams.type(line);
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  }
  streams.type("o 'a b'");
  assert.equal(await exit, 0);
  assert.deepEqual(seen.operation!.calls, [["offer", ["notes.txt"]], ["offer", ["a b"]]]);
  const { lines } = streams.screen;
  for (
    const line of [
      "Receive into .? [Y/n] y",
      "That is no command: type help.",
      "What? offer PATH",
      "Cannot offer secret: it may not be read (--allow-read=secret)",
      "  offer PATH  give this file or folder to the other side",
    ]
  ) {
    assert.equal(lines.filter((shown) => shown === line).length, 1, `${line}\n${lines.join("\n")}`);
  }
});

Deno.test("receive --yes reads nothing from the terminal: it may run in the background", async () => {
  const streams = { terminal: true };
  let isRead = false;
  const run = start(["receive", CODE, "--yes"], async function* () {
    run.streams.readLine = () => {
      isRead = true;
      return new Promise(() => {});
    };
    yield EVENTS.connected;
    yield EVENTS.done;
  }, streams);
  assert.equal(await run.exit, 0);
  assert.equal(isRead, false);
});
