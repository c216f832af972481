/** What is asked, and how it looks, is in share_command_test.ts. */
import assert from "node:assert/strict";
import type { ErrorCode } from "../../../lib/errors.ts";
import type { OfferEvent, TransferEvent } from "../../../lib/events.ts";
import type { ClientReport } from "../../../lib/options.ts";
import { TakeQuestions } from "../../../lib/cli/take_questions.ts";
import { Terminal } from "../../../lib/cli/terminal.ts";
import { FakeStreams } from "./_fake_world.ts";

const offerOf = (session: number): OfferEvent => ({
  event: "offer",
  session,
  back: true,
  items: 1,
  files: 1,
  directories: 0,
  links: 0,
  bytes: 3,
  names: [`gift ${session}`],
  dotNames: [],
  texts: 0,
  newItems: 1,
  sameItems: 0,
  differItems: 0,
  partlyItems: 0,
});

const clientOf = (session: number, address = `192.0.2.${session}:5000`): ClientReport => ({
  session,
  address,
  route: "internet",
  state: "admitted",
  bytesDone: 0,
  bytesTotal: 0,
  rateBytesPerSecond: 0,
  connectedMs: 0,
});

function errorOf(session: number, code: ErrorCode, back = false): TransferEvent {
  const which = back ? { back: true as const } : {};
  return { event: "error", session, ...which, code, message: "", hint: "", exit: 1, fatal: false };
}

function comes(session: number, resumes?: number): TransferEvent {
  return {
    event: "connected",
    session,
    address: `192.0.2.${session}:5000`,
    route: "internet",
    rttMs: 1,
    acceleration: "base",
    ...(resumes === undefined ? {} : { resumes }),
  };
}

/** A person who says nothing, or what was typed before. */
function questionsFor(
  takesFrom: "person" | "named",
  lines: readonly string[] = [],
) {
  const streams = new FakeStreams({ terminal: true, lines });
  const terminal = new Terminal(streams, { outputColor: false, errorColor: false, redraw: true });
  const ended = new AbortController();
  const questions = new TakeQuestions({
    terminal,
    take: { directory: ".", overwrite: "never", allowDotfiles: false },
    takesFrom,
    note: (line) => terminal.note(line),
    signal: ended.signal,
  });
  const noted = () => streams.screen.lines.filter((line) => line.includes("wants to give"));
  return { questions, streams, noted, end: () => ended.abort() };
}

/** Longer than everything that is going on takes. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

for (const code of ["share_closed", "path_lost"] as const) {
  Deno.test(`TakeQuestions asks nothing about a client that is gone by its turn (${code})`, async () => {
    const { questions, noted, end } = questionsFor("person");
    const decisions = [1, 2, 3].map((session) =>
      questions.decide(offerOf(session), clientOf(session))
    );
    const outcomes = Promise.allSettled(decisions);
    await settled();
    assert.equal(noted().length, 1);
    // Gone before its turn, and while it is asked about; of that one only the half that gives.
    questions.handleEvent(errorOf(2, code));
    questions.handleEvent(errorOf(1, code, true));
    await settled();
    assert.deepEqual(noted().map((line) => line.split(" ")[0]), [
      "192.0.2.1:5000",
      "192.0.2.3:5000",
    ]);
    end();
    assert.deepEqual((await outcomes).map(({ status }) => status), [
      "rejected",
      "rejected",
      "fulfilled",
    ]);
  });
}

Deno.test("TakeQuestions withdraws a question also when its client came again meanwhile", async () => {
  const { questions } = questionsFor("person");
  const decision = questions.decide(offerOf(1), clientOf(1));
  await settled();
  questions.handleEvent(comes(2, 1));
  await settled();
  questions.handleEvent(errorOf(2, "share_closed"));
  await assert.rejects(decision, { code: "interrupted" });
});

Deno.test("TakeQuestions takes from who was named, also when it comes again", async () => {
  for (const by of ["code", "reply"] as const) {
    const { questions } = questionsFor("named");
    const admission = { event: "admission", address: "192.0.2.1:5000", admitted: true } as const;
    questions.handleEvent(comes(1));
    questions.handleEvent({ ...admission, session: 1, by });
    questions.handleEvent(comes(2, 1));
    // At once, as the events of one datagram.
    questions.handleEvent({ ...admission, session: 2, by: "again" });
    const { accept } = await questions.decide(offerOf(2), clientOf(2));
    assert.equal(accept, by === "reply");
  }
});

Deno.test("TakeQuestions asks first about the host that was asked about least often", async () => {
  const { questions, streams, noted, end } = questionsFor("person");
  const addresses = [
    // One customer: an IPv6 /64.
    ...[1, 2, 3, 4, 5].map((number) => `[2001:db8:0:1::${number}]:5000`),
    "198.51.100.4:5000",
    "198.51.100.9:5000",
  ];
  const outcomes = Promise.allSettled(
    addresses.map((address, index) =>
      questions.decide(offerOf(index + 1), clientOf(index + 1, address))
    ),
  );
  for (let asked = 1; asked <= 4; asked++) {
    await settled();
    assert.equal(noted().length, asked);
    streams.type("n\n");
  }
  await settled();
  assert.deepEqual(noted().slice(0, 4).map((line) => line.split(" ")[0]), [
    "[2001:db8:0:1::1]:5000",
    "198.51.100.4:5000",
    "198.51.100.9:5000",
    "[2001:db8:0:1::2]:5000",
  ]);
  end();
  await outcomes;
});
