/**
 * Goal: Ctrl-C on either side, at any moment, ends both cleanly within a second, and leaves what the
 * same command goes on with, and nothing else.
 * Method: SIGINT to a process of the program while it waits and in the middle of a transfer that a
 * slow emulated link makes long. The second is the program's promise; the limit here is twice as
 * long, for machines that are busy.
 */
import assert from "node:assert/strict";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { ownNamesOf } from "../../lib/transfer/own_names.ts";
import type { CliProcess } from "../support/cli_process.ts";
import { codeOf, LinkInFront, startReceive, startSend } from "../support/cli_transfer.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { writeFileSync } from "../support/tree.ts";

const MIB = 1_048_576;
/** 64 MiB take half a minute through it. */
const SLOW_LINK = { rateBytesPerSecond: 2_000_000, queueBytes: 100_000 };
const ENDED_SOON_MS = 2000;
const INTERRUPTED = 130;
const SHARE_CLOSED = 4;

/** Without POSIX signals there is nothing to send. */
const posix = { ignore: Deno.build.os === "windows" };

/** A transfer in its middle. */
async function withSlowTransfer(
  use: (sender: CliProcess, receiver: CliProcess) => Promise<void>,
): Promise<void> {
  await using temp = await TempFolder.make();
  await temp.folder("source");
  // One of several groups, which has a part file, and small ones.
  writeFileSync(temp.at("source", "large"), 64 * MIB, 1);
  for (let index = 0; index < 50; index++) writeFileSync(temp.at("source", `${index}`), 4096, 1);
  await using sender = startSend([temp.at("source")]);
  await using link = new LinkInFront(await codeOf(sender), SLOW_LINK);
  await using receiver = startReceive(link.code, temp.at("target"));
  await receiver.event("progress", ({ bytesDone }) => bytesDone > 3 * MIB);
  await use(sender, receiver);
  await assertResumable(temp);
}

/** What is left is the large file as far as it came, and a new run of both goes on with it. */
async function assertResumable(temp: TempFolder): Promise<void> {
  const { part, journal } = ownNamesOf(nodeProvider, "source/large");
  assert.deepEqual(ownFiles(temp.at("target")).sort(), [journal, part]);
  await using sender = startSend([temp.at("source")]);
  await using receiver = startReceive(await codeOf(sender), temp.at("target"));
  await receiver.expectExit(0);
  const { files, bytes } = await receiver.event("resumed");
  assert.ok(files === 1 && bytes >= MIB, `${files} files, ${bytes} bytes`);
  assert.deepEqual(ownFiles(temp.at("target")), []);
  const [sent, received] = [temp.at("source", "large"), temp.at("target", "source", "large")];
  assert.equal(Buffer.compare(Deno.readFileSync(received), Deno.readFileSync(sent)), 0);
}

/** Interrupts one and waits for the end of both. */
async function interrupt(process: CliProcess, other: CliProcess): Promise<number[]> {
  const start = performance.now();
  process.kill("SIGINT");
  const exits = [await process.exit(), await other.exit()];
  const tookMs = performance.now() - start;
  assert.ok(tookMs < ENDED_SOON_MS, `${tookMs} ms`);
  return exits;
}

/** Files of ours beside those that were received. */
function ownFiles(folder: string): string[] {
  const found: string[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) found.push(...ownFiles(`${folder}/${name}`));
    else if (name.startsWith(".p2pft-")) found.push(name);
  }
  return found;
}

Deno.test(
  "send ends soon after SIGINT in the middle of a transfer, and so does receive",
  posix,
  () =>
    withSlowTransfer(async (sender, receiver) => {
      const [sent, received] = await interrupt(sender, receiver);
      assert.equal(sent, INTERRUPTED);
      assert.ok(received === INTERRUPTED || received === SHARE_CLOSED, `${received}`);
      assert.equal((await sender.event("error", ({ fatal }) => fatal)).code, "interrupted");
      await receiver.event("error", ({ fatal }) => fatal);
    }),
);

Deno.test(
  "receive ends soon after SIGINT in the middle of a transfer, and so does send",
  posix,
  () =>
    withSlowTransfer(async (sender, receiver) => {
      assert.deepEqual(await interrupt(receiver, sender), [INTERRUPTED, INTERRUPTED]);
      assert.equal((await receiver.event("error")).code, "interrupted");
      assert.equal((await sender.event("error", ({ fatal }) => fatal)).code, "interrupted");
    }),
);

Deno.test("send ends soon after SIGINT while it waits", posix, async () => {
  await using temp = await TempFolder.make();
  writeFileSync(temp.at("file"), 1, 1);
  await using sender = startSend([temp.at("file")]);
  await codeOf(sender);
  await interrupt(sender, sender);
  await sender.expectExit(INTERRUPTED);
});

Deno.test("receive ends soon after SIGINT while nobody answers", posix, async () => {
  await using temp = await TempFolder.make();
  writeFileSync(temp.at("file"), 1, 1);
  await using sender = startSend([temp.at("file")]);
  const code = await codeOf(sender);
  sender.kill("SIGKILL");
  await sender.exit();
  await using receiver = startReceive(code, temp.at("target"));
  await receiver.event("connecting");
  await interrupt(receiver, receiver);
  await receiver.expectExit(INTERRUPTED);
});
