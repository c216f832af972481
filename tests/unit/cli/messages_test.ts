import assert from "node:assert/strict";
import {
  clientDoneLine,
  closedLine,
  connectedLine,
  doneLines,
  errorLines,
  fileDoneLine,
  identityLine,
  identityWarning,
  offerLines,
  resumedLine,
  sendingLine,
  textLines,
  warningLine,
  wordsLine,
} from "../../../lib/cli/messages.ts";
import type { Role } from "../../../lib/cli/view.ts";
import type { DoneEvent } from "../../../lib/events.ts";
import { textWidth } from "../../../lib/cli/text_width.ts";
import { EVENTS } from "./_fake_world.ts";

const PLAIN = { color: false };

Deno.test("offerLines shows the numbers, the names and marks dot-names", () => {
  const offer = {
    ...EVENTS.offer,
    names: ["photos", ".ssh"],
    dotNames: [".ssh"],
    newItems: 9,
    sameItems: 1,
    partlyItems: 3,
    differItems: 2,
  };
  assert.deepEqual(offerLines(offer, 60, PLAIN), [
    "Offered: 12 items, 50.2 MB",
    "  9 new · 1 same · 2 differ · 3 partly here · 2 folders",
    "  photos",
    "  .ssh (begins with a dot)",
  ]);
});

Deno.test("offers of a stream do not tell its length", () => {
  const offer = { ...EVENTS.offer, items: 1, bytes: 0, hasStream: true as const };
  assert.equal(sendingLine(offer), "Sending 1 item, length not known yet");
  assert.equal(offerLines(offer, 60, PLAIN)[0], "Offered: 1 item, length not known yet");
});

Deno.test("offerLines shows ten names and says how many more there are", () => {
  const names = Array.from({ length: 13 }, (_, index) => `file ${index}`);
  const lines = offerLines({ ...EVENTS.offer, names }, 60, PLAIN);
  assert.equal(lines.length, 13);
  assert.equal(lines.at(-1), "  … and 3 more");
  const hundred = Array.from({ length: 100 }, (_, index) => `file ${index}`);
  assert.equal(
    offerLines({ ...EVENTS.offer, names: hundred }, 60, PLAIN).at(-1),
    "  … and many more",
  );
});

Deno.test("offerLines escapes and fits names", () => {
  const names = ["a\x1b[2Jb", `.${"写".repeat(80)}`];
  const lines = offerLines({ ...EVENTS.offer, names, dotNames: [names[1]!] }, 60, PLAIN);
  for (const line of lines) {
    assert.ok(!line.includes("\x1b"));
    assert.ok(textWidth(line) <= 60, line);
  }
  assert.ok(lines[3]!.endsWith("… (begins with a dot)"));
});

Deno.test("offerLines says nothing of parts where there are none", () => {
  const offer = { ...EVENTS.offer, items: 11, directories: 1 };
  assert.equal(offerLines(offer, 60, PLAIN)[1], "  10 new · 0 same · 0 differ · 1 folder");
  const files = { ...EVENTS.offer, items: 10, directories: 0 };
  assert.equal(offerLines(files, 60, PLAIN)[1], "  10 new · 0 same · 0 differ");
});

Deno.test("resumedLine says how much need not be sent", () => {
  const event = { event: "resumed", session: 1, files: 2, bytes: 3_400_000_000 } as const;
  assert.equal(resumedLine(event), "3.4 GB of 2 files are here already");
});

Deno.test("textLines keeps line breaks and tabs and escapes everything else", () => {
  const lines = (text: string) => textLines({ event: "text", session: 1, path: "text.txt", text });
  assert.deepEqual(lines("one\r\n\ttwo\\\n\x1b[2J\rthree\u202e\n"), [
    "one",
    "\ttwo\\\\",
    "\\u{1b}[2J\\u{d}three\\u{202e}",
  ]);
  assert.deepEqual(lines("\n\n"), ["", ""]);
  assert.deepEqual(lines(""), [""]);
});

Deno.test("doneLines puts the root in one line where it fits and in two where not", () => {
  const wide = doneLines(EVENTS.done, { role: "send", columns: 80, style: PLAIN });
  assert.deepEqual(wide, [
    "Sent 12 items, 50.2 MB in 4.5s (11.2 MB/s)",
    `Verified root: ${EVENTS.done.root}`,
    "Confirmation received. Transfer complete.",
  ]);
  const narrow = doneLines(EVENTS.done, {
    role: "receive",
    directory: "out",
    columns: 60,
    style: PLAIN,
  });
  assert.deepEqual(narrow, [
    "Received 12 items, 50.2 MB in 4.5s (11.2 MB/s)",
    "In out",
    `Verified root: ${EVENTS.done.root.slice(0, 32)}`,
    `               ${EVENTS.done.root.slice(32)}`,
    "Everything verified. Transfer complete.",
  ]);
});

Deno.test("doneLines says what was left out and what to do about it", () => {
  const lines = doneLines({ ...EVENTS.done, leftOut: 2, exit: 13 }, {
    role: "receive",
    columns: 80,
    style: PLAIN,
  });
  assert.deepEqual(lines.slice(-2), [
    "Everything verified. Complete, but for 2 items left out.",
    "  The warnings above say why; --overwrite and --allow-dotfiles take more",
  ]);
});

Deno.test("doneLines offers the sender no options of the receiver", () => {
  const hint = (exit: number) =>
    doneLines({ ...EVENTS.done, leftOut: 1, exit }, { role: "send", columns: 80, style: PLAIN })
      .at(-1);
  assert.equal(hint(13), "  The warnings above say why");
  assert.match(hint(14)!, /once the files are at rest/);
});

