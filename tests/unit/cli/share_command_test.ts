import assert from "node:assert/strict";
import type { LogFile } from "../../../lib/cli/log_file.ts";
import { runProgram } from "../../../lib/cli/program.ts";
import { REDRAW_INTERVAL_MS } from "../../../lib/cli/status.ts";
import type { IdentityStore } from "../../../lib/identity/identity_store.ts";
import { TransferError } from "../../../lib/errors.ts";
import type {
  ClosedEvent,
  IdentityReport,
  OfferEvent,
  TransferEvent,
} from "../../../lib/events.ts";
import type {
  ClientReport,
  ClientRequest,
  OfferDecision,
  ShareOptions,
  ShareSource,
} from "../../../lib/options.ts";
import {
  EVENTS,
  FakeClock,
  FakeStreams,
  type FakeStreamsOptions,
  fakeWorld,
  type FakeWorldOptions,
  type ScriptedOperation,
  scriptedOperation,
  until,
} from "./_fake_world.ts";

const CLOSED: ClosedEvent = {
  event: "closed",
  reason: "closed",
  clients: 14,
  bytes: 3_400_000_000,
  elapsedMs: 7_800_000,
  exit: 0,
};

const REPORT: ClientReport = {
  session: 1,
  address: "198.51.100.4:5000",
  route: "internet",
  state: "moving",
  bytesDone: 12_300_000,
  bytesTotal: 50_200_000,
  rateBytesPerSecond: 2_000_000,
  connectedMs: 65_000,
};

const STRANGER: IdentityReport = {
  key: "ab".repeat(32),
  fingerprint: "c3ddg-d3e5r-npt8n-g3upg-tkdug",
  recognition: "stranger",
};
const ALICE: IdentityReport = { ...STRANGER, name: "alice", recognition: "known" };

const requestOf = (session: number, identity?: IdentityReport): ClientRequest => ({
  session,
  address: `192.0.2.${session}:5000`,
  isInvited: false,
  signal: new AbortController().signal,
  ...(identity === undefined ? {} : { identity }),
});

/** A script, and what it can do with the share it is that of. */
type Script = (
  options: ShareOptions,
  share: ScriptedOperation,
) => AsyncGenerator<TransferEvent, void>;

/** Runs a command line on a scripted share. */
function start(
  args: string[],
  script: Script,
  streamsOptions: FakeStreamsOptions = {},
  worldOptions: FakeWorldOptions = {},
) {
  const streams = new FakeStreams(streamsOptions);
  const seen: { source?: ShareSource; options?: ShareOptions; operation?: ScriptedOperation } = {};
  const share = (source: ShareSource, options: ShareOptions) => {
    const operation = scriptedOperation((itself) => script(options, itself));
    operation.clients = [REPORT];
    Object.assign(seen, { source, options, operation });
    return Promise.resolve(operation);
  };
  const exit = runProgram(args, fakeWorld({ streams, share, ...worldOptions }));
  return { exit, streams, seen };
}

/** Nobody comes; it is closed when `close` is typed. */
async function* untilClosed(_options: ShareOptions, share: ScriptedOperation) {
  yield EVENTS.code;
  await until(() => share.calls.some((call) => Array.isArray(call) && call[0] === "stopAdmitting"));
  yield CLOSED;
}

Deno.test("share passes its bounds on, and ends with what came of it", async () => {
  const words = "share photos --max-clients 16 --read-limit 3 --expires 2h --yes";
  const { exit, streams, seen } = start(words.split(" "), async function* () {
    yield EVENTS.code;
    yield CLOSED;
  });
  assert.equal(await exit, 0);
  const { maxClients, readLimit, expiresMs, timeoutMs, take, identity } = seen.options!;
  assert.deepEqual([maxClients, readLimit, expiresMs], [16, 3, 7_200_000]);
  assert.deepEqual([timeoutMs, take, identity], [undefined, undefined, undefined]);
  assert.deepEqual(seen.source, ["photos"]);
  assert.match(streams.output, /\nClosed after 2 h 10 min: 14 clients took 3\.4 GB\n$/);
});

