/**
 * What is measured with whole processes. Each case is a workload, a path and what the figure should
 * be; `run.ts` runs them in turns and `report.ts` prints them.
 */
import { join } from "node:path";
import { TempFolder } from "../../tests/support/temp_folder.ts";
import { type ProfileSummary, readProfile } from "./cpu_profile.ts";
import { measureTransfer, type TransferMeasurement } from "./transfer.ts";
import { makeWorkload, type Workload, workloadBytes, writeOut } from "./workload.ts";

const MIB = 1_048_576;

/** One thing to measure. */
export interface BenchCase {
  readonly name: string;
  /** What happens, for people. */
  readonly title: string;
  readonly workload: Workload;
  /** The emulated path; directly over loopback without it. */
  readonly link?: {
    readonly args: readonly string[];
    /** In each direction; the emulator counts 28 bytes of IP and UDP for each datagram. */
    readonly bytesPerSecond: number;
  };
  /** Run once however many runs are asked for. */
  readonly isOnce?: true;
  /** Whether both sides write a profile, which slows them down. */
  readonly isProfiled?: true;
}

const SHAPED = {
  workload: { kind: "file", bytes: 100_000_000 },
  // The emulator's queue is one bandwidth-delay product unless told otherwise.
  link: { args: ["--rate", "100mbit", "--rtt", "50"], bytesPerSecond: 12_500_000 },
} as const;

/** All cases, in the order in which a round runs them. */
export const CASES: readonly BenchCase[] = [
  {
    name: "loopback",
    title: "loopback, one file of 1 GiB",
    workload: { kind: "file", bytes: 1024 * MIB },
  },
  {
    name: "small",
    title: "loopback, 10,000 files of 4 KiB",
    workload: { kind: "small files", count: 10_000, fileBytes: 4096 },
  },
  {
    name: "same",
    title: "loopback, one file of the same 41 MB",
    workload: { kind: "file", bytes: 40_960_000 },
  },
  { name: "shaped", title: "100 Mbit/s, 50 ms, no loss, one file of 100 MB", ...SHAPED },
  {
    name: "memory",
    title: "loopback, one file of 4 GiB",
    workload: { kind: "file", bytes: 4096 * MIB },
    isOnce: true,
  },
  {
    name: "profile",
    title: "100 Mbit/s, 50 ms, profiled",
    ...SHAPED,
    isOnce: true,
    isProfiled: true,
  },
];

/** One line of raw results. */
export interface BenchRow extends TransferMeasurement {
  readonly case: string;
  /** Counts from 1. */
  readonly run: number;
  /** When it began, ISO 8601. */
  readonly at: string;
  readonly bytes: number;
  /**
   * How long one plain program took to make the files: what the disk and its file system need by
   * themselves, which for many small files can be most of it.
   */
  readonly makeMs: number;
  readonly profile?: { readonly sender: ProfileSummary; readonly receiver: ProfileSummary };
}

/** The same with less to do: sizes and counts times `scale`, to see whether all works. */
export function scaledCase(bench: BenchCase, scale: number): BenchCase {
  const { workload } = bench;
  return {
    ...bench,
    workload: workload.kind === "file"
      ? { ...workload, bytes: Math.round(workload.bytes * scale) }
      : { ...workload, count: Math.round(workload.count * scale) },
  };
}

/** Runs a case once, in a folder of its own in `folder` that is gone afterwards. */
export async function runCase(bench: BenchCase, run: number, folder: string): Promise<BenchRow> {
  await using scratch = await TempFolder.make(folder);
  const sourceFolder = await scratch.folder("source");
  const start = performance.now();
  const source = makeWorkload(bench.workload, sourceFolder);
  const makeMs = performance.now() - start;
  await writeOut();
  const at = new Date().toISOString();
  const measurement = await measureTransfer({
    source,
    scratch: scratch.path,
    ...(bench.link === undefined ? {} : { link: bench.link.args }),
    ...(bench.isProfiled ? { profileFolder: scratch.at("profile") } : {}),
  });
  return {
    case: bench.name,
    run,
    at,
    bytes: workloadBytes(bench.workload),
    makeMs,
    ...measurement,
    ...(bench.isProfiled
      ? {
        profile: {
          sender: await readProfile(join(scratch.at("profile"), "sender")),
          receiver: await readProfile(join(scratch.at("profile"), "receiver")),
        },
      }
      : {}),
  };
}