Deno.test("doneLines tells the sender what the other side left out", () => {
  const lines = doneLines({ ...EVENTS.done, leftOut: 1 }, {
    role: "send",
    columns: 80,
    style: PLAIN,
  });
  assert.deepEqual(lines.slice(2), [
    "Confirmation received. Complete, but for 1 item left out.",
  ]);
});

Deno.test("doneLines tells what was there before apart from what moved", () => {
  const first = (changes: Partial<DoneEvent>, role: Role) =>
    doneLines({ ...EVENTS.done, ...changes }, { role, columns: 80, style: PLAIN })[0];
  const resumed = { keptBytes: 40_200_000, rateBytesPerSecond: 2_222_222 };
  assert.equal(
    first(resumed, "receive"),
    "Received 12 items, 50.2 MB, 40.2 MB of it here before, in 4.5s (2.2 MB/s)",
  );
  assert.equal(
    first(resumed, "send"),
    "Sent 12 items, 50.2 MB, 40.2 MB of it there before, in 4.5s (2.2 MB/s)",
  );
  assert.equal(first({ bytes: 0 }, "receive"), "12 items here, no bytes had to be sent");
  const allKept = { keptBytes: EVENTS.done.bytes };
  assert.equal(first(allKept, "send"), "12 items there, no bytes had to be sent");
});

Deno.test("warningLine names the file once", () => {
  const warning = { event: "warning", code: "kept", message: "Kept what is here" } as const;
  assert.equal(
    warningLine({ ...warning, path: "a/b" }, PLAIN),
    "Warning: Kept what is here: a/b",
  );
  assert.equal(
    warningLine({ ...warning, message: "Kept a/b", path: "a/b" }, PLAIN),
    "Warning: Kept a/b",
  );
});

Deno.test("errorLines says what failed and what to do next", () => {
  assert.deepEqual(errorLines("Cannot do it", "Do that", PLAIN), [
    "Error: Cannot do it",
    "  Do that",
  ]);
  assert.equal(errorLines("x", "y", { color: true })[0], "\x1b[1;31mError:\x1b[0m x");
});

Deno.test("lines about the connection and its files escape what the other side wrote", () => {
  assert.equal(
    connectedLine(EVENTS.connected),
    "Connected to 198.51.100.4:5000 (Internet, 12 ms)",
  );
  assert.equal(
    connectedLine(EVENTS.connected, true),
    "Connected to 198.51.100.4:5000 (Internet, 12 ms, turbo)",
  );
  assert.equal(
    connectedLine({ ...EVENTS.connected, acceleration: "base" }, true),
    "Connected to 198.51.100.4:5000 (Internet, 12 ms, plain)",
  );
  assert.equal(sendingLine(EVENTS.offer), "Sending 12 items, 50.2 MB");
  assert.equal(wordsLine(["one", "two", "three"], PLAIN), "Words: one two three");
  const fileDone = { event: "file-done", session: 1, path: "a\rb", bytes: 5, root: "00" } as const;
  assert.equal(fileDoneLine(fileDone), "Done: a\\u{d}b (5 B)");
});

Deno.test("closedLine says why, for how long, and how many took or gave how much", () => {
  const closed = {
    event: "closed",
    reason: "expired",
    clients: 14,
    bytes: 3_400_000_000,
    elapsedMs: 7_800_000,
    exit: 0,
  } as const;
  assert.equal(closedLine(closed, false), "Expired after 2 h 10 min: 14 clients took 3.4 GB");
  const one = { ...closed, reason: "served", clients: 1, bytes: 12_000_000 } as const;
  assert.equal(closedLine(one, true), "Over after 2 h 10 min: 1 client gave 12.0 MB");
  const none = { ...closed, reason: "closed", clients: 0, bytes: 0, elapsedMs: 5000 } as const;
  assert.equal(closedLine(none, false), "Closed after 5 s: nobody took anything");
  assert.equal(closedLine(none, true), "Closed after 5 s: nobody gave anything");
});

Deno.test("clientDoneLine says in one line what moved and what was left out", () => {
  assert.equal(
    clientDoneLine(EVENTS.done, "send"),
    "Sent 12 items, 50.2 MB in 4.5s (11.2 MB/s)",
  );
  assert.equal(
    clientDoneLine({ ...EVENTS.done, exit: 13, leftOut: 2 }, "receive"),
    "Received 12 items, 50.2 MB in 4.5s (11.2 MB/s), but for 2 items left out",
  );
});

Deno.test("identityLine and identityWarning say who it is, and of what to beware", () => {
  const event = {
    event: "identity",
    session: 1,
    key: "00",
    fingerprint: "c3ddg-d3e5r-npt8n-g3upg-tkdug",
    name: "al\u202eice",
    recognition: "known",
  } as const;
  assert.equal(identityLine(event), "It is al\\u{202e}ice (c3ddg-d3e5r-npt8n-g3upg-tkdug)");
  assert.equal(identityWarning(event), undefined);
  const { name: _, ...unnamed } = event;
  const stranger = { ...unnamed, recognition: "stranger" } as const;
  assert.match(identityLine(stranger), /^It is c3ddg-.*, who is not known here$/);
  assert.equal(identityWarning(stranger), undefined);
  const other = identityWarning({ ...event, recognition: "other_key" });
  assert.match(other!.message, /not the key that is known as al\\u\{202e\}ice$/);
  assert.match(identityWarning({ ...event, recognition: "other_name" })!.message, /not who was/);
});
