import assert from "node:assert/strict";
import { ERRORS } from "../../../lib/errors.ts";
import type { TransferEvent } from "../../../lib/events.ts";
import { Terminal } from "../../../lib/cli/terminal.ts";
import { TextReporter, type TextReporterOptions } from "../../../lib/cli/text_reporter.ts";
import { EVENTS, FakeClock, FakeStreams, type FakeStreamsOptions } from "./_fake_world.ts";

function report(
  events: TransferEvent[],
  options: Partial<TextReporterOptions> = {},
  streamsOptions: FakeStreamsOptions = {},
): FakeStreams {
  const streams = new FakeStreams(streamsOptions);
  const terminal = new Terminal(streams, {
    outputColor: false,
    errorColor: false,
    redraw: streams.errorIsTerminal,
  });
  const reporter = new TextReporter(terminal, {
    role: "receive",
    quiet: false,
    verbose: false,
    installation: { compiled: true, moduleUrl: "", windows: false },
    clock: new FakeClock(),
    signal: new AbortController().signal,
    ...options,
  });
  for (const event of events) reporter.handleEvent(event);
  return streams;
}

Deno.test("TextReporter redraws progress in one line on a terminal", () => {
  const events = [0, 1, 2, 3].map((step) => ({ ...EVENTS.progress, bytesDone: step * 1e7 }));
  const streams = report(events, {}, { terminal: true, columns: 60 });
  assert.equal(streams.screen.lines.length, 1);
  assert.match(streams.screen.lines[0]!, /^ 59% 30\.0\/50\.2 MB 11\.2 MB\/s 4s left Internet /);
});

Deno.test("TextReporter prints progress in steps where nothing can be redrawn", () => {
  const events = Array.from({ length: 101 }, (_, step) => ({
    ...EVENTS.progress,
    bytesDone: step,
    bytesTotal: 100,
  }));
  const streams = report(events);
  assert.equal(streams.error.trimEnd().split("\n").length, 10);
  assert.equal(streams.output, "");
});

Deno.test("TextReporter keeps what limits above the progress line, and leaves none of it", () => {
  const slow = { ...EVENTS.progress, limitedBy: "peer-disk" } as const;
  const moved = { ...slow, bytesDone: 2e7 };
  const terminal = { terminal: true, columns: 60 };
  const lines = report([EVENTS.connected, EVENTS.progress, slow, moved], {}, terminal).screen.lines;
  assert.equal(lines.length, 3);
  assert.equal(lines[1], "Slow: waiting for the other side's disk");
  assert.match(lines[2]!, /^ 39% 20\.0\/50\.2 MB/);
  const end = report([EVENTS.connected, slow, moved, EVENTS.done], {}, terminal).screen.lines;
  assert.ok(!end.some((line) => line.startsWith("Slow")), end.join("\n"));
});

Deno.test("TextReporter prints what limits once where nothing can be redrawn", () => {
  const slow = { ...EVENTS.progress, limitedBy: "loss", lostShare: 0.02 } as const;
  const events = [
    slow,
    { ...slow, lostShare: 0.03 },
    { ...slow, limitedBy: "line" } as const,
    slow,
  ];
  const streams = report(events);
  assert.deepEqual(
    streams.error.split("\n").filter((line) => line.startsWith("Slow")),
    ["Slow: the line loses 2 % of packets"],
  );
  assert.equal(report(events, { quiet: true }).error, "");
});

Deno.test("TextReporter shows warnings and errors even when quiet", () => {
  const warning = { event: "warning", code: "kept", message: "Kept it" } as const;
  const streams = report([EVENTS.connected, warning, EVENTS.refused, EVENTS.done], { quiet: true });
  assert.equal(
    streams.error,
    `Warning: Kept it\nError: ${EVENTS.refused.message}\n  ${EVENTS.refused.hint}\n`,
  );
  assert.equal(streams.output, "");
});

Deno.test("TextReporter says whose session failed when the share goes on", () => {
  const options = { role: "send" } as const;
  const streams = report([EVENTS.connected, { ...EVENTS.refused, fatal: false }], options);
  assert.match(
    streams.error,
    /Error: With 198\.51\.100\.4:5000: The other side.*\n {2}Still sharing: the other side needs the code above\n/,
  );
  const forged = { ...EVENTS.refused, code: "authentication_failed", fatal: false } as const;
  assert.doesNotMatch(report([EVENTS.connected, forged], options).error, /Still sharing/);
});

Deno.test("TextReporter shows files and addresses only when verbose", () => {
  const fileDone = { event: "file-done", session: 1, path: "a.txt", bytes: 5, root: "00" } as const;
  const events = [EVENTS.connecting, fileDone];
  assert.equal(report(events).error, "");
  assert.equal(
    report(events, { verbose: true }).error,
    "Trying 192.0.2.7:4000\nDone: a.txt (5 B)\n",
  );
});

