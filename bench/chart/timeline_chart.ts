/** One transfer over time, as three curves under each other: rate, delay and loss. Pure. */
import { element, picture, round, text, ticks } from "./svg.ts";

/** What was seen at one moment. */
export interface TimelineSample {
  /** Since the start, ms. */
  readonly tMs: number;
  /** Since the sample before. */
  readonly bytesPerSecond: number;
  /** A round trip at that time, where one was measured. */
  readonly rttMs?: number;
  /** Packets lost since the sample before. */
  readonly lostPackets: number;
}

/**
 * Reads samples as simulations write them: lines of JSON with `tMs`, `goodputBytesPerSecond`,
 * `rttMs` and `lostPackets`.
 */
export function parseTimeline(lines: string): TimelineSample[] {
  return lines.split("\n").filter((line) => line.trim() !== "").map((line) => {
    const { tMs, goodputBytesPerSecond, rttMs, lostPackets } = JSON.parse(line);
    if (!Number.isFinite(tMs) || !Number.isFinite(goodputBytesPerSecond)) {
      throw new RangeError(`Cannot read a sample: ${line}`);
    }
    return {
      tMs,
      bytesPerSecond: goodputBytesPerSecond,
      ...(Number.isFinite(rttMs) ? { rttMs } : {}),
      lostPackets: lostPackets ?? 0,
    };
  });
}

const WIDTH = 760;
const LEFT = 60;
const PLOT_WIDTH = WIDTH - LEFT - 30;
const PLOT_HEIGHT = 90;
const PANEL_HEIGHT = PLOT_HEIGHT + 42;
/** So many points at most make a curve; a pixel holds no more. */
const MAX_POINTS = 400;

interface Panel {
  readonly title: string;
  readonly values: readonly (number | undefined)[];
  readonly isCurve: boolean;
}

/** Draws it. */
export function drawTimeline(title: string, samples: readonly TimelineSample[]): string {
  const shown = thin(samples);
  const panels: Panel[] = [
    {
      title: "rate, Mbit/s",
      values: shown.map(({ bytesPerSecond }) => bytesPerSecond * 8 / 1e6),
      isCurve: true,
    },
    { title: "round trip, ms", values: shown.map(({ rttMs }) => rttMs), isCurve: true },
    {
      title: "packets lost",
      values: shown.map(({ lostPackets }) => lostPackets),
      isCurve: false,
    },
  ];
  const times = ticks((shown.at(-1)?.tMs ?? 0) / 1000, 8);
  const xOf = (ms: number) => LEFT + ms / 1000 / times.at(-1)! * PLOT_WIDTH;
  const parts = [text(4, 16, title, "start", "title")];
  const drawn = panels.filter(({ values }) => values.some((value) => value !== undefined));
  for (const [index, panel] of drawn.entries()) {
    parts.push(...drawPanel(panel, 24 + index * PANEL_HEIGHT, shown, xOf));
  }
  const bottom = 24 + drawn.length * PANEL_HEIGHT;
  for (const seconds of times) {
    parts.push(text(xOf(seconds * 1000), bottom, `${round(seconds)} s`, "middle", "quiet"));
  }
  return picture(WIDTH, bottom + 10, title, parts);
}

function drawPanel(
  { title, values, isCurve }: Panel,
  top: number,
  samples: readonly TimelineSample[],
  xOf: (ms: number) => number,
): string[] {
  const marks = ticks(Math.max(0, ...values.map((value) => value ?? 0)), 3);
  const base = top + 22 + PLOT_HEIGHT;
  const yOf = (value: number) => base - value / marks.at(-1)! * PLOT_HEIGHT;
  const parts = [text(LEFT, top + 14, title)];
  for (const mark of marks) {
    const y = yOf(mark);
    parts.push(element("line", { x1: LEFT, x2: LEFT + PLOT_WIDTH, y1: y, y2: y, class: "grid" }));
    parts.push(text(LEFT - 8, y + 4, `${Math.round(mark * 100) / 100}`, "end", "quiet"));
  }
  const points = values.flatMap((value, index) =>
    value === undefined ? [] : [{ x: xOf(samples[index]!.tMs), y: yOf(value) }]
  );
  if (isCurve) {
    const path = points.map(({ x, y }) => `${round(x)},${round(y)}`).join(" ");
    parts.push(element("polyline", { points: path, class: "line" }));
  } else {
    const path = points.filter(({ y }) => y < base)
      .map(({ x, y }) => `M${round(x)} ${round(base)}V${round(y)}`).join("");
    if (path !== "") parts.push(element("path", { d: path, class: "loss" }));
  }
  return parts;
}

/** Neighbours as one: rates are averaged over their time, losses added up. */
function thin(samples: readonly TimelineSample[]): TimelineSample[] {
  const size = Math.ceil(samples.length / MAX_POINTS);
  if (size <= 1) return [...samples];
  const result: TimelineSample[] = [];
  let beforeMs = 0;
  for (let at = 0; at < samples.length; at += size) {
    const group = samples.slice(at, at + size);
    let [bytes, lostPackets] = [0, 0];
    const startMs = beforeMs;
    for (const sample of group) {
      bytes += sample.bytesPerSecond * (sample.tMs - beforeMs);
      lostPackets += sample.lostPackets;
      beforeMs = sample.tMs;
    }
    const last = group.at(-1)!;
    const trip = group.findLast(({ rttMs }) => rttMs !== undefined)?.rttMs;
    result.push({
      tMs: last.tMs,
      bytesPerSecond: beforeMs === startMs ? last.bytesPerSecond : bytes / (beforeMs - startMs),
      ...(trip === undefined ? {} : { rttMs: trip }),
      lostPackets,
    });
  }
  return result;
}
