/** Raw rows as the pictures of docs/benchmarks.md. Pure. */
import { drawGoodput, type GoodputBar, type GoodputGroup } from "../chart/goodput_chart.ts";
import { drawTimeline } from "../chart/timeline_chart.ts";
import { type BenchCase, CASES, caseTitle } from "./cases.ts";
import type { BenchRow } from "./row.ts";
import { median } from "./statistics.ts";
import { bytesPerSecond, lineBytesPerSecond } from "./targets.ts";
import type { Tool } from "./tool.ts";

/** What a picture must know of a tool. */
export type DrawnTool = Pick<Tool, "name" | "title" | "isCeiling" | "isOurs">;

/** The cases that are drawn, where their rows are there. */
const DRAWN = ["loopback", "small", "clean", "lossy", "long", "fast", "small-shaped"];

/** Goodput by tool and path; undefined when no such case was run. */
export function goodputPicture(
  rows: readonly BenchRow[],
  tools: readonly DrawnTool[],
): string | undefined {
  const groups = CASES.filter(({ name }) => DRAWN.includes(name))
    .map((bench) => goodputGroup(bench, rows, tools)).filter(({ bars }) => bars.length > 0);
  return groups.length === 0 ? undefined : drawGoodput(groups);
}

function goodputGroup(
  bench: BenchCase,
  rows: readonly BenchRow[],
  tools: readonly DrawnTool[],
): GoodputGroup {
  const line = lineBytesPerSecond(bench.name);
  const bars = tools.flatMap(({ name, title, isCeiling, isOurs }): GoodputBar[] => {
    const own = rows.filter((row) => row.case === bench.name && row.tool === name);
    if (own.length === 0) return [];
    const done = own.filter(({ isDone }) => isDone);
    // Without a line there is no common scale: bare TCP would hide all that move files.
    if (line === undefined && isCeiling) return [];
    const isCutOff = done.length === 0;
    const speeds = (isCutOff ? own : done).map(bytesPerSecond)
      .filter((speed) => speed !== undefined);
    // What writes no file does not tell how far it came.
    if (speeds.length === 0) return [];
    const value = median(speeds);
    const note = line === undefined
      ? `${(value / 1e6).toFixed(0)} MB/s`
      : `${(100 * value / line).toFixed(value / line < 0.1 ? 1 : 0)} %`;
    const kind = isCeiling ? "ceiling" : isOurs ? "ours" : "other";
    return [{ label: title, value, note: isCutOff ? `${note}, cut off` : note, kind }];
  });
  const full = line ?? Math.max(...bars.map(({ value }) => value));
  const unit = line === undefined ? "" : " (share of the line)";
  return { title: `${caseTitle(bench)}${unit}`, full, bars };
}

/** One transfer of ours over time: the first over the worst line; undefined when none was watched. */
export function timelinePicture(rows: readonly BenchRow[]): string | undefined {
  const watched = rows.filter(({ tool, timeline }) => tool === "p2pft" && timeline !== undefined);
  const row = watched.find((row) => row.case === "long") ?? watched[0];
  const bench = CASES.find(({ name }) => name === row?.case);
  if (row?.timeline === undefined || bench === undefined) return undefined;
  return drawTimeline(`p2pft over ${bench.path.title}`, row.timeline);
}
