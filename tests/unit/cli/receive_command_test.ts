import assert from "node:assert/strict";
import type { OfferEvent, TransferEvent } from "../../../lib/events.ts";
import type { OfferDecision, ReceiveOptions } from "../../../lib/options.ts";
import { runProgram } from "../../../lib/cli/program.ts";
import {
  EVENTS,
  FakeStreams,
  type FakeStreamsOptions,
  fakeWorld,
  operationOf,
  ScriptedOperation,
} from "./_fake_world.ts";

const OFFER: OfferEvent = {
  ...EVENTS.offer,
  names: ["photos", ".bashrc"],
  dotNames: [".bashrc"],
  newItems: 9,
  sameItems: 1,
  differItems: 2,
};

interface Received {
  code?: string;
  options?: ReceiveOptions;
  decision?: OfferDecision;
}

async function receive(
  args: string[],
  streamsOptions: FakeStreamsOptions = {},
  more: {
    offer?: OfferEvent;
    env?: Record<string, string>;
    onDecision?: (decision: OfferDecision) => Promise<void>;
  } = {},
) {
  const streams = new FakeStreams(streamsOptions);
  const offer = more.offer ?? OFFER;
  const received: Received = {};
  const exit = await runProgram(
    ["receive", ...args],
    fakeWorld({
      streams,
      env: more.env ?? {},
      receive: (code, options) => {
        received.code = code;
        received.options = options;
        return Promise.resolve(
          new ScriptedOperation((async function* () {
            yield EVENTS.connecting;
            yield EVENTS.connected;
            yield offer;
            received.decision = await options.decide!(offer);
            await more.onDecision?.(received.decision);
            yield received.decision.accept ? EVENTS.done : EVENTS.refused;
          })()),
        );
      },
    }),
  );
  return { exit, streams, ...received };
}

Deno.test("receive asks whether to take, replace and take dot-names", async () => {
  const { exit, streams, decision } = await receive(["p2p1x", "-o", "out"], {
    terminal: true,
    columns: 60,
    lines: ["", "y", "n", "k"],
  });
  assert.equal(exit, 0);
  assert.deepEqual(decision, { accept: true, overwrite: "never", takeDotNames: true });
  assert.deepEqual(streams.screen.lines, [
    "Connected to 198.51.100.4:5000 (Internet, 12 ms)",
    "Offered: 12 items, 50.2 MB",
    "  9 new · 1 same · 2 differ · 2 folders",
    "  photos",
    "  .bashrc (begins with a dot)",
    "Receive into out? [Y/n]",
    "Take 1 dot-name too (.bashrc)? [y/N] y",
    "2 files are here already and differ.",
    "  k  keep what is here",
    "  b  keep both: the other becomes name (2)",
    "  u  update: replace what is older here",
    "  r  replace what is here",
    "  o  decide one by one",
    "What to do with them? [k/b/u/r/o] n",
    "Please answer with one of k, b, u, r, o.",
    "What to do with them? [k/b/u/r/o] k",
    "Received 12 items, 50.2 MB in 4.5s (11.2 MB/s)",
    "In out",
    `Verified root: ${EVENTS.done.root.slice(0, 32)}`,
    `               ${EVENTS.done.root.slice(32)}`,
    "Everything verified. Transfer complete.",
  ]);
});

Deno.test("receive hands each answer about what differs on as a policy", async () => {
  const policies = { "": "never", k: "never", b: "rename", u: "newer", r: "always" };
  for (const [letter, policy] of Object.entries(policies)) {
    const { decision } = await receive(["p2p1x"], { terminal: true, lines: ["y", "n", letter] });
    assert.equal(decision?.overwrite, policy, letter);
  }
});

/** What is chosen for each of three items when these answers are given. */
async function chooseOneByOne(...answers: string[]) {
  const offer = { ...OFFER, differItems: 3, dotNames: [] };
  const policies: unknown[] = [];
  const { streams } = await receive(["p2p1x"], {
    terminal: true,
    columns: 60,
    lines: ["y", "o", ...answers],
  }, {
    offer,
    onDecision: async ({ overwrite }) => {
      assert.ok(typeof overwrite === "function");
      const here = { kind: "file", sizeBytes: 1000, mtimeMs: 5000 } as const;
      policies.push(
        await overwrite({ path: "a\x1b[2J", sizeBytes: 2000, mtimeMs: 6000, here }),
        await overwrite({ path: "b", mtimeMs: 4000, here: { ...here, kind: "symlink" } }),
        await overwrite({ path: "c", sizeBytes: 1000, mtimeMs: 5000, here }),
      );
    },
  });
  return { policies, lines: streams.screen.lines };
}

