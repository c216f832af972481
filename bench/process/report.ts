/** Raw rows as the tables of docs/benchmarks.md. Pure. */
import { type BenchCase, type BenchRow, CASES } from "./cases.ts";
import { WORK } from "./cpu_profile.ts";

/** Middle of some values; the mean of the two middle ones when their number is even. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The tables for `rows`, as lines of Markdown. */
export function reportLines(rows: readonly BenchRow[]): string[] {
  const lines = transferTable(rows);
  const ratio = ratioOfSmallFiles(rows);
  if (ratio !== undefined) {
    lines.push("", `10,000 files of 4 KiB take ${ratio.toFixed(2)} times as long as one file.`);
  }
  for (const row of rows) if (row.profile !== undefined) lines.push("", ...profileTable(row));
  return lines;
}

function transferTable(rows: readonly BenchRow[]): string[] {
  const table = [[
    "case",
    "runs",
    "time, s",
    "making the files, s",
    "MB/s",
    "share of the link",
    "from connected on",
    "CPU s, sender",
    "CPU s, receiver",
    "peak MB, sender",
    "peak MB, receiver",
    "buffer drops",
  ]];
  // A profiled run is slowed down by being watched: its time says nothing.
  for (const bench of CASES.filter(({ isProfiled }) => !isProfiled)) {
    const own = rows.filter((row) => row.case === bench.name);
    if (own.length > 0) table.push(transferCells(bench, own));
  }
  return markdownTable(table);
}

function transferCells(bench: BenchCase, rows: readonly BenchRow[]): string[] {
  const spread = (value: (row: BenchRow) => number | undefined, digits: number): string => {
    const values = rows.map(value).filter((value) => value !== undefined);
    if (values.length === 0) return "–";
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const middle = median(values).toFixed(digits);
    return values.length === 1
      ? middle
      : `${middle} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
  };
  const { link } = bench;
  const share = (row: BenchRow, ms: number): number | undefined =>
    link === undefined ? undefined : row.bytes / (ms / 1000 * link.bytesPerSecond);
  return [
    bench.title,
    `${rows.length}`,
    spread((row) => row.wallMs / 1000, 2),
    spread((row) => row.makeMs / 1000, 2),
    spread((row) => row.bytes / 1000 / row.wallMs, 1),
    spread((row) => share(row, row.wallMs), 3),
    spread((row) => share(row, row.wallMs - row.connectedAfterMs), 3),
    spread((row) => row.sender?.cpuSeconds, 2),
    spread((row) => row.receiver?.cpuSeconds, 2),
    spread((row) => megabytes(row.sender?.peakBytes), 0),
    spread((row) => megabytes(row.receiver?.peakBytes), 0),
    spread((row) => row.bufferDrops, 0),
  ];
}

function megabytes(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / 1e6;
}

/** Time of many small files over that of one file of the same size. */
export function ratioOfSmallFiles(rows: readonly BenchRow[]): number | undefined {
  const times = (name: string) =>
    rows.filter((row) => row.case === name).map(({ wallMs }) => wallMs);
  const [small, same] = [times("small"), times("same")];
  return small.length === 0 || same.length === 0 ? undefined : median(small) / median(same);
}

/** Where the processor time of a profiled run went. */
function profileTable(row: BenchRow): string[] {
  const { profile, link } = row;
  // Every datagram towards the receiver: that is what carries the file.
  const datagrams = link?.toClients.entered ?? 0;
  const sides = [profile!.sender, profile!.receiver];
  const totals = sides.map((side) => WORK.reduce((sum, work) => sum + side[work], 0));
  const cells = (milliseconds: readonly number[]) =>
    milliseconds.flatMap((ms, index) => [
      `${(ms * 1000 / datagrams).toFixed(2)}`,
      `${(100 * ms / totals[index]!).toFixed(0)} %`,
    ]);
  const processes = [row.sender, row.receiver];
  const others = processes.map((usage, index) =>
    Math.max(0, (usage?.cpuSeconds ?? 0) * 1000 - totals[index]!)
  );
  return [
    ...markdownTable([
      ["work", "sender, µs a datagram", "share", "receiver, µs a datagram", "share"],
      ...WORK.map((work) => [work, ...cells(sides.map((side) => side[work]))]),
      ["JavaScript thread", ...cells(totals)],
      ["other threads, the profiler's too", ...cells(others)],
    ]),
    "",
    `${datagrams} datagrams carried ${row.bytes} bytes; shares are of the JavaScript thread.`,
  ];
}

/** A table whose columns are aligned in the text too. */
function markdownTable(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${
      cells.map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
      ).join(" | ")
    } |`;
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [line(rows[0]!), line(rule), ...rows.slice(1).map(line)];
}
