/**
 * Goal: nothing a peer wrote reaches a terminal, a log or a line of JSON as it came.
 * Method: every text of every event that could be a peer's, one after the other replaced by each of a
 * corpus of escape sequences and invisible characters, through the reporters with and without a
 * terminal; the questions too.
 */
import assert from "node:assert/strict";
import { jsonLine, JsonReporter } from "../../../lib/cli/json_reporter.ts";
import { Terminal } from "../../../lib/cli/terminal.ts";
import { TextReporter } from "../../../lib/cli/text_reporter.ts";
import type { TransferEvent } from "../../../lib/events.ts";
import type { OfferEvent } from "../../../lib/events.ts";
import { DANGEROUS, HOSTILE_TEXTS, MARK } from "../../support/hostile_texts.ts";
import { EVENTS, FakeClock, FakeStreams } from "./_fake_world.ts";

/** Events with texts that {@linkcode EVENTS} has none of. */
const MORE: readonly TransferEvent[] = [
  { event: "words", session: 1, words: ["one", "two", "three"] },
  { event: "admission", session: 1, address: "198.51.100.4:5000", admitted: false },
  { event: "file-done", session: 1, path: "a/b.txt", bytes: 5, root: "00" },
  { event: "text", session: 1, path: "note", text: "hello" },
  { event: "warning", session: 1, code: "kept", path: "a.txt", message: "Kept a.txt" },
  { event: "warning", session: 1, code: "waits_for_place", message: "A client waits" },
  { event: "manifest", session: 1, path: "sums", files: 1, bytes: 5 },
  {
    event: "error",
    session: 1,
    code: "share_closed",
    exit: 4,
    message: "The other side said: bye",
    hint: "",
    fatal: false,
  },
  {
    event: "error",
    session: 1,
    code: "integrity",
    exit: 11,
    message: "Cannot take a.txt",
    hint: "",
    fatal: false,
  },
];
const ALL: readonly TransferEvent[] = [...Object.values(EVENTS), ...MORE];

/** Fields that only this program fills, from its own words and its own keys. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  ...["event", "code", "hint", "route", "method", "mapping", "mappedBy", "stun", "expected"],
  ...["acceleration", "reason", "limitedBy", "root", "client"],
]);

/** The event once for each of its texts, with `hostile` in its place. */
function withText(event: TransferEvent, hostile: string): TransferEvent[] {
  const changed: TransferEvent[] = [];
  for (const [field, value] of Object.entries(event)) {
    if (OWN_FIELDS.has(field)) continue;
    if (typeof value === "string") changed.push({ ...event, [field]: hostile });
    if (Array.isArray(value)) changed.push({ ...event, [field]: [hostile, ...value] });
  }
  return changed;
}

function show(
  events: readonly TransferEvent[],
  isTerminal: boolean,
  role: "send" | "receive",
): FakeStreams {
  const streams = new FakeStreams({ terminal: isTerminal, columns: 200 });
  const terminal = new Terminal(streams, {
    outputColor: isTerminal,
    errorColor: isTerminal,
    redraw: isTerminal,
  });
  const reporter = new TextReporter(terminal, {
    role,
    quiet: false,
    verbose: true,
    directory: "/in",
    installation: { compiled: true, moduleUrl: "", windows: false },
    clock: new FakeClock(),
    signal: new AbortController().signal,
  });
  for (const event of events) reporter.handleEvent(event);
  return streams;
}

/** The dangerous part of a text, with the mark behind it where it ends in one. */
function tailOf(hostile: string): string {
  const text = hostile.slice(0, -MARK.length);
  const last = Array.from(text).at(-1)!;
  return DANGEROUS.test(last) ? `${last}${MARK}` : text;
}

/** Every way in which a text may be seen. */
const PLACES = ALL.flatMap((event) => withText(event, "x").map((_, index) => ({ event, index })));

Deno.test("there are many places for text of a peer", () => {
  assert.ok(PLACES.length >= 20, `${PLACES.length}`);
  assert.ok(HOSTILE_TEXTS.length >= 120, `${HOSTILE_TEXTS.length}`);
});

for (const role of ["send", "receive"] as const) {
  for (const isTerminal of [true, false]) {
    const where = isTerminal ? "a terminal" : "a log";
    Deno.test(`TextReporter lets no text of a peer reach ${where} as it came, role ${role}`, () => {
      for (const hostile of HOSTILE_TEXTS) {
        for (const { event, index } of PLACES) {
          const changed = withText(event, hostile)[index]!;
          // A text that was sent to be read keeps its line breaks and tabs, and goes into a pipe as
          // it is: there it is what was asked for, like the bytes of a file.
          const isContent = changed.event === "text" && "text" in changed &&
            changed.text === hostile;
          if (isContent && (!isTerminal || /^[\n\t\r]/.test(hostile))) continue;
          const streams = show([EVENTS.connected, changed], isTerminal, role);
          for (const shown of [streams.output, streams.error]) {
            assert.ok(
              !shown.includes(tailOf(hostile)),
              `${JSON.stringify(hostile)} of ${event.event} in ${JSON.stringify(shown)}`,
            );
            if (!isTerminal) {
              assert.doesNotMatch(shown.replaceAll("\n", ""), DANGEROUS, JSON.stringify(hostile));
            }
          }
        }
      }
    });
  }
}

Deno.test("every text of a peer that is shown at all is shown escaped, not dropped", () => {
  const offer = { ...EVENTS.offer, names: [`a\x1b[31m${MARK}`] };
  assert.ok(show([offer], false, "receive").error.includes(`a\\u{1b}[31m${MARK}`));
  const warning = { ...MORE[4]!, message: `b\u202e${MARK}` } as TransferEvent;
  assert.ok(show([warning], false, "receive").error.includes(`b\\u{202e}${MARK}`));
});

Deno.test("jsonLine holds no character that acts or hides, and loses none", () => {
  for (const hostile of HOSTILE_TEXTS) {
    for (const { event, index } of PLACES) {
      const changed = withText(event, hostile)[index]!;
      const line = jsonLine(changed);
      assert.doesNotMatch(line, DANGEROUS, JSON.stringify(hostile));
      if (!("rttMs" in changed)) assert.deepEqual(JSON.parse(line), { v: 1, ...changed });
    }
  }
});

Deno.test("stacks of exceptions are shown escaped, whoever's words are in them", () => {
  for (const hostile of HOSTILE_TEXTS) {
    const error = new Error(hostile, { cause: new Error(`inner ${hostile}`) });
    const streams = new FakeStreams();
    new JsonReporter(streams, true).handleException(error);
    assert.doesNotMatch(streams.error.replaceAll("\n", ""), DANGEROUS);
  }
});

Deno.test("TextReporter shows an offer before the question with every name escaped", () => {
  for (const hostile of HOSTILE_TEXTS) {
    const offer: OfferEvent = { ...EVENTS.offer, names: [hostile], dotNames: [hostile] };
    const streams = show([], false, "receive");
    const terminal = new Terminal(streams, {
      outputColor: false,
      errorColor: false,
      redraw: false,
    });
    new TextReporter(terminal, {
      role: "receive",
      quiet: true,
      verbose: false,
      installation: { compiled: true, moduleUrl: "", windows: false },
      clock: new FakeClock(),
      signal: new AbortController().signal,
    }).showOffer(offer);
    assert.doesNotMatch(streams.error.replaceAll("\n", ""), DANGEROUS);
  }
});
