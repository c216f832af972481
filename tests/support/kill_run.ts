/**
 * A transfer between two real processes in which one is killed without warning, and what it takes to
 * finish it: the same command again, with the same sharer where that lives, or with the code of a
 * new one.
 */
import assert from "node:assert/strict";
import { basename, join } from "node:path";
import type { CliProcess } from "./cli_process.ts";
import { codeOf, startReceive, startSend } from "./cli_transfer.ts";
import { assertSameFiles, writeFileSync } from "./tree.ts";

const MIB = 1_048_576;

/** Which process is killed. */
export type Victim = "sender" | "receiver" | "both";

/** One transfer with a kill in it. */
export interface KillOrder {
  readonly victim: Victim;
  /** From when on time is counted: the start of the receiver, or its first line of progress. */
  readonly from: "start" | "progress";
  /** How much later, ms. */
  readonly afterMs: number;
  /** What is sent. */
  readonly source: string;
  /** An empty folder to receive into. */
  readonly target: string;
  /** Arguments of both senders, e.g. a limit, so that the kill comes in the middle. */
  readonly sendArgs: readonly string[];
}

/** What came of it. */
export interface KillOutcome {
  /** Bytes that had arrived by the last line of progress before the kill, which is at most 0.1 s old. */
  readonly arrivedBytes: number;
  /** Bytes of them that were moved again. */
  readonly resentBytes: number;
  /** Whether the kill came after the receiver was done. */
  readonly wasTooLate: boolean;
}

/**
 * Fills a folder with something of everything: large, small, empty, nested.
 *
 * @returns Bytes of all files.
 */
export async function makeKillTree(folder: string): Promise<number> {
  let bytes = 0;
  const add = (name: string, sizeBytes: number): void => {
    writeFileSync(join(folder, name), sizeBytes, bytes + 1);
    bytes += sizeBytes;
  };
  await Deno.mkdir(join(folder, "small", "empty folder"), { recursive: true });
  add("large.bin", 12 * MIB + 4321);
  for (let index = 0; index < 120; index++) add(`small/${index}.dat`, 1000 + 37 * index);
  add("middle.bin", 3 * MIB);
  add("small/nothing", 0);
  return bytes;
}

/**
 * Runs it; fails unless the second run makes the files the same and leaves nothing of its own.
 *
 * @param totalBytes Bytes of the source.
 */
export async function runKill(order: KillOrder, totalBytes: number): Promise<KillOutcome> {
  const { victim, source, target, sendArgs } = order;
  const send = (): CliProcess => startSend([source], { args: [...sendArgs, "--yes"] });
  await using sender = send();
  const code = await codeOf(sender);
  const arrivedBytes = await receiveUntilKilled(order, sender, code);
  if (arrivedBytes === undefined) {
    await assertComplete(order);
    return { arrivedBytes: totalBytes, resentBytes: 0, wasTooLate: true };
  }
  // A sharer that lives takes its client again; in place of one that was killed there is a new one.
  await using successor = victim === "receiver" ? undefined : send();
  const newCode = successor === undefined ? code : await codeOf(successor);
  await using receiver = startReceive(newCode, target, { args: ["--yes"] });
  await receiver.expectExit(0);
  await (successor ?? sender).expectExit(0);
  await assertComplete(order);
  const missingBytes = totalBytes - arrivedBytes;
  const resentBytes = Math.max(0, movedBytes(receiver) - missingBytes);
  return { arrivedBytes, resentBytes, wasTooLate: false };
}

/** Bytes that had arrived when the kill came; undefined when all was done by then. */
async function receiveUntilKilled(
  { victim, from, afterMs, target }: KillOrder,
  sender: CliProcess,
  code: string,
): Promise<number | undefined> {
  await using receiver = startReceive(code, target, { args: ["--yes"] });
  if (from === "progress") await receiver.event("progress");
  const ended = receiver.exit().then(() => true);
  const isDone = await Promise.race([ended, elapse(afterMs)]);
  if (isDone) {
    await receiver.expectExit(0);
    return undefined;
  }
  if (victim !== "receiver") sender.kill("SIGKILL");
  // A person does not wait for a sharer that is gone.
  receiver.kill(victim === "sender" ? "SIGINT" : "SIGKILL");
  await ended;
  return movedBytes(receiver);
}

/** Bytes of files that came over the network, as far as it said so. */
function movedBytes(receiver: CliProcess): number {
  const keptBytes = receiver.eventsNamed("resumed")[0]?.bytes ?? 0;
  const doneBytes = receiver.eventsNamed("progress").at(-1)?.bytesDone ?? keptBytes;
  return doneBytes - keptBytes;
}

async function assertComplete({ source, target }: KillOrder): Promise<void> {
  await assertSameFiles(join(target, basename(source)), source);
  const left: string[] = [];
  for await (const { name } of Deno.readDir(target)) left.push(name);
  assert.deepEqual(left, [basename(source)], "nothing else is left behind");
}

async function elapse(ms: number): Promise<false> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return false;
}