Deno.test("receive decides one by one, and for the rest with a capital letter", async () => {
  const each = await chooseOneByOne("b", "r", "u");
  assert.deepEqual(each.policies, ["rename", "always", "newer"]);
  const at = each.lines.indexOf("  A capital letter answers for the rest too.");
  assert.deepEqual(each.lines.slice(at + 1, at + 10), [
    "a\\u{1b}[2J",
    "  the other is 2.0 kB and newer, what is here is 1.0 kB",
    "Keep, both, update, replace? [k/b/u/r/K/B/U/R] b",
    "b",
    "  the other is older, what is here is a link",
    "Keep, both, update, replace? [k/b/u/r/K/B/U/R] r",
    "c",
    "  the other is 1.0 kB and as old, what is here is 1.0 kB",
    "Keep, both, update, replace? [k/b/u/r/K/B/U/R] u",
  ]);
  assert.deepEqual((await chooseOneByOne("k", "R")).policies, ["never", "always", "always"]);
});

Deno.test("receive -o - writes bytes to standard output and all else to standard error", async () => {
  const { exit, options, streams } = await receive(["p2p1x", "-o", "-"]);
  assert.equal(exit, 0);
  assert.equal(streams.output, "");
  assert.match(streams.error, /Transfer complete/);
  assert.equal(options?.directory, undefined);
  await options!.output!.getWriter().write(new Uint8Array([1, 2, 3]));
  assert.deepEqual(streams.fileBytes, [1, 2, 3]);
  const json = await receive(["p2p1x", "-o", "-", "--json"]);
  assert.equal(json.streams.output, "");
  assert.equal(JSON.parse(json.streams.error.trim().split("\n").at(-1)!).event, "done");
});

Deno.test("receive -o - does not write a file to a terminal", async () => {
  const { exit, code, streams } = await receive(["p2p1x", "-o", "-"], { terminal: true });
  assert.deepEqual([exit, code], [2, undefined]);
  assert.match(streams.error, /Cannot write a file to a terminal/);
});

Deno.test("receive stores texts only where a folder was given, and links unless they are skipped", async () => {
  const none = (await receive(["p2p1x"])).options!;
  assert.deepEqual([none.directory, none.output, none.symlinks], [undefined, undefined, "keep"]);
  const given = (await receive(["p2p1x", "-o", ".", "--symlinks", "skip"])).options!;
  assert.deepEqual([given.directory, given.symlinks], [".", "skip"]);
});

Deno.test("receive asks about a text what becomes of it", async () => {
  const offer = { ...EVENTS.offer, items: 1, files: 1, directories: 0, texts: 1 };
  const asked = async (...args: string[]) => {
    const { streams } = await receive(["p2p1x", ...args], { terminal: true, lines: ["y"] }, {
      offer,
    });
    return streams.screen.lines.find((line) => line.includes("[Y/n]"));
  };
  assert.equal(await asked(), "Show the text? [Y/n] y");
  assert.equal(await asked("-o", "out"), "Receive into out? [Y/n] y");
});

Deno.test("receive takes nothing when the answer is no", async () => {
  const { exit, decision } = await receive(["p2p1x"], { terminal: true, lines: ["n"] });
  assert.equal(exit, 5);
  assert.deepEqual(decision, { accept: false });
});

Deno.test("receive asks only what there is to ask", async () => {
  const { streams, decision } = await receive(
    ["p2p1x"],
    { terminal: true, lines: ["y"] },
    { offer: EVENTS.offer },
  );
  assert.deepEqual(decision, { accept: true, overwrite: "never", takeDotNames: false });
  assert.equal(streams.screen.lines.join("\n").match(/\[[yY]\/[nN]\]/g)?.length, 1);
});

Deno.test("receive without a terminal takes what is safe and asks nothing", async () => {
  const { exit, decision, streams } = await receive(["p2p1x"]);
  assert.equal(exit, 0);
  assert.deepEqual(decision, { accept: true, overwrite: "never", takeDotNames: false });
  assert.doesNotMatch(streams.error, /\?/);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(streams.error + streams.output, /[\x1b\r]/);
});

