/** One run of one tool: the files sent, compared byte by byte, and what may be cleared away. */
import { join } from "node:path";
import { assertSameContent } from "../../tests/support/tree.ts";
import { TempFolder } from "../../tests/support/temp_folder.ts";
import { bufferDrops } from "./buffer_drops.ts";
import type { BenchCase } from "./cases.ts";
import { readProfile } from "./cpu_profile.ts";
import type { Place } from "./place.ts";
import type { BenchRow } from "./row.ts";
import { LaboratoryPlace } from "./laboratory_place.ts";
import type { Tool } from "./tool.ts";
import { TransferObserver } from "./transfer_observer.ts";
import { isKeptToTheEnd, workloadBytes, writeOut } from "./workload.ts";

/** What to run. */
export interface Trial {
  readonly bench: BenchCase;
  readonly tool: Tool;
  readonly place: Place;
  /** Counts from 1. */
  readonly run: number;
  /** The files, in a folder by themselves. */
  readonly source: string;
  /** Where everything is written; what {@linkcode isKeptToTheEnd} stays there. */
  readonly folder: string;
}

/** Runs it. */
export async function runTrial(trial: Trial): Promise<BenchRow> {
  const { bench, tool, place, run, source, folder } = trial;
  const scratch = await TempFolder.make(folder);
  await using _cleared = isKeptToTheEnd(bench.workload) ? undefined : scratch;
  const target = await scratch.folder("received");
  const profileFolder = bench.isProfiled ? scratch.at("profile") : undefined;
  const at = new Date().toISOString();
  await using observer = new TransferObserver(place, bench.isPinged === true);
  await observer.settle();
  const isOnLoopback = bench.path.shape === undefined;
  const dropsBefore = isOnLoopback ? await bufferDrops(place.receiver) : undefined;
  const { datagrams, ...measured } = await tool.transfer({
    place,
    source,
    isFolder: bench.workload.kind === "small files",
    bytes: workloadBytes(bench.workload),
    target,
    scratch: await scratch.folder("scratch"),
    limitMs: bench.limitSeconds * 1000,
    onStart: () => observer.start(),
    ...(profileFolder === undefined ? {} : { profileFolder }),
  });
  const observed = await observer.stop();
  const dropsAfter = isOnLoopback ? await bufferDrops(place.receiver) : undefined;
  if (measured.isDone && !tool.isCeiling) await assertSameContent(target, join(source, ".."));
  await writeOut();
  const bytes = workloadBytes(bench.workload);
  // What moves no file does not tell how far it came.
  const bytesDone = measured.isDone ? bytes : tool.isCeiling ? undefined : await bytesIn(target);
  return {
    case: bench.name,
    tool: tool.name,
    run,
    at,
    bytes,
    ...measured,
    ...(bytesDone === undefined ? {} : { bytesDone }),
    ...(dropsBefore === undefined || dropsAfter === undefined
      ? {}
      : { bufferDrops: dropsAfter - dropsBefore }),
    ...observed,
    ...(profileFolder === undefined || datagrams === undefined ? {} : {
      profile: {
        sender: await readProfile(join(profileFolder, "sender")),
        receiver: await readProfile(join(profileFolder, "receiver")),
        datagrams,
      },
    }),
  };
}

/** What is on the disk, unfinished files included; room that was only reserved does not count. */
async function bytesIn(folder: string): Promise<number> {
  let sum = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) sum += await bytesIn(path);
    else {
      const { size, blocks } = await Deno.lstat(path);
      sum += Math.min(size, blocks === null ? size : blocks * 512);
    }
  }
  return sum;
}

/** Chooses the congestion control of TCP for a tool, where there is a choice. */
export async function prepareKernel(place: Place, tool: Tool, usual: string): Promise<void> {
  if (place instanceof LaboratoryPlace) {
    await place.useCongestionControl(tool.congestionControl ?? usual);
  }
}