Deno.test("share ends with the exit status of closed", async () => {
  const script: Script = async function* () {
    yield EVENTS.code;
    yield { ...EVENTS.done, exit: 13 };
    yield { ...EVENTS.done, session: 2 };
    yield { ...CLOSED, exit: 13 };
  };
  assert.equal(await start(["share", "x", "--yes"], script).exit, 13);
});

Deno.test("share names each client in its lines from the second on", async () => {
  const { exit, streams } = start(["share", "x", "--yes"], async function* () {
    yield EVENTS.code;
    yield EVENTS.connected;
    yield EVENTS.offer;
    yield { ...EVENTS.connected, session: 2, address: "192.0.2.2:5000" };
    yield { event: "identity", session: 2, ...ALICE };
    yield { ...EVENTS.offer, session: 2 };
    yield { ...EVENTS.progress, session: 2, bytesDone: 30_000_000 };
    yield { ...EVENTS.pathLost, session: 2 };
    yield EVENTS.done;
    yield { ...EVENTS.refused, session: 2, fatal: false };
    yield CLOSED;
  });
  assert.equal(await exit, 0);
  assert.deepEqual(streams.error.trimEnd().split("\n"), [
    "Connected to 198.51.100.4:5000 (Internet, 12 ms)",
    "Sending 12 items, 50.2 MB",
    "[2] Connected to 192.0.2.2:5000 (Internet, 12 ms)",
    "[2 alice] It is alice (c3ddg-d3e5r-npt8n-g3upg-tkdug)",
    "[2 alice] Sending 12 items, 50.2 MB",
    "[2 alice] 59% (30.0/50.2 MB), 11.2 MB/s, 4s left, Internet, photos/2024/img_0001.jpg",
    "[2 alice] Nothing heard for 3 s: looking for another way …",
    "[2 alice] Error: The other side did not let this machine in",
    "  Still sharing: the other side needs the code above",
  ]);
  assert.match(
    streams.output,
    /\n\[1 198\.51\.100\.4:5000\] Sent 12 items, 50\.2 MB in 4\.5s \(11\.2 MB\/s\)\nClosed/,
  );
});

Deno.test("share shows several clients on a terminal, and leaves nothing of that", async () => {
  let shown: string[] = [];
  const clock = new FakeClock();
  const { exit, streams } = start(
    ["share", "x", "--yes"],
    async function* () {
      yield EVENTS.code;
      for (const session of [1, 2]) {
        yield { ...EVENTS.connected, session, address: `192.0.2.${session}:5000` };
        yield { ...EVENTS.offer, session };
        yield { ...EVENTS.progress, session };
      }
      await Promise.resolve();
      // Progress of several is shown ten times a second, and no oftener.
      assert.match(streams.screen.lines.at(-1)!, /11\.2 MB\/s$/);
      clock.advance(REDRAW_INTERVAL_MS);
      shown = streams.screen.lines.slice(-3);
      yield CLOSED;
    },
    { terminal: true, columns: 60 },
    { clock },
  );
  assert.equal(await exit, 0);
  assert.deepEqual(shown, [
    "  1 192.0.2.1:5000  24% 11.2 MB/s 4s left",
    "  2 192.0.2.2:5000  24% 11.2 MB/s 4s left",
    "2 clients, 0 served, 22.4 MB/s",
  ]);
  assert.equal(streams.screen.lines.at(-1), "Closed after 2 h 10 min: 14 clients took 3.4 GB");
  assert.ok(!streams.screen.lines.some((line) => line.includes("24%")));
});

Deno.test("share does what is typed, and hints once at what it does not know", async () => {
  const { exit, streams, seen } = start(["share", "x"], untilClosed, {
    terminal: true,
    columns: 80,
  });
  await until(() => streams.error.includes("Waiting"));
  for (const line of ["list", "kick 1", "kick 7", "limit 2M", "lim off", "what?", "how?", "help"]) {
    streams.type(line);
    await until(() => streams.screen.lines.some((shown) => shown.endsWith(line)));
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  }
  streams.type("c");
  assert.equal(await exit, 0);
  assert.deepEqual(seen.operation!.calls, [
    ["kick", 1],
    ["kick", 7],
    ["setLimit", 2_000_000],
    ["setLimit", undefined],
    ["stopAdmitting"],
  ]);
  const { lines } = streams.screen;
  assert.ok(
    lines.includes(
      "  1  198.51.100.4:5000, moving, 12.3/50.2 MB, 2.0 MB/s, Internet, for 1m05s",
    ),
    lines.join("\n"),
  );
  assert.equal(lines.filter((line) => line.startsWith("There is no client")).length, 1);
  assert.ok(lines.includes("No faster than 2 MB/s in all."));
  assert.ok(lines.includes("No limit any more."));
  assert.equal(lines.filter((line) => line.includes("no command: type help")).length, 1);
  assert.ok(lines.includes("  kick N      send client N away for good"));
});

