/** Goal: pictures show what the rows say, stay small, and are well-formed whatever stands in them. */
import assert from "node:assert/strict";
import { drawGoodput } from "../../../bench/chart/goodput_chart.ts";
import { element, escapeText, ticks } from "../../../bench/chart/svg.ts";
import { drawTimeline, parseTimeline } from "../../../bench/chart/timeline_chart.ts";
import { goodputPicture, timelinePicture } from "../../../bench/process/charts.ts";
import { benchRow } from "./_bench_row.ts";

/** The largest picture that a document should carry. */
const MAX_BYTES = 60_000;
const TOOLS = [
  { name: "p2pft", title: "p2pft", isOurs: true },
  { name: "scp", title: "scp" },
  { name: "iperf3", title: "bare TCP", isCeiling: true },
] as const;

/** Fails unless every tag that is opened is closed, in order. */
function assertWellFormed(svg: string): void {
  const open: string[] = [];
  for (const [, end, name, empty] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (end === "/") assert.equal(open.pop(), name);
    else if (empty !== "/") open.push(name!);
  }
  assert.deepEqual(open, []);
}

function barWidths(svg: string): number[] {
  return Array.from(svg.matchAll(/<rect [^>]*width="([\d.]+)"/g), ([, width]) => Number(width));
}

Deno.test("element escapes what stands in it", () => {
  assert.equal(escapeText(`a<b & "c">`), "a&lt;b &amp; &quot;c&quot;&gt;");
  assert.equal(element("a", { href: `"<` }), `<a href="&quot;&lt;"/>`);
  assert.equal(element("a", { x: 1.26 }, "b"), `<a x="1.3">b</a>`);
});

Deno.test("ticks are round and reach the largest value", () => {
  assert.deepEqual(ticks(95, 5), [0, 20, 40, 60, 80, 100]);
  assert.deepEqual(ticks(3, 3), [0, 1, 2, 3]);
  assert.deepEqual(ticks(0, 3), [0, 1]);
  for (const largest of [0.03, 7, 1234]) assert.ok(ticks(largest, 4).at(-1)! >= largest * 0.999);
});

Deno.test("drawGoodput draws bars in proportion, none beyond its room", () => {
  const bar = (value: number) => ({ label: "a & b", value, note: "<1", kind: "other" }) as const;
  const svg = drawGoodput([{ title: "t", full: 100, bars: [bar(25), bar(100), bar(300)] }]);
  assertWellFormed(svg);
  const [quarter, full, more] = barWidths(svg);
  assert.equal(quarter, full! / 4);
  assert.equal(more, full);
  assert.ok(svg.includes("prefers-color-scheme:dark"));
});

Deno.test("goodputPicture shows medians as parts of the line, and what was cut off", () => {
  const svg = goodputPicture([
    ...[8000, 16_000, 10_000].map((wallMs, run) => benchRow("clean", "p2pft", run, { wallMs })),
    benchRow("clean", "scp", 1, { isDone: false, bytesDone: 10_000_000 }),
  ], TOOLS)!;
  const [ours, other] = barWidths(svg);
  assert.equal(ours, other! * 10);
  assert.match(svg, />80 %</);
  assert.match(svg, />8\.0 %, cut off</);
});

Deno.test("goodputPicture measures loopback by the fastest that moves files", () => {
  const svg = goodputPicture([
    benchRow("loopback", "p2pft", 1, { wallMs: 1000 }),
    benchRow("loopback", "scp", 1, { wallMs: 2000 }),
    benchRow("loopback", "iperf3", 1, { wallMs: 10 }),
  ], TOOLS)!;
  const [ours, other, ...rest] = barWidths(svg);
  assert.equal(ours, other! * 2);
  assert.deepEqual(rest, []);
  assert.match(svg, />100 MB\/s</);
});

Deno.test("goodputPicture and timelinePicture are not there without rows", () => {
  assert.equal(goodputPicture([benchRow("memory", "p2pft", 1)], TOOLS), undefined);
  assert.equal(timelinePicture([benchRow("long", "p2pft", 1)]), undefined);
});

Deno.test("drawTimeline stays small however long the transfer is", () => {
  const samples = Array.from({ length: 20_000 }, (_, index) => ({
    tMs: index * 100,
    bytesPerSecond: 1e6 + 1e5 * Math.sin(index),
    rttMs: 50 + index % 7,
    lostPackets: index % 3,
  }));
  const svg = drawTimeline("a <transfer>", samples);
  assertWellFormed(svg);
  assert.ok(svg.length < MAX_BYTES, `${svg.length} bytes`);
  for (const title of ["rate, Mbit/s", "round trip, ms", "packets lost"]) {
    assert.ok(svg.includes(title), title);
  }
});

Deno.test("drawTimeline leaves out the delay where none was measured", () => {
  const svg = drawTimeline("t", [{ tMs: 100, bytesPerSecond: 1e6, lostPackets: 0 }]);
  assertWellFormed(svg);
  assert.ok(!svg.includes("round trip"));
});

Deno.test("parseTimeline reads what simulations write", () => {
  const line = { tMs: 5, goodputBytesPerSecond: 1000, rttMs: 50, queueMs: 1, lostPackets: 2 };
  assert.deepEqual(parseTimeline(`${JSON.stringify(line)}\n\n`), [
    { tMs: 5, bytesPerSecond: 1000, rttMs: 50, lostPackets: 2 },
  ]);
  assert.throws(() => parseTimeline(`{"tMs":1}`), RangeError);
});
