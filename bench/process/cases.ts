/** What is measured: which files over which path, by which tools, and how long it may take. Pure. */
import { type BenchPath, PATHS } from "./path.ts";
import type { Tool } from "./tool.ts";
import { type Workload, workloadBytes } from "./workload.ts";

const MIB = 1_048_576;

/** One thing to measure. */
export interface BenchCase {
  readonly name: string;
  /** The files, for people. */
  readonly files: string;
  readonly path: BenchPath;
  readonly workload: Workload;
  /** Names of the tools, unless others are chosen. */
  readonly tools: readonly string[];
  /** When a run is cut off, s. */
  readonly limitSeconds: number;
  /** Run once however many runs are asked for. */
  readonly isOnce?: true;
  /** Whether both sides write a profile, which slows them down. */
  readonly isProfiled?: true;
  /** Whether pings go the same way. */
  readonly isPinged?: true;
}

const SMALL_FILES = {
  files: "10,000 files of 4 KiB",
  workload: { kind: "small files", count: 10_000, fileBytes: 4096 },
} as const;
const HUNDRED = { files: "100 MB", workload: { kind: "file", bytes: 100_000_000 } } as const;
const ON_CLEAN_LINES = ["p2pft", "p2pft-base", "scp", "rsync", "wormhole", "https", "quic"];
/** With loss: a tool over CUBIC, as most systems ship TCP, is cut off; the same over BBR is not. */
const ON_LOSSY_LINES = ["p2pft", "scp-bbr", "https", "https-bbr", "quic-bbr"];

/** All cases, in the order in which they are run and shown. */
export const CASES: readonly BenchCase[] = [
  {
    name: "loopback",
    files: "1 GiB",
    path: PATHS.loopback,
    workload: { kind: "file", bytes: 1024 * MIB },
    tools: [...ON_CLEAN_LINES, "iperf3", "cp"],
    limitSeconds: 60,
  },
  {
    name: "small",
    ...SMALL_FILES,
    path: PATHS.loopback,
    tools: [...ON_CLEAN_LINES, "cp"],
    limitSeconds: 30,
  },
  {
    name: "same",
    files: "one file of the same 41 MB",
    path: PATHS.loopback,
    workload: { kind: "file", bytes: 40_960_000 },
    tools: ["p2pft", "p2pft-base"],
    limitSeconds: 30,
  },
  {
    name: "memory",
    files: "4 GiB",
    path: PATHS.loopback,
    workload: { kind: "file", bytes: 4096 * MIB },
    tools: ["p2pft"],
    limitSeconds: 120,
    isOnce: true,
  },
  {
    name: "clean",
    ...HUNDRED,
    path: PATHS.clean,
    tools: ON_CLEAN_LINES,
    limitSeconds: 25,
  },
  {
    name: "lossy",
    ...HUNDRED,
    path: PATHS.lossy,
    tools: [...ON_LOSSY_LINES, "p2pft-cubic", "scp", "rsync-bbr", "wormhole-bbr", "quic"],
    limitSeconds: 20,
  },
  {
    name: "long",
    files: "200 MB",
    path: PATHS.long,
    workload: { kind: "file", bytes: 200_000_000 },
    tools: ON_LOSSY_LINES,
    limitSeconds: 40,
    isPinged: true,
  },
  {
    name: "fast",
    files: "500 MB",
    path: PATHS.fast,
    workload: { kind: "file", bytes: 500_000_000 },
    tools: [...ON_LOSSY_LINES, "p2pft-base", "iperf3-bbr"],
    limitSeconds: 20,
  },
  {
    name: "deep",
    files: "10 MB",
    path: PATHS.deep,
    workload: { kind: "file", bytes: 10_000_000 },
    tools: ["p2pft", "https"],
    limitSeconds: 40,
    isPinged: true,
  },
  {
    name: "small-shaped",
    ...SMALL_FILES,
    path: PATHS.clean,
    tools: ON_CLEAN_LINES,
    limitSeconds: 20,
  },
  {
    name: "profile",
    ...HUNDRED,
    path: PATHS.clean,
    tools: ["p2pft-base"],
    limitSeconds: 60,
    isOnce: true,
    isProfiled: true,
  },
];

/** A case for people: the path, then the files. */
export function caseTitle({ path, files }: BenchCase): string {
  return `${path.title}: ${files}`;
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

/** What a case runs in: a laboratory, or this machine with our own emulator or nothing between. */
export type LinkKind = "laboratory" | "own" | "none";

/** Where a case runs; a profile counts the datagrams of our own emulator. */
export function linkKindOf({ path, isProfiled }: BenchCase, hasLaboratory: boolean): LinkKind {
  if (hasLaboratory && !isProfiled) return "laboratory";
  return path.shape === undefined ? "none" : "own";
}

/**
 * Whether a tool is part of a case.
 *
 * @param chosen Names of tools that were asked for, in place of the case's own.
 */
export function takesPart(
  bench: BenchCase,
  tool: Tool,
  link: LinkKind,
  chosen?: readonly string[],
): boolean {
  const { name, carrier, congestionControl, takesFolders } = tool;
  if (!(chosen ?? bench.tools).includes(name)) return false;
  if (bench.workload.kind === "small files" && !takesFolders) return false;
  // Only our program writes a profile, and only it finds its way through our emulator.
  if (bench.isProfiled || link === "own") {
    return tool.isOurs === true && bench.tools.includes(name);
  }
  if (carrier === "none") return bench.path.shape === undefined;
  // In a laboratory alone the kernel is told what to use.
  return congestionControl === undefined || link === "laboratory";
}

/** Fraction of the line that tools which bear loss can be expected to use, for the forecast. */
const EXPECTED_SHARE = 0.85;
/** What loopback may carry, MB/s: one system call for each datagram, and the others. */
const [SLOW_MEGABYTES, QUICK_MEGABYTES] = [80, 300];
/** Making room, comparing and cleaning up, by MB, and whatever else a run has around it. */
const [AROUND_MS_PER_MEGABYTE, AROUND_MS] = [1.5, 1500];

/** Whether a tool is likely not to be done in time. */
export function isHopeless({ path }: BenchCase, { bearsLoss }: Tool): boolean {
  return path.shape?.lossRate !== undefined && !bearsLoss;
}

/** How long a run will take, ms; roughly. */
export function forecastMs(bench: BenchCase, tool: Tool): number {
  const megabytes = workloadBytes(bench.workload) / 1e6;
  const { shape } = bench.path;
  const rate = shape === undefined
    ? tool.name === "p2pft-base" ? SLOW_MEGABYTES : QUICK_MEGABYTES
    : shape.rateBitsPerSecond / 8e6 * EXPECTED_SHARE;
  const limitMs = bench.limitSeconds * 1000;
  const ms = isHopeless(bench, tool) ? limitMs : Math.min(limitMs, megabytes / rate * 1000);
  return ms + megabytes * AROUND_MS_PER_MEGABYTE + AROUND_MS;
}