Deno.test("share takes no command from a pipe, and says so as before", async () => {
  const { exit, streams, seen } = start(["share", "x", "--yes"], async function* () {
    yield EVENTS.code;
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    yield CLOSED;
  }, { lines: ["close", "kick 1"] });
  assert.equal(await exit, 0);
  assert.deepEqual(seen.operation!.calls, []);
  assert.match(streams.error, /That is no reply code: those begin with p2p1\./);
});

Deno.test("share obeys a command and takes several codes while a question is open", async () => {
  const codes = ["1", "2", "3"].map((digit) => `p2p1z${digit.repeat(60)}`);
  let admitted: Promise<boolean> | undefined;
  const { exit, streams, seen } = start(["share", "x"], async function* (options) {
    yield EVENTS.code;
    yield { ...EVENTS.connected, address: "192.0.2.1:5000" };
    admitted = options.admit!(requestOf(1));
    await admitted;
    yield CLOSED;
  }, { terminal: true, columns: 80 });
  await until(() => streams.error.endsWith("in? [y/N] "));
  streams.type("list");
  await until(() => streams.error.includes("moving"));
  streams.paste("Hi, three of us:", `${codes[0]} ${codes[1]}`, codes[2]!);
  await until(() => seen.operation!.replies.length >= 3);
  streams.type("y");
  assert.equal(await exit, 0);
  assert.equal(await admitted, true);
  assert.deepEqual(seen.operation!.replies.map((code) => code.trim()), codes);
  const { lines } = streams.screen;
  assert.deepEqual(
    lines.filter((line) => line.startsWith("Let ")),
    [
      "Let 192.0.2.1:5000 in? [y/N] list",
      "Let 192.0.2.1:5000 in? [y/N] y",
    ].slice(lines.includes("Let 192.0.2.1:5000 in? [y/N] list") ? 0 : 1),
  );
});

/** A share that asks about one client who shows who it is. */
function asking(
  identity: IdentityReport,
  lines: string[],
  setUp?: (share: ScriptedOperation) => void,
) {
  const answers: boolean[] = [];
  const run = start(
    ["share", "x", "--identity"],
    async function* (options, share) {
      setUp?.(share);
      yield EVENTS.code;
      yield { ...EVENTS.connected, address: "192.0.2.1:5000" };
      yield { event: "identity", session: 1, ...identity };
      answers.push(await options.admit!(requestOf(1, identity)));
      yield CLOSED;
    },
    { terminal: true, columns: 80, lines },
    {
      env: { P2PFT_HOME: "/ids" },
      openIdentities: () => Promise.resolve({} as IdentityStore),
    },
  );
  return { ...run, answers };
}

Deno.test("share lets somebody in always who shows an identity, and names a stranger", async () => {
  const known = asking(ALICE, ["a"]);
  assert.equal(await known.exit, 0);
  assert.deepEqual(known.answers, [true]);
  assert.deepEqual(known.seen.operation!.calls, [["remember", 1, { always: true }]]);
  assert.ok(known.streams.screen.lines.includes("Let alice (192.0.2.1:5000) in? [y/a/N] a"));
  assert.equal(known.seen.options!.identity!.shows, true);

  const bad = new TransferError("usage", 'Cannot call the peer "-x": the name begins with a dash', {
    hint: "Choose another name",
  });
  const stranger = asking(STRANGER, ["always", "-x", "  list "], (share) => {
    share.rememberError = bad;
  });
  assert.equal(await stranger.exit, 0);
  assert.deepEqual(stranger.answers, [true]);
  // Even a name that is a command is a name here.
  assert.deepEqual(stranger.seen.operation!.calls, [
    ["remember", 1, { name: "-x", always: true }],
    ["remember", 1, { name: "list", always: true }],
  ]);
  assert.ok(stranger.streams.screen.lines.includes(bad.message));

  const unnamed = asking(STRANGER, ["a", ""]);
  assert.equal(await unnamed.exit, 0);
  assert.deepEqual(unnamed.answers, [true]);
  assert.deepEqual(unnamed.seen.operation!.calls, []);

  for (const answer of ["", "n"]) {
    const refused = asking(ALICE, [answer]);
    assert.equal(await refused.exit, 0);
    assert.deepEqual(refused.answers, [false]);
  }
  const once = asking(ALICE, ["y"]);
  assert.equal(await once.exit, 0);
  assert.deepEqual([once.answers, once.seen.operation!.calls], [[true], []]);
});

