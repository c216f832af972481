/**
 * Goal: Ctrl-C, whatever stands on the screen, ends the program soon and leaves a terminal as it was:
 * its modes, nothing of a status, the cursor on a row of its own. Ctrl-Z and `fg` only make a pause.
 * Method: keys through the line discipline of a pseudo-terminal, so that the signal comes as it does
 * from a keyboard: to everybody in the foreground, also to a program that has started itself again.
 */
import assert from "node:assert/strict";
import {
  KEYS,
  TerminalProgram,
  type TerminalProgramOptions,
  terminalTest,
} from "../support/terminal_program.ts";
import { TerminalShare } from "../support/terminal_share.ts";
import { assertSameFiles, assertSameTree } from "../support/tree.ts";

const MIB = 1_048_576;
const SIZE = { columns: 60, rows: 20 };
const INTERRUPTED = 130;
const QUESTION = /in\? \[y\/N\] /;
/** The published program starts itself again, with the flag that it needs. */
const AS_PUBLISHED: TerminalProgramOptions = { ...SIZE, flags: ["--allow-all"] };
/** The program's promise is one second; machines may be busy. */
const ENDED_SOON_MS = 3000;

/** Presses Ctrl-C and checks how the program ends. */
async function interrupt(program: TerminalProgram): Promise<void> {
  const startMs = performance.now();
  await program.type(KEYS.ctrlC);
  await program.expectExit(INTERRUPTED);
  const afterMs = performance.now() - startMs;
  assert.ok(afterMs < ENDED_SOON_MS, `${afterMs} ms`);
  assert.equal(program.count(/^Interrupted$/), 1);
  assert.equal(program.count(/%|Waiting for/), 0, "nothing of the status is left");
}

for (const options of [SIZE, AS_PUBLISHED]) {
  const how = options === SIZE ? "" : ", started again by itself";
  terminalTest(`share ends on Ctrl-C while it waits${how}`, async () => {
    await using share = await TerminalShare.start(options);
    await share.code();
    await share.program.shows("Waiting for");
    await interrupt(share.program);
  });

  terminalTest(`share ends on Ctrl-C while a question is open${how}`, async () => {
    await using share = await TerminalShare.start(options);
    const clients = [await share.receive("a"), await share.receive("b")];
    await Promise.all(clients.map((client) => client.event("waiting")));
    await share.program.shows(QUESTION);
    await interrupt(share.program);
    for (const client of clients) assert.notEqual(await client.exit(), 0);
  });

  terminalTest(`share ends on Ctrl-C in the middle of several transfers${how}`, async () => {
    await using share = await TerminalShare.start({
      ...options,
      bytes: 6 * MIB,
      args: ["--yes", "--limit", "300k"],
    });
    const clients = [await share.receive("a"), await share.receive("b"), await share.receive("c")];
    for (const client of clients) await client.event("progress");
    await share.program.shows(/\d%/);
    await interrupt(share.program);
    for (const client of clients) assert.notEqual(await client.exit(), 0);
  });
}

terminalTest("receive ends on Ctrl-C at the question for its code", async () => {
  await using program = new TerminalProgram(["receive"], SIZE);
  await program.shows(/code: $|code:$/);
  await interrupt(program);
});

terminalTest("receive ends on Ctrl-C while it waits to be let in", async () => {
  await using share = await TerminalShare.start(SIZE);
  const client = await share.receiveAtTerminal("client", SIZE);
  await share.program.shows(QUESTION);
  await client.shows("Waiting for");
  await interrupt(client);
  await share.program.until(
    "the question to go",
    ({ unwrapped }) => !QUESTION.test(unwrapped.at(-1)!),
  );
});

terminalTest("receive ends on Ctrl-C at its question, and the share goes on", async () => {
  await using share = await TerminalShare.start({ ...SIZE, args: ["--yes"] });
  const client = await share.receiveAtTerminal("client", SIZE);
  await client.shows("? [Y/n]");
  await interrupt(client);
  const next = await share.receive("next");
  await next.expectExit(0);
  await assertSameTree(share.receivedBy("next"), share.source);
});

terminalTest("receive goes on after Ctrl-C where it was", async () => {
  await using share = await TerminalShare.start({
    ...SIZE,
    bytes: 8 * MIB,
    args: ["--yes"],
  });
  const args = ["--yes", "--limit", "2M"];
  const client = await share.receiveAtTerminal("client", { ...SIZE, args });
  await client.shows(/ [3-9]\d%/);
  await interrupt(client);
  const again = await share.receiveAtTerminal("client", SIZE);
  await again.shows("1 new · 0 same · 0 differ · 1 partly here");
  await again.shows("? [Y/n]");
  await again.shows("? [Y/n]");
  await again.type("y\n");
  await again.shows(/MB of 1 file are here already/);
  await again.expectExit(0);
  await assertSameFiles(share.receivedBy("client"), share.source);
});

terminalTest("receive goes on with fg after Ctrl-Z", async () => {
  await using share = await TerminalShare.start({ ...SIZE, bytes: 8 * MIB, args: ["--yes"] });
  // A shell with job control, as people have one; it goes on behind whatever was stopped.
  const shell = ["/bin/sh", "-imc", '"$@"; echo "Stopped here"; read -r _; fg', "sh"];
  const client = await share.receiveAtTerminal("client", {
    ...SIZE,
    wrapper: shell,
    args: ["--yes", "--limit", "2M"],
  });
  await client.shows(/ [2-9]\d%/);
  await client.type(KEYS.ctrlZ);
  await client.shows("Stopped here");
  await client.type("\n");
  await client.shows("Everything verified. Transfer complete.");
  await client.expectExit(0);
  // The row that it was stopped in is the shell's.
  const left = client.screen.unwrapped.filter((line) => /\d%/.test(line));
  assert.deepEqual(left.map((line) => line.includes("^Z")), [true], left.join("\n"));
  await assertSameTree(share.receivedBy("client"), share.source);
});
