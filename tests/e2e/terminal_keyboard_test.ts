/**
 * Goal: what is typed and pasted while a share runs does what it says, at any moment, and spoils
 * neither the screen nor a question that stands there.
 * Method: `share` at a pseudo-terminal, clients in processes of their own.
 */
import assert from "node:assert/strict";
import { terminalTest } from "../support/terminal_program.ts";
import { TerminalShare } from "../support/terminal_share.ts";
import { assertSameTree } from "../support/tree.ts";

const MIB = 1_048_576;
const SIZE = { columns: 60, rows: 20 };
const QUESTION = /^Let 127\.0\.0\.1:\d+ in\? \[y\/N\]/;
const SHARE_CLOSED = 4;
const REFUSED = 5;

terminalTest("share tells on help what can be typed, and of nobody on list", async () => {
  await using share = await TerminalShare.start(SIZE);
  const { program } = share;
  await share.code();
  await program.type("help\n");
  for (const command of ["list", "kick N", "limit RATE", "close", "help"]) {
    await program.shows(new RegExp(`^  ${command}  `));
  }
  await program.type("list\n");
  await program.shows(/^Nobody is here\.$/);
  await program.type("kick 7\n");
  await program.shows(/^There is no client 7/);
  await program.type("kick\n");
  await program.shows(/^Whom\?/);
  await program.type("limit much\n");
  await program.shows(/^To what\?/);
  await program.type("what is this\n");
  await program.shows(/no reply code|not a (?:reply )?code|help/i, 2);
  await program.type("close\n");
  await program.expectExit(0);
  for (const typed of ["help", "list", "kick", "close"]) {
    assert.ok(program.count(new RegExp(`\\b${typed}\\b`)) >= 1, `${typed} stays on the screen`);
  }
});

terminalTest("share lists who is there, limits all, and sends one away", async () => {
  await using share = await TerminalShare.start({
    ...SIZE,
    columns: 90,
    bytes: 6 * MIB,
    args: ["--yes", "--limit", "200k"],
  });
  const { program } = share;
  const first = await share.receive("first");
  await first.event("offer");
  const second = await share.receive("second");
  await second.event("progress");
  await program.type("list\n");
  await program.shows(/^ +1 {2}127\.0\.0\.1:\d+, .*this machine/);
  await program.shows(/^ +2 {2}127\.0\.0\.1:\d+, .*this machine/);
  await program.type("kick 1\n");
  await program.shows(/Sent away 127\.0\.0\.1:\d+$/);
  await first.expectExit(REFUSED);
  assert.equal((await first.event("error")).code, "refused");
  await program.type("limit 400k\n");
  await program.shows("No faster than 400 kB/s in all.");
  await program.type("limit off\n");
  await program.shows("No limit any more.");
  await second.expectExit(0);
  await assertSameTree(share.receivedBy("second"), share.source);
});

terminalTest("share lets nobody new in after close, and ends when all are done", async () => {
  await using share = await TerminalShare.start({
    ...SIZE,
    bytes: 6 * MIB,
    args: ["--yes", "--limit", "200k"],
  });
  const { program } = share;
  const inTime = await share.receive("in time");
  await inTime.event("progress");
  await program.type("close\n");
  await program.shows(/^Nobody new is let in/);
  const late = await share.receive("late");
  await late.expectExit(SHARE_CLOSED);
  assert.match((await late.event("error")).message, /nobody new/);
  assert.deepEqual(late.eventsNamed("offer"), []);
  await program.type("limit off\n");
  await inTime.expectExit(0);
  await assertSameTree(share.receivedBy("in time"), share.source);
  await program.expectExit(0);
});

terminalTest("share does what is typed at its question, and the question stays", async () => {
  await using share = await TerminalShare.start(SIZE);
  const { program } = share;
  const client = await share.receive("client");
  await program.shows(QUESTION);
  await program.type("list\n");
  await program.shows(/^ +1 {2}127\.0\.0\.1:\d+, asks to be let in/);
  await program.until("the question below it", ({ unwrapped }) => QUESTION.test(unwrapped.at(-1)!));
  assert.equal(program.count(QUESTION), 1);
  await program.type("y\n");
  await client.expectExit(0);
});

terminalTest(
  "share takes several reply codes of one paste, while others take it and at a question",
  async () => {
    await using share = await TerminalShare.start({
      ...SIZE,
      bytes: 6 * MIB,
      args: ["--limit", "300k"],
    });
    const { program } = share;
    const first = await share.receive("first");
    await program.shows(QUESTION);
    await program.type("y\n");
    await first.event("progress");
    const hidden = [];
    for (const name of ["a", "b", "c", "d"]) hidden.push(await share.receiveHidden(name));
    const [a, b, c, d] = await Promise.all(hidden.map((client) => client.replyCode()));
    // In the middle of output that is redrawn, as mails and chats have them.
    await program.type(`Mine is ${a} – thanks\n\n> ${b!.toUpperCase()}\n`);
    for (const client of hidden.slice(0, 2)) await client.receiver.event("offer");
    const asked = await share.receive("asked");
    await program.shows(QUESTION, 2);
    await program.type(`${c} ${d}\ny\n`);
    for (const client of hidden.slice(2)) await client.receiver.event("offer");
    assert.deepEqual(asked.eventsNamed("offer"), [], "a line of a paste is no answer");
    await program.until(
      "the question below it",
      ({ unwrapped }) => QUESTION.test(unwrapped.at(-1)!),
    );
    await program.type("n\n");
    await asked.expectExit(REFUSED);
    await program.type("limit off\n");
    await first.expectExit(0);
    for (const [index, { receiver }] of hidden.entries()) {
      await receiver.expectExit(0);
      await assertSameTree(share.receivedBy("abcd"[index]!), share.source);
    }
    await program.type("close\n");
    await program.expectExit(0);
    for (const code of [a!, b!, c!, d!]) {
      assert.equal(program.count(code.slice(10, 40)), 0);
    }
  },
);