Deno.test("share lets nobody in for good whose key is another than that of the name", async () => {
  const impostor = asking({ ...ALICE, recognition: "other_key" }, ["y"]);
  assert.equal(await impostor.exit, 0);
  const { lines } = impostor.streams.screen;
  assert.ok(lines.includes("Warning: This is not the key that is known as alice"));
  assert.ok(lines.includes("Let alice (192.0.2.1:5000) in? [y/N] y"));
});

/** A log that fails from some line on. */
function logFile(failAt = Infinity) {
  const lines: Record<string, unknown>[] = [];
  const file: LogFile = {
    write(line) {
      if (lines.length >= failAt) throw new Error("No space left");
      lines.push(JSON.parse(line));
    },
    close: () => Promise.resolve(),
  };
  return { lines, openLog: () => Promise.resolve(file) };
}

const ADMITTED = {
  event: "admission",
  session: 1,
  address: "198.51.100.4:5000",
  admitted: true,
  by: "code",
} as const;

Deno.test("share --log writes down what happens", async () => {
  const { lines, openLog } = logFile();
  const script: Script = async function* () {
    yield EVENTS.code;
    yield EVENTS.connected;
    yield ADMITTED;
    yield EVENTS.done;
    yield CLOSED;
  };
  assert.equal(await start(["share", "x", "--yes", "--log", "l"], script, {}, { openLog }).exit, 0);
  assert.deepEqual(lines.map(({ event }) => event), [
    "started",
    "connected",
    "admitted",
    "done",
    "closed",
  ]);
});

Deno.test("share --log lets nobody in any more when the log cannot be written", async () => {
  const { openLog } = logFile(2);
  const { exit, streams, seen } = start(
    ["share", "x", "--log", "l"],
    async function* (options, share) {
      yield EVENTS.code;
      yield EVENTS.connected;
      yield ADMITTED;
      await until(() => share.calls.length === 2);
      assert.equal(await options.admit!(requestOf(2)), false);
      yield EVENTS.done;
      yield CLOSED;
    },
    { terminal: true },
    { openLog },
  );
  assert.equal(await exit, 9);
  assert.deepEqual(seen.operation!.calls, [["kick", 1], ["stopAdmitting"]]);
  assert.equal(streams.error.match(/Cannot write the log l, so nobody new/g)?.length, 1);
});

Deno.test("share --log shares nothing when the log cannot be opened", async () => {
  const openLog = () => Promise.reject(new TransferError("write_failed", "Cannot write the log l"));
  const streams = new FakeStreams();
  const world = fakeWorld({ streams, openLog });
  assert.equal(await runProgram(["share", "x", "--yes", "--log", "l"], world), 9);
  assert.match(streams.error, /Error: Cannot write the log l/);
});

Deno.test("share --log says in which folder clients may replace files", async () => {
  const folders: (string | undefined)[] = [];
  const openLog = (_path: string, replacesIn?: string) => {
    folders.push(replacesIn);
    return Promise.reject(new TransferError("usage", "Cannot keep the log l"));
  };
  for (const overwrite of ["never", "rename", "newer", "always"]) {
    const words = ["wait", "--yes", "-o", "in", "--overwrite", overwrite, "--log", "l"];
    const streams = new FakeStreams();
    assert.equal(await runProgram(words, fakeWorld({ streams, openLog })), 2);
    assert.match(streams.error, /Error: Cannot keep the log l/);
  }
  assert.deepEqual(folders, [undefined, undefined, "in", "in"]);
});

