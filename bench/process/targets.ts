/**
 * What the program is held to, computed from raw rows. Ratios are taken within one run, in which all
 * tools had the same machine, and the median of them counts. Pure.
 */
import { CASES } from "./cases.ts";
import type { BenchRow } from "./row.ts";
import { median } from "./statistics.ts";

/** One aim. */
export interface Target {
  /** In words, with its unit. */
  readonly title: string;
  /** `at least` or `at most` this. */
  readonly bound: { readonly least: number } | { readonly most: number };
  /** How many digits behind the point it is shown with. */
  readonly digits: number;
  /** What was measured; undefined when the rows do not tell. */
  readonly measure: (rows: readonly BenchRow[]) => number | undefined;
}

/** Bytes of a second that the line of a row's case carries; undefined over loopback. */
export function lineBytesPerSecond(caseName: string): number | undefined {
  const shape = CASES.find(({ name }) => name === caseName)?.path.shape;
  return shape === undefined ? undefined : shape.rateBitsPerSecond / 8;
}

/**
 * Bytes of files that arrived in a second; of a run that was cut off, what had arrived by then, and
 * undefined where nothing tells.
 */
export function bytesPerSecond({ bytes, bytesDone, isDone, wallMs }: BenchRow): number | undefined {
  const arrived = isDone ? bytes : bytesDone;
  return arrived === undefined ? undefined : arrived / wallMs * 1000;
}

/** The same in 10^6 bytes. */
export function megabytesPerSecond(row: BenchRow): number | undefined {
  const rate = bytesPerSecond(row);
  return rate === undefined ? undefined : rate / 1e6;
}

/** File bytes over what the line could have carried in that time; undefined over loopback. */
export function shareOfLine(row: BenchRow): number | undefined {
  const line = lineBytesPerSecond(row.case);
  const rate = bytesPerSecond(row);
  return line === undefined || rate === undefined ? undefined : rate / line;
}

/** How many cores both sides and the emulator of the line kept busy; undefined without one. */
export function busyCores({ sender, receiver, link, wallMs }: BenchRow): number | undefined {
  if (link === undefined) return undefined;
  const seconds = (sender?.cpuSeconds ?? 0) + (receiver?.cpuSeconds ?? 0) + link.cpuSeconds;
  return seconds / (wallMs / 1000);
}

/** Processor seconds of both sides for 10^9 file bytes. */
export function cpuPerGigabyte({ sender, receiver, bytes }: BenchRow): number | undefined {
  if (receiver === undefined) return undefined;
  return ((sender?.cpuSeconds ?? 0) + receiver.cpuSeconds) / (bytes / 1e9);
}

/** The larger of both sides, 10^6 bytes. */
export function peakMegabytes({ sender, receiver }: BenchRow): number | undefined {
  const peaks = [sender, receiver].flatMap((usage) => usage === undefined ? [] : usage.peakBytes);
  return peaks.length === 0 ? undefined : Math.max(...peaks) / 1e6;
}

function pick(rows: readonly BenchRow[], caseName: string, tool: string): BenchRow[] {
  return rows.filter((row) => row.case === caseName && row.tool === tool);
}

function middle(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : median(known);
}

/** How many times as fast one tool is as another, in the runs in which the other was done. */
export function speedRatio(
  rows: readonly BenchRow[],
  caseName: string,
  tool: string,
  other: string,
): number | undefined {
  return middle(
    pick(rows, caseName, tool).map((row) => {
      const match = pick(rows, caseName, other).find(({ run, isDone }) =>
        run === row.run && isDone
      );
      const [own, others] = [bytesPerSecond(row), match && bytesPerSecond(match)];
      return own === undefined || others === undefined ? undefined : own / others;
    }),
  );
}

/** Time of many small files over that of one file of the same size, in the runs that had both. */
export function ratioOfSmallFiles(rows: readonly BenchRow[], tool: string): number | undefined {
  return middle(
    pick(rows, "small", tool).map(({ run, wallMs, bytes }) => {
      const same = pick(rows, "same", tool).find((row) => row.run === run);
      // Trials at a small scale round the two differently.
      return same === undefined ? undefined : wallMs / bytes / (same.wallMs / same.bytes);
    }),
  );
}

function share(caseName: string): Target["measure"] {
  return (rows) => middle(pick(rows, caseName, "p2pft").map(shareOfLine));
}

/** All of them. */
export const TARGETS: readonly Target[] = [
  {
    title: "loopback, 1 GiB: times as fast as scp",
    bound: { least: 1.2 },
    digits: 2,
    measure: (rows) => speedRatio(rows, "loopback", "p2pft", "scp"),
  },
  {
    title: "loopback, 1 GiB: times as fast as Deno's QUIC",
    bound: { least: 1.1 },
    digits: 2,
    measure: (rows) => speedRatio(rows, "loopback", "p2pft", "quic"),
  },
  {
    title: "loopback, 1 GiB, without FFI: MB/s",
    bound: { least: 85 },
    digits: 1,
    measure: (rows) => middle(pick(rows, "loopback", "p2pft-base").map(megabytesPerSecond)),
  },
  {
    title: "loopback, 1 GiB: processor seconds a GB, both sides",
    bound: { most: 4 },
    digits: 2,
    measure: (rows) => middle(pick(rows, "loopback", "p2pft").map(cpuPerGigabyte)),
  },
  {
    title: "loopback, 10,000 files of 4 KiB: times the time of one file",
    bound: { most: 2 },
    digits: 2,
    measure: (rows) => ratioOfSmallFiles(rows, "p2pft"),
  },
  {
    title: "100 Mbit/s, 50 ms, 100 MB: share of the line",
    bound: { least: 0.93 },
    digits: 3,
    measure: share("clean"),
  },
  {
    title: "the same with 1 % loss",
    bound: { least: 0.9 },
    digits: 3,
    measure: share("lossy"),
  },
  {
    title: "100 Mbit/s, 200 ms, 2 % loss, jitter, reordering, 200 MB: share of the line",
    bound: { least: 0.8 },
    digits: 3,
    measure: share("long"),
  },
  {
    title: "1 Gbit/s, 20 ms, 0.1 % loss, 500 MB: share of the line",
    bound: { least: 0.85 },
    digits: 3,
    measure: share("fast"),
  },
  {
    title: "5 Mbit/s, 60 ms, deep queue: share of the line",
    bound: { least: 0.9 },
    digits: 3,
    measure: share("deep"),
  },
  {
    title: "5 Mbit/s, 60 ms, deep queue: added delay, ms, median of pings",
    bound: { most: 30 },
    digits: 1,
    measure: (rows) =>
      middle(pick(rows, "deep", "p2pft").map(({ addedDelay }) => addedDelay?.medianMs)),
  },
  {
    title: "100 Mbit/s, 50 ms, 10,000 files of 4 KiB: s",
    bound: { most: 3.8 },
    digits: 2,
    measure: (rows) =>
      middle(pick(rows, "small-shaped", "p2pft").map(({ wallMs }) => wallMs / 1e3)),
  },
  {
    title: "peak memory of either side in any of these, MB",
    bound: { most: 150 },
    digits: 0,
    measure: (rows) => {
      const peaks = rows.filter(({ tool, profile }) =>
        (tool === "p2pft" || tool === "p2pft-base") && profile === undefined
      ).map(peakMegabytes).filter((peak) => peak !== undefined);
      return peaks.length === 0 ? undefined : Math.max(...peaks);
    },
  },
];

/** Whether a measured value is as good as it should be. */
export function isReached({ bound }: Target, value: number): boolean {
  return "least" in bound ? value >= bound.least : value <= bound.most;
}