Deno.test("TextReporter tells of each change of the path once", () => {
  const { connected, path, pathLost } = EVENTS;
  const lan = { ...path, route: "lan", method: "direct", rttMs: 0.4 } as const;
  const streams = report(
    [connected, { ...path, method: "direct" }, lan, pathLost, path, { ...path, rttMs: 80 }],
    {},
    { terminal: true, columns: 60 },
  );
  assert.deepEqual(streams.screen.lines.slice(0, -1), [
    "Connected to 198.51.100.4:5000 (Internet, 12 ms)",
    "Path changed: direct, local network, 0.4 ms,",
    "  198.51.100.4:5000",
    "Nothing heard for 3 s: looking for another way …",
    "Back: hole punched, Internet, 82 ms",
    "Path changed: hole punched, Internet, 80 ms,",
    "  198.51.100.4:5000",
  ]);
  assert.equal(report([connected, path, pathLost, path], { quiet: true }).error, "");
  assert.match(report([connected], { verbose: true }).error, /\(Internet, 12 ms, turbo\)\n$/);
  assert.match(
    report([connected, path, lan], { verbose: true }).error,
    /0\.4 ms, 198\.51\.100\.4:5000\n$/,
  );
});

Deno.test("TextReporter warns once of a network that makes it hard, and tells all when verbose", () => {
  const hard = { ...EVENTS.network, mapping: "port_dependent_random", stun: "silent" } as const;
  const { lines } = report([hard, hard], {}, { terminal: true, columns: 60 }).screen;
  assert.deepEqual(lines.slice(0, -1), [
    "Warning: This machine's router is hard to get through: it",
    "  takes another port for each peer",
    "Warning: No STUN server answers: how this machine is seen",
    "  from outside is not known",
  ]);
  assert.equal(report([EVENTS.network]).error, "");
  assert.match(
    report([EVENTS.network], { verbose: true }).error,
    /^Network: .*203\.0\.113\.5:41000; STUN: answered\n$/,
  );
});

Deno.test("TextReporter wraps what it knows of the network, and says it once", () => {
  const { network } = EVENTS;
  const streams = report([network, { ...network }, EVENTS.done], { verbose: true }, {
    terminal: true,
    columns: 60,
  });
  assert.deepEqual(streams.screen.lines.slice(0, 3), [
    "Network: outside ports: one outside port per program; seen",
    "  as 203.0.113.5:41000; STUN: answered",
    "Received 12 items, 50.2 MB in 4.5s (11.2 MB/s)",
  ]);
});

Deno.test("TextReporter says that the person interrupted, and calls that no error", () => {
  const interrupted = {
    ...EVENTS.refused,
    code: "interrupted",
    exit: 130,
    message: "Interrupted",
  } as const;
  assert.equal(report([interrupted], { signal: AbortSignal.abort() }).error, "Interrupted\n");
  // The other side's Ctrl-C is something that this person did not do.
  assert.match(report([interrupted]).error, /^Error: Interrupted\n {2}/);
});

