/**
 * Goal: what the program prints is what docs/cli.md promises to people and to programs.
 * Method: whole transfers between processes; what they wrote is taken apart.
 */
import assert from "node:assert/strict";
import { ERRORS } from "../../lib/errors.ts";
import { CliProcess, type JsonEvent } from "../support/cli_process.ts";
import { codeOf, startReceive, startSend } from "../support/cli_transfer.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { assertSameTree, makeTree } from "../support/tree.ts";

/** Fields that docs/cli.md lists for each event of one side, without those that may be missing. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  code: ["code", "addresses"],
  connecting: ["addresses"],
  connected: ["session", "address", "route", "rttMs", "acceleration"],
  admission: ["session", "address", "admitted"],
  offer: ["session", "items", "files", "directories", "bytes", "names", "dotNames"],
  progress: [
    "session",
    "bytesDone",
    "bytesTotal",
    "itemsDone",
    "itemsTotal",
    "rateBytesPerSecond",
    "file",
    "route",
  ],
  "file-done": ["session", "path", "bytes", "root"],
  warning: ["code", "message"],
  done: [
    "session",
    "bytes",
    "items",
    "leftOut",
    "root",
    "elapsedMs",
    "rateBytesPerSecond",
    "exit",
  ],
};

function assertDocumentedFields(event: JsonEvent): void {
  assert.equal(event.v, 1);
  for (const field of FIELDS[event.event] ?? []) {
    assert.ok(field in event, `${field} is missing in ${JSON.stringify(event)}`);
  }
}

Deno.test("--json prints events only, in the documented order and shape", async () => {
  await using temp = await TempFolder.make();
  const tree = temp.at("source", "tree");
  await makeTree(tree, { files: 30, fileBytes: 300_000 });
  await using sender = startSend([tree]);
  await using receiver = startReceive(await codeOf(sender), temp.at("target"));
  await receiver.expectExit(0);
  await sender.expectExit(0);
  for (const { events, otherLines, stdout, stderr } of [sender, receiver]) {
    assert.deepEqual(otherLines, []);
    assert.ok(stdout.endsWith("\n"));
    assert.equal(stderr, "");
    for (const event of events) assertDocumentedFields(event);
  }
  const order = (side: CliProcess) => [...new Set(side.events.map(({ event }) => event))];
  assert.deepEqual(order(sender).slice(0, 2), ["code", "warning"]);
  assert.equal(sender.eventsNamed("warning")[0]!.code, "code_is_admission");
  assert.deepEqual(order(receiver).filter((name) => name !== "waiting").slice(0, 4), [
    "connecting",
    "connected",
    "path",
    "offer",
  ]);
  for (const side of [sender, receiver]) {
    assert.equal(side.events.at(-1)!.event, "done");
    // As many as files of the tree with content, odd and empty ones included.
    assert.equal(side.eventsNamed("file-done").length, (await side.event("offer")).files);
    const last = side.eventsNamed("progress").at(-1)!;
    assert.equal(last.bytesDone, last.bytesTotal);
    assert.equal(last.itemsDone, last.itemsTotal);
  }
  await assertSameTree(temp.at("target"), temp.at("source"));
});

Deno.test("--verify shows the same three words on both sides", async () => {
  await using temp = await TempFolder.make();
  await makeTree(temp.at("source", "tree"), { files: 1, fileBytes: 10 });
  const args = ["--verify", "--yes"];
  await using sender = startSend([temp.at("source", "tree")], { args });
  await using receiver = startReceive(await codeOf(sender), temp.at("target"), { args });
  await receiver.expectExit(0);
  await sender.expectExit(0);
  const { words } = await sender.event("words");
  assert.equal(words.length, 3);
  assert.deepEqual((await receiver.event("words")).words, words);
});

Deno.test("--verify on one side only moves nothing", async () => {
  await using temp = await TempFolder.make();
  await makeTree(temp.at("source", "tree"), { files: 1, fileBytes: 10 });
  await using sender = startSend([temp.at("source", "tree")]);
  await using receiver = startReceive(await codeOf(sender), temp.at("target"), {
    args: ["--verify", "--yes"],
  });
  await receiver.expectExit(ERRORS.authentication_failed.exit);
  assert.deepEqual(receiver.eventsNamed("offer"), []);
  const error = await sender.event("error");
  assert.deepEqual([error.code, error.fatal], ["authentication_failed", false]);
});

Deno.test("--verify without a terminal needs --yes", async () => {
  await using receiver = new CliProcess(["receive", "--json", "--verify", "p2p1"]);
  await receiver.expectExit(ERRORS.usage.exit);
});

Deno.test("text on pipes says code, offer, progress and summary without control sequences", async () => {
  await using temp = await TempFolder.make();
  await makeTree(temp.at("source", "tree"), { files: 10, fileBytes: 300_000 });
  const loopback = ["--allow-loopback", "--no-local-addresses", "--address", "127.0.0.1"];
  await using sender = new CliProcess([
    "send",
    ...loopback,
    "--bind",
    "127.0.0.1:0",
    temp.at("source", "tree"),
  ]);
  const [code] = await sender.output(/^p2p1\S+/m);
  await using receiver = new CliProcess([
    "receive",
    "--allow-loopback",
    "-o",
    temp.at("target"),
    code,
  ]);
  await receiver.expectExit(0);
  await sender.expectExit(0);
  assert.match(sender.stdout, /deno run -A jsr:@p2pft\/cli receive p2p1/);
  assert.match(sender.stdout, /Confirmation received\. Transfer complete\./);
  assert.match(receiver.stdout, /Everything verified\. Transfer complete\./);
  assert.equal(
    /Verified root: ([0-9a-f]{64})/.exec(sender.stdout)?.[1],
    /Verified root: ([0-9a-f]{64})/.exec(receiver.stdout)?.[1],
  );
  for (const { stdout, stderr } of [sender, receiver]) {
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(stdout + stderr, /[\x00-\x09\x0b-\x1f\x7f]/);
  }
});

Deno.test("an error is two lines on standard error: what failed, and what to do", async () => {
  await using receiver = new CliProcess(["receive", "p2p1qqqq"]);
  await receiver.expectExit(3);
  assert.equal(receiver.stdout, "");
  const lines = receiver.stderr.trimEnd().split("\n");
  assert.equal(lines.length, 2);
  assert.match(lines[0]!, /^Error: \S/);
  assert.match(lines[1]!, /^ {2}\S/);
});

Deno.test("-v shows addresses and files as they finish, -q nothing but the code", async () => {
  await using temp = await TempFolder.make();
  await makeTree(temp.at("source", "tree"), { files: 1, fileBytes: 10 });
  const words = [
    "--allow-loopback",
    "--no-local-addresses",
    "--address",
    "127.0.0.1",
    temp.at("source", "tree"),
  ];
  await using sender = new CliProcess(["send", "-q", "--yes", ...words]);
  const [code] = await sender.output(/^p2p1\S+/m);
  await using receiver = new CliProcess(
    ["receive", "-v", "--allow-loopback", "-o", temp.at("target"), code],
  );
  await receiver.expectExit(0);
  await sender.expectExit(0);
  assert.equal(sender.stdout, `${code}\n`);
  assert.equal(sender.stderr, "");
  assert.match(receiver.stdout + receiver.stderr, /127\.0\.0\.1:\d+/);
  assert.match(receiver.stdout + receiver.stderr, /Done: tree\/folder 0\/file_00000\.dat/);
});
