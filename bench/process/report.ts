/** Raw rows as the tables of docs/benchmarks.md. Pure. */
import { type BenchCase, CASES, caseTitle } from "./cases.ts";
import { WORK } from "./cpu_profile.ts";
import type { BenchRow } from "./row.ts";
import { median, spread } from "./statistics.ts";
import {
  busyCores,
  cpuPerGigabyte,
  isReached,
  megabytesPerSecond,
  shareOfLine,
  TARGETS,
} from "./targets.ts";

/** What a report must know of a tool. */
export interface ReportedTool {
  readonly name: string;
  readonly title: string;
}

/** The tables for `rows`, as lines of Markdown. */
export function reportLines(
  rows: readonly BenchRow[],
  tools: readonly ReportedTool[],
): string[] {
  const lines = targetLines(rows);
  for (const bench of CASES.filter(({ isProfiled }) => !isProfiled)) {
    const own = rows.filter((row) => row.case === bench.name);
    if (own.length === 0) continue;
    lines.push("", `### ${capitalized(caseTitle(bench))}`, "");
    lines.push(...caseTable(bench, own, tools));
    const link = linkSentence(own);
    if (link !== undefined) lines.push("", link);
  }
  for (const row of rows) if (row.profile !== undefined) lines.push("", ...profileLines(row));
  return lines;
}

function capitalized(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}

function targetLines(rows: readonly BenchRow[]): string[] {
  const table = TARGETS.flatMap((target) => {
    const value = target.measure(rows);
    if (value === undefined) return [];
    const { bound, title, digits } = target;
    const words = "least" in bound ? `≥ ${bound.least}` : `≤ ${bound.most}`;
    return [[title, words, value.toFixed(digits), isReached(target, value) ? "yes" : "**no**"]];
  });
  if (table.length === 0) return [];
  return markdownTable([["what", "aim", "measured", "reached"], ...table]);
}

function caseTable(
  { path, isPinged }: BenchCase,
  rows: readonly BenchRow[],
  tools: readonly ReportedTool[],
): string[] {
  const isShaped = path.shape !== undefined;
  const hasDelay = isPinged && rows.some(({ addedDelay }) => addedDelay !== undefined);
  const hasLink = rows.some(({ link }) => link !== undefined);
  const hasDrops = rows.some(({ bufferDrops }) => bufferDrops !== undefined);
  const table = [[
    "tool",
    "runs",
    "time, s",
    "MB/s",
    ...(isShaped ? ["share of the line"] : []),
    ...(hasDelay ? ["added delay, ms (p95)"] : []),
    "CPU s/GB, both sides",
    "peak MB, sender",
    "peak MB, receiver",
    ...(hasLink ? ["cores busy"] : []),
    ...(hasDrops ? ["buffer drops"] : []),
  ]];
  const named = tools.map(({ name, title }) => ({
    title,
    own: rows.filter(({ tool }) => tool === name),
  }));
  for (const { title, own } of named) {
    if (own.length === 0) continue;
    const done = own.filter(({ isDone }) => isDone);
    const delays = own.flatMap(({ addedDelay }) => addedDelay ?? []);
    table.push([
      title,
      done.length === own.length ? `${own.length}` : `${done.length} of ${own.length}`,
      done.length === 0 ? unfinished(own) : column(done, ({ wallMs }) => wallMs / 1000, 2),
      done.length === 0
        ? below(own.map(megabytesPerSecond), 1)
        : column(done, megabytesPerSecond, 1),
      ...(isShaped
        ? [
          done.length === 0 ? below(own.map(shareOfLine), 2) : column(done, shareOfLine, 3),
        ]
        : []),
      ...(hasDelay
        ? [
          delays.length === 0
            ? "–"
            : `${median(delays.map(({ medianMs }) => medianMs)).toFixed(0)} (${
              median(delays.map(({ p95Ms }) => p95Ms)).toFixed(0)
            })`,
        ]
        : []),
      column(done, cpuPerGigabyte, 2),
      column(own, ({ sender }) => sender && sender.peakBytes / 1e6, 0),
      column(own, ({ receiver }) => receiver && receiver.peakBytes / 1e6, 0),
      ...(hasLink ? [column(own, busyCores, 2)] : []),
      ...(hasDrops ? [column(own, ({ bufferDrops }) => bufferDrops, 0)] : []),
    ]);
  }
  return markdownTable(table);
}

function column(
  rows: readonly BenchRow[],
  value: (row: BenchRow) => number | undefined,
  digits: number,
): string {
  return spread(rows.map(value).filter((value) => value !== undefined), digits);
}

function unfinished(rows: readonly BenchRow[]): string {
  return `not done in ${(median(rows.map(({ wallMs }) => wallMs)) / 1000).toFixed(0)}`;
}

/** An upper bound for what was cut off, by what had arrived until then; rounded up. */
function below(values: readonly (number | undefined)[], digits: number): string {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return "–";
  const scale = 10 ** digits;
  return `< ${((Math.floor(Math.max(...known) * scale) + 1) / scale).toFixed(digits)}`;
}

/** What the emulator itself took of the processors. */
function linkSentence(rows: readonly BenchRow[]): string | undefined {
  const shares = rows.flatMap(({ link, wallMs }) =>
    link === undefined ? [] : link.cpuSeconds / (wallMs / 1000)
  );
  if (shares.length === 0) return undefined;
  return `Of the busy cores the emulator of the line took ${spread(shares, 2)}.`;
}

/** Where the processor time of a profiled run went. */
function profileLines(row: BenchRow): string[] {
  const { profile, sender, receiver } = row;
  const { datagrams } = profile!;
  const sides = [profile!.sender, profile!.receiver];
  const totals = sides.map((side) => WORK.reduce((sum, work) => sum + side[work], 0));
  const cells = (milliseconds: readonly number[]) =>
    milliseconds.flatMap((ms, index) => [
      `${(ms * 1000 / datagrams).toFixed(2)}`,
      `${(100 * ms / totals[index]!).toFixed(0)} %`,
    ]);
  const others = [sender, receiver].map((usage, index) =>
    Math.max(0, (usage?.cpuSeconds ?? 0) * 1000 - totals[index]!)
  );
  return [
    "### Where the time of our program goes",
    "",
    ...markdownTable([
      ["work", "sender, µs a datagram", "share", "receiver, µs a datagram", "share"],
      ...WORK.map((work) => [work, ...cells(sides.map((side) => side[work]))]),
      ["JavaScript thread", ...cells(totals)],
      ["other threads, the profiler's too", ...cells(others)],
    ]),
    "",
    `${datagrams} datagrams carried ${row.bytes} bytes without FFI; shares are of the JavaScript ` +
    "thread.",
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