Deno.test("TextReporter escapes what the other side says", () => {
  const streams = report([{ ...EVENTS.refused, message: "no\x1b[2J" }]);
  assert.match(streams.error, /no\\u\{1b\}\[2J/);
});

Deno.test("TextReporter cuts long messages between words on a terminal, and nowhere else", () => {
  const message = "A message that is longer than any of the narrow terminals it is shown on";
  const events = [{ ...EVENTS.refused, message }];
  const narrow = report(events, {}, { terminal: true, columns: 60 }).screen.lines;
  assert.deepEqual(narrow.slice(0, 2), [
    "Error: A message that is longer than any of the narrow",
    "  terminals it is shown on",
  ]);
  assert.match(report(events).error, new RegExp(`^Error: ${message}\n`));
});

Deno.test("TextReporter says once why what was offered back was not taken", () => {
  const declined = { ...EVENTS.refused, back: true } as const;
  const { error } = report([{ ...declined, fatal: false }, EVENTS.done, declined]);
  assert.equal(error.split(declined.message).length, 2, error);
  assert.match(error, /was not taken: the error above says why\n$/);
  // Where it was not said before it is said now.
  assert.ok(report([EVENTS.done, declined]).error.includes(declined.message));
});

Deno.test("TextReporter says once how links are sent, and only to who sends", () => {
  const link = (path: string): TransferEvent => ({
    event: "warning",
    code: "symlink_skipped",
    message: `Left out ${path}: symbolic links are not sent`,
    path,
  });
  const events = [link("a"), link("b")];
  assert.deepEqual(report(events, { role: "send" }).error.trimEnd().split("\n"), [
    "Warning: Left out a: symbolic links are not sent",
    "  --symlinks follow sends what links lead to, --symlinks keep the links",
    "Warning: Left out b: symbolic links are not sent",
  ]);
  assert.doesNotMatch(report(events).error, /--symlinks/);
});

Deno.test("TextReporter says after Ctrl-C how to go on, where something is kept", () => {
  const interrupted: TransferEvent = {
    ...EVENTS.refused,
    code: "interrupted",
    exit: 130,
    message: "Interrupted",
    hint: ERRORS.interrupted.hint,
  };
  const signal = AbortSignal.abort();
  const lines = (events: TransferEvent[], options: Partial<TextReporterOptions> = {}) =>
    report([...events, interrupted], { signal, directory: ".", ...options }, {
      terminal: true,
      columns: 70,
    }).screen.lines;
  const hint = "  Send it again, receive with the new code: what has arrived is kept";
  assert.deepEqual(lines([EVENTS.progress]), ["Interrupted", hint]);
  assert.deepEqual(lines([]), ["Interrupted"]);
  assert.deepEqual(lines([EVENTS.progress], { quiet: true }), ["Interrupted"]);
  assert.deepEqual(lines([{ ...EVENTS.progress, hasStream: true }]), ["Interrupted"]);
});

Deno.test("TextReporter says how a lost session goes on, and nothing twice", () => {
  const { connected, offer, progress, reconnecting } = EVENTS;
  const resumed = { event: "resumed", session: 1, files: 1, bytes: 12_300_000 } as const;
  const again = { ...connected, resumes: 1 };
  const events = [connected, offer, progress, reconnecting, again, resumed, progress];
  const lines = report(events).error.trimEnd().split("\n");
  const from = lines.findIndex((line) => line.startsWith("Connection lost"));
  assert.deepEqual(lines.slice(from, from + 4), [
    "Connection lost at 12.3/50.2 MB; what is here is kept.",
    "Looking for the other side again, for 10 min at most …",
    "  If it was started again: Ctrl-C, and take its new code.",
    "Connected again to 198.51.100.4:5000 (Internet, 12 ms)",
  ]);
  assert.ok(!lines.some((line) => line.includes("are here already")));
  const early = { ...reconnecting, bytesDone: 0, bytesTotal: 0 };
  assert.match(report([early]).error, /^Connection lost\.\nLooking/);
  assert.equal(report(events, { quiet: true }).error.includes("lost"), false);
});

Deno.test("TextReporter of a sender tells of a client that is lost and comes again", () => {
  const { connected, offer } = EVENTS;
  const lost = {
    event: "error",
    session: 1,
    code: "path_lost",
    exit: 22,
    message: "Cannot go on: Nothing heard for 30 s",
    hint: "It comes again by itself when it can, and goes on: keep this running",
    fatal: false,
  } as const;
  const again = { ...connected, session: 2, resumes: 1 };
  const { error } = report([connected, offer, lost, again, { ...offer, session: 2 }], {
    role: "send",
  });
  assert.match(error, /It comes again by itself/);
  assert.doesNotMatch(error, /Still sharing/);
  assert.match(error, /Connected again to 198\.51/);
  assert.equal(error.match(/Sending/g)!.length, 1);
});

Deno.test("TextReporter shows what goes both ways, each with its own end", () => {
  const { connected, offer, progress, done } = EVENTS;
  const back = { back: true } as const;
  const given = { ...offer, ...back, items: 1, bytes: 5000 };
  const events = [connected, given, offer, { ...progress, ...back }, progress];
  const both = report(events, { directory: "in" }, { terminal: true, columns: 60 }).screen.lines;
  assert.ok(both.includes("Sending 1 item, 5.0 kB"));
  assert.equal(both.filter((line) => line.startsWith(" 24% 12.3/50.2 MB")).length, 2);
  const ends = [...events, { ...done, ...back, items: 1 }, { ...progress, ...back }];
  const one = report(ends, { directory: "in" }, { terminal: true, columns: 60 }).screen.lines;
  assert.ok(one.some((line) => line.startsWith("Sent 1 item,")));
  assert.equal(one.filter((line) => line.startsWith(" 24% 12.3/50.2 MB")).length, 1);
  const all = report([...ends, done], { directory: "in" }).output;
  assert.match(all, /Confirmation received[^]*In in\n[^]*Everything verified/);
  assert.equal(all.match(/In in/g)!.length, 1);
});

Deno.test("TextReporter of who gives to a drop box says nothing of what that does not offer", () => {
  const nothing = { ...EVENTS.offer, items: 0, files: 0, bytes: 0, names: [] };
  const done = { ...EVENTS.done, items: 0, bytes: 0 };
  const streams = report([EVENTS.connected, nothing, done]);
  assert.equal(streams.error, "Connected to 198.51.100.4:5000 (Internet, 12 ms)\n");
  assert.equal(streams.output, "");
});

Deno.test("TextReporter prints no more of a way that is done where nothing can be redrawn", () => {
  const back = { ...EVENTS.progress, back: true, bytesDone: 50_200_000 } as const;
  const done = { ...EVENTS.done, back: true } as const;
  const streams = report([EVENTS.connected, back, done, back, back]);
  assert.equal(streams.error.match(/100%/g)!.length, 1);
});
