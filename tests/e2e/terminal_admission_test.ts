/**
 * Goal: whoever has the keyboard of a share decides who comes in, one question at a time, and nothing
 * but an answer to the question that stands there is one.
 * Method: `share` at a pseudo-terminal of 60 columns, clients in processes of their own.
 */
import assert from "node:assert/strict";
import type { CliProcess } from "../support/cli_process.ts";
import { KEYS, type TerminalProgram, terminalTest } from "../support/terminal_program.ts";
import { TerminalShare } from "../support/terminal_share.ts";
import { assertSameTree } from "../support/tree.ts";

const SIZE = { columns: 60, rows: 20 };
const QUESTION = /^Let 127\.0\.0\.1:\d+ in\? \[y\/N\]/;
const REFUSED = 5;
const INTERRUPTED = 130;

/** The questions on the screen with what was typed behind them. */
function questions({ screen }: TerminalProgram): string[] {
  return screen.unwrapped.filter((line) => QUESTION.test(line));
}

/** Whether the cursor stands behind a question, ready for an answer. */
function asks(program: TerminalProgram): boolean {
  const { cursor, rows } = program.screen;
  const row = rows[cursor.row] ?? "";
  return QUESTION.test(row) && row.endsWith("]") && cursor.column === row.length + 1;
}

async function untilAsked(program: TerminalProgram): Promise<void> {
  await program.until("an open question", () => asks(program));
}

for (const [typed, isWanted] of [["y", true], ["YES", true], ["n", false], ["", false]] as const) {
  const name = `share takes ${JSON.stringify(typed)} and Enter for ${isWanted ? "yes" : "no"}`;
  terminalTest(name, async () => {
    await using share = await TerminalShare.start(SIZE);
    const client = await share.receive("client");
    await untilAsked(share.program);
    assert.doesNotMatch(client.stdout, /"offer"|source/);
    await share.program.type(`${typed}\n`);
    await client.expectExit(isWanted ? 0 : REFUSED);
    if (isWanted) await assertSameTree(share.receivedBy("client"), share.source);
    assert.equal(questions(share.program).length, 1);
    await share.program.type(KEYS.ctrlC);
    await share.program.expectExit(INTERRUPTED);
  });
}

terminalTest("share asks again after an answer that is none", async () => {
  await using share = await TerminalShare.start(SIZE);
  const client = await share.receive("client");
  for (const [index, typed] of ["maybe", "yn", "ü", "y y"].entries()) {
    await untilAsked(share.program);
    await share.program.type(`${typed}\n`);
    await share.program.shows("Please answer y or n.", index + 1);
  }
  await untilAsked(share.program);
  assert.deepEqual(client.eventsNamed("offer"), []);
  await share.program.type("y\n");
  await client.expectExit(0);
});

terminalTest("share lets Ctrl-U take back what was typed at its question", async () => {
  await using share = await TerminalShare.start(SIZE);
  const client = await share.receive("client");
  await untilAsked(share.program);
  await share.program.type(`y${KEYS.ctrlU}n\n`);
  await client.expectExit(REFUSED);
});

terminalTest(
  "share asks about one client after the other, and each gets its own answer",
  async () => {
    await using share = await TerminalShare.start(SIZE);
    const clients: CliProcess[] = [];
    for (const name of ["a", "b", "c"]) clients.push(await share.receive(name));
    await Promise.all(clients.map((client) => client.event("waiting")));
    const asked: string[] = [];
    for (const answer of ["y", "n", "y"]) {
      await untilAsked(share.program);
      asked.push(/127\.0\.0\.1:\d+/.exec(questions(share.program).at(-1)!)![0]);
      assert.equal(questions(share.program).length, asked.length);
      await share.program.type(`${answer}\n`);
      await share.program.until("the question to end", () =>
        !asks(share.program) ||
        questions(share.program).length > asked.length);
    }
    assert.equal(new Set(asked).size, 3);
    const exits = await Promise.all(clients.map((client) => client.exit()));
    assert.deepEqual(exits.toSorted(), [0, 0, REFUSED]);
    for (const [index, name] of ["a", "b", "c"].entries()) {
      if (exits[index] === 0) await assertSameTree(share.receivedBy(name), share.source);
    }
  },
);

terminalTest(
  "share takes the question away with a client that leaves, and no answer with it",
  async () => {
    await using share = await TerminalShare.start(SIZE);
    const first = await share.receive("first");
    await untilAsked(share.program);
    first.kill("SIGINT");
    await first.expectExit(INTERRUPTED);
    await share.program.until("no question", () => !asks(share.program));
    // Meant for the one who is gone.
    await share.program.type("y\n");
    const second = await share.receive("second");
    await untilAsked(share.program);
    assert.equal(questions(share.program).length, 2);
    assert.deepEqual(second.eventsNamed("offer"), []);
    await share.program.type("n\n");
    await second.expectExit(REFUSED);
  },
);

terminalTest(
  "share goes on to the next question when the client of the first one leaves",
  async () => {
    await using share = await TerminalShare.start(SIZE);
    const first = await share.receive("first");
    await untilAsked(share.program);
    const second = await share.receive("second");
    await second.event("waiting");
    first.kill("SIGINT");
    await first.expectExit(INTERRUPTED);
    await share.program.until("the second question", () => questions(share.program).length === 2);
    await untilAsked(share.program);
    await share.program.type("y\n");
    await second.expectExit(0);
    await assertSameTree(share.receivedBy("second"), share.source);
  },
);