Deno.test("receive --yes on a terminal keeps differing files and skips dot-names", async () => {
  const { decision } = await receive(["p2p1x", "--yes"], { terminal: true });
  assert.deepEqual(decision, { accept: true, overwrite: "never", takeDotNames: false });
});

Deno.test("receive follows --overwrite and --allow-dotfiles without asking", async () => {
  const always = await receive(["p2p1x", "--yes", "--overwrite", "always", "--allow-dotfiles"], {
    terminal: true,
  });
  assert.deepEqual(always.decision, { accept: true, overwrite: "always", takeDotNames: true });
  const ask = await receive(["p2p1x", "--overwrite", "ask"]);
  assert.equal(ask.decision?.overwrite, "never");
});

Deno.test("receive takes the code from argv, P2PFT_CODE, the terminal or the input, in this order", async () => {
  const env = { P2PFT_CODE: "p2p1env" };
  const terminal = { terminal: true, lines: [" p2p1typed ", "y", "y", "k"] };
  assert.equal((await receive(["p2p1argv"], { lines: ["p2p1in"] }, { env })).code, "p2p1argv");
  assert.equal((await receive([], { lines: ["p2p1in"] }, { env })).code, "p2p1env");
  assert.equal((await receive([], terminal)).code, "p2p1typed");
  assert.equal((await receive([], { lines: ["p2p1in"] })).code, "p2p1in");
});

Deno.test("receive takes the code out of the whole line that the other side shows", async () => {
  const line = "$ deno run -A jsr:@p2pft/cli receive P2P1 x";
  assert.equal(
    (await receive([], { terminal: true, lines: [line, "y", "n", "k"] })).code,
    "P2P1 x",
  );
  assert.equal((await receive([], { lines: ["p2pft receive  p2p1x"] })).code, "p2p1x");
});

Deno.test("receive takes the code out of a whole message", async () => {
  const code = "p2p1qqq4g9yvtprjzn2ckxqvdp2kyyd00qzwqpqpqqqcsrwj5a";
  for (const line of [`"${code}"`, `<${code}>`, `Hi! ${code}, please`, `${code} thanks a lot`]) {
    assert.equal((await receive([line])).code, code, line);
  }
});

Deno.test("receive passes on what it asks the other side for", async () => {
  const { options } = await receive(["p2p1x", "--limit", "500k", "--background"]);
  assert.equal(options?.limitBytesPerSecond, 500_000);
  assert.equal(options?.background, true);
  const none = (await receive(["p2p1x"])).options;
  assert.equal(none?.limitBytesPerSecond, undefined);
  assert.equal(none?.background, false);
});

Deno.test("receive without any code is a usage error", async () => {
  for (const options of [{}, { terminal: true, lines: [""] }]) {
    const { exit, streams, code } = await receive(["--color", "never"], options);
    assert.equal(exit, 2);
    assert.equal(code, undefined);
    assert.match(streams.error, /Error: No code was given/);
  }
  const json = await receive(["--json"], { terminal: true });
  assert.equal(json.exit, 2);
  assert.deepEqual(json.streams.events.map((event) => event.code), ["usage"]);
  assert.equal(json.streams.error, "");
});

Deno.test("receive interrupted at the question for the code exits with 130", async () => {
  const interrupt = new AbortController();
  const streams = new FakeStreams({ terminal: true });
  const exit = runProgram(["receive"], fakeWorld({ streams, signal: interrupt.signal }));
  while (!streams.error.includes("Number or code")) await Promise.resolve();
  interrupt.abort();
  assert.equal(await exit, 130);
});

Deno.test("receive --json writes objects only, done last", async () => {
  const { exit, streams } = await receive(["p2p1x", "--json"], { terminal: true });
  assert.equal(exit, 0);
  assert.equal(streams.error, "");
  assert.deepEqual(
    streams.events.map((event) => event.event),
    ["connecting", "connected", "offer", "done"],
  );
});

async function receiveEvents(args: string[], events: TransferEvent[], options: FakeStreamsOptions) {
  const streams = new FakeStreams(options);
  const seen: ReceiveOptions[] = [];
  await runProgram(
    ["receive", "p2p1x", "--yes", ...args],
    fakeWorld({
      streams,
      receive: (_code, options) => {
        seen.push(options);
        return Promise.resolve(operationOf(...events, EVENTS.done));
      },
    }),
  );
  return { streams, options: seen[0]! };
}