const GIFT: OfferEvent = {
  ...EVENTS.offer,
  back: true,
  items: 3,
  bytes: 12_000_000,
  names: ["a", "b\x1b", ".c"],
  dotNames: [".c"],
};

/** A drop box to which one client gives something. */
function giving(
  args: string[],
  streamsOptions: FakeStreamsOptions,
  by: "code" | "identity" | "reply" = "code",
) {
  const decisions: OfferDecision[] = [];
  const run = start(
    args,
    async function* (options) {
      yield EVENTS.code;
      yield EVENTS.connected;
      yield { ...ADMITTED, by };
      decisions.push(await options.take!.decide!(GIFT, { ...REPORT, identity: ALICE }));
      yield { ...EVENTS.done, back: true };
      yield { ...CLOSED, clients: 1, bytes: 12_000_000 };
    },
    streamsOptions,
    {
      env: { P2PFT_HOME: "/ids" },
      openIdentities: () => Promise.resolve({} as IdentityStore),
    },
  );
  return { ...run, decisions };
}

Deno.test("wait prints the line for who gives, and asks once about each gift", async () => {
  const { exit, streams, seen, decisions } = giving(["wait", "-o", "in"], {
    terminal: true,
    columns: 80,
    lines: ["y", "n"],
  });
  assert.equal(await exit, 0);
  assert.deepEqual(seen.source, { nothing: true });
  assert.equal(seen.options!.admit, undefined);
  assert.equal(seen.options!.take!.directory, "in");
  assert.deepEqual(decisions, [{ accept: true, overwrite: "rename", takeDotNames: false }]);
  const { lines } = streams.screen;
  assert.deepEqual(lines.slice(0, 4), [
    "Code for the other side:",
    "p2p1qexample",
    "On the other machine, run:",
    "deno run -A jsr:@p2pft/cli send PATH --to p2p1qexample",
  ]);
  assert.deepEqual(lines.slice(-6), [
    "Connected to 198.51.100.4:5000 (Internet, 12 ms)",
    "alice (198.51.100.4:5000) wants to give you 3 items, 12.0 MB: a, b\\u{1b}, .c",
    "Take them from alice? [y/N] y",
    "Take 1 dot-name too (.c)? [y/N] n",
    "Received 12 items, 50.2 MB in 4.5s (11.2 MB/s)",
    "Closed after 2 h 10 min: 1 client gave 12.0 MB",
  ]);
  const no = giving(["wait"], { terminal: true, lines: [""] });
  assert.equal(await no.exit, 0);
  assert.equal(no.decisions[0]!.accept, false);
  assert.ok(!no.streams.error.includes("Nobody is asked"));
});

Deno.test("wait without a person takes from those who were named, or from all when told so", async () => {
  const accepts = async (args: string[], by: "code" | "identity" | "reply") => {
    const { exit, decisions } = giving(args, {}, by);
    assert.equal(await exit, 0);
    return decisions[0]!.accept;
  };
  assert.equal(await accepts(["wait", "--yes"], "code"), true);
  assert.equal(await accepts(["wait", "--private"], "reply"), true);
  assert.equal(await accepts(["wait", "--allow", "alice"], "identity"), true);
  assert.equal(await accepts(["wait", "--allow", "alice"], "code"), false);
  assert.equal(await accepts(["share", "x", "-o", "in"], "code"), false);
  assert.equal(await accepts(["share", "x", "-o", "in"], "reply"), true);
});

Deno.test("wait refuses to run where nobody can be asked and nobody is named", async () => {
  for (const args of [["wait"], ["wait", "--json"]]) {
    const streams = new FakeStreams({ terminal: args.length > 1 });
    assert.equal(await runProgram(args, fakeWorld({ streams })), 2);
    assert.match(streams.error + streams.output, /Cannot ask what to take/);
  }
});

Deno.test("wait asks about a client only for its words", async () => {
  const { exit, streams, seen } = start(["wait", "--verify"], async function* (options) {
    yield EVENTS.code;
    yield EVENTS.connected;
    await options.admit!({ ...requestOf(1), words: ["one", "two", "three"] });
    yield CLOSED;
  }, { terminal: true, lines: ["y"] });
  assert.equal(await exit, 0);
  assert.ok(seen.options!.admit !== undefined);
  assert.ok(streams.screen.lines.includes("Words: one two three"));
});