Deno.test("receive shows its reply code, what to do with it and what to expect", async () => {
  const events = [EVENTS.connecting, EVENTS.replyCode, EVENTS.connected, EVENTS.path];
  const { streams } = await receiveEvents([], events, { terminal: true, columns: 60 });
  assert.deepEqual(streams.screen.lines.slice(0, 6), [
    "No answer yet. Send this reply code to the other side, to be",
    "  pasted where the share runs:",
    "p2p1zreply",
    "Expected: hole punched, about a second",
    "Connected to 198.51.100.4:5000 (Internet, 12 ms)",
    "Path: hole punched",
  ]);
  const piped = await receiveEvents(["-q"], events, {});
  assert.equal(piped.streams.output, "p2p1zreply\n");
  assert.equal(piped.streams.error, "");
});

Deno.test("receive says why a private share wants a reply code, and when one is replaced", async () => {
  const waiting = { event: "waiting", session: 1, reason: "reply" } as const;
  const changed = { ...EVENTS.replyCode, code: "p2p1zother", changed: true };
  const { streams } = await receiveEvents(
    [],
    [EVENTS.connected, waiting, EVENTS.replyCode, changed],
    { terminal: true, columns: 60 },
  );
  assert.deepEqual(streams.screen.lines.slice(1, 7), [
    "The share is private. Send this reply code to the other",
    "  side, to be pasted where the share runs:",
    "p2p1zreply",
    "This machine's address changed. Send this reply code instead",
    "  of the last one:",
    "p2p1zother",
  ]);
});

const TEXT: TransferEvent = {
  event: "text",
  session: 1,
  path: "text.txt",
  text: "two\nlines \x1b[31m\n",
};

Deno.test("receive shows a text, escaped on a terminal and as it is elsewhere", async () => {
  const onTerminal = await receiveEvents([], [EVENTS.connected, TEXT], { terminal: true });
  assert.deepEqual(onTerminal.streams.screen.lines.slice(1, 4), [
    "The other side says:",
    "two",
    "lines \\u{1b}[31m",
  ]);
  const piped = await receiveEvents([], [EVENTS.connected, TEXT], {});
  assert.equal(piped.streams.output, "two\nlines \x1b[31m\n");
  assert.match(piped.streams.error, /Transfer complete/);
  assert.equal((await receiveEvents(["-q"], [TEXT], {})).streams.output, TEXT.text);
  const json = await receiveEvents(["--json"], [TEXT], {});
  assert.deepEqual(json.streams.events[0], { v: 1, ...TEXT });
});

Deno.test("receive --qr draws the reply code", async () => {
  const { streams } = await receiveEvents(["--qr"], [EVENTS.replyCode], {});
  assert.match(streams.error, /█/);
  assert.doesNotMatch((await receiveEvents([], [EVENTS.replyCode], {})).streams.error, /█/);
});

Deno.test("receive --json hands reply codes, networks and paths on as they are", async () => {
  const events = [EVENTS.network, EVENTS.replyCode, EVENTS.connected, EVENTS.path, EVENTS.pathLost];
  const { streams } = await receiveEvents(["--json"], events, {});
  assert.deepEqual(streams.events.slice(0, -1), events.map((event) => ({ v: 1, ...event })));
});

Deno.test("receive passes the options about the network on", async () => {
  const words = ["--stun", "a.example:1", "--stun", "192.0.2.1", "--no-portmap"];
  const { options } = await receiveEvents(words, [], {});
  assert.deepEqual(options.stunServers, ["a.example:1", "192.0.2.1"]);
  assert.equal(options.portMapping, false);
});

Deno.test("receive asks whether the words are the same", async () => {
  const confirm = async (args: string[], lines: string[]) => {
    const streams = new FakeStreams({ terminal: true, lines });
    let isSame: boolean | undefined;
    await runProgram(
      ["receive", "p2p1x", "--verify", ...args],
      fakeWorld({
        streams,
        receive: (_code, options) =>
          Promise.resolve(
            new ScriptedOperation((async function* () {
              isSame = await options.confirmWords!(["one", "two", "three"]);
              yield EVENTS.done;
            })()),
          ),
      }),
    );
    return { isSame, lines: streams.screen.lines };
  };
  const yes = await confirm([], ["y"]);
  assert.equal(yes.isSame, true);
  assert.ok(yes.lines.includes("Words: one two three"));
  assert.equal((await confirm([], [""])).isSame, false);
  assert.equal((await confirm(["--yes"], [])).isSame, true);
});
