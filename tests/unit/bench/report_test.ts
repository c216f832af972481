/** Goal: the tables say what the rows say. */
import assert from "node:assert/strict";
import { reportLines } from "../../../bench/process/report.ts";
import { benchRow } from "./_bench_row.ts";

const TOOLS = [{ name: "p2pft", title: "Ours" }, { name: "scp", title: "Another" }];

/** The cells of the row of one tool, by the heads of their columns. */
function cellsOf(lines: readonly string[], tool: string): Map<string, string> {
  const cells = (line: string) => line.split("|").map((cell) => cell.trim()).slice(1, -1);
  const head = lines.find((line) => line.startsWith("| tool"))!;
  const row = cells(lines.find((line) => line.startsWith(`| ${tool}`))!);
  return new Map(cells(head).map((name, column) => [name, row[column]!]));
}

Deno.test("reportLines gives median and spread, and the share of the line", () => {
  const rows = [8000, 10_000, 16_000].map((wallMs, index) =>
    benchRow("clean", "p2pft", index + 1, { wallMs })
  );
  const cells = cellsOf(reportLines(rows, TOOLS), "Ours");
  assert.equal(cells.get("runs"), "3");
  assert.equal(cells.get("time, s"), "10.00 (8.00–16.00)");
  assert.equal(cells.get("MB/s"), "10.0 (6.3–12.5)");
  assert.equal(cells.get("share of the line"), "0.800 (0.500–1.000)");
});

Deno.test("reportLines counts the processor time of both sides, and each one's memory", () => {
  const sender = { cpuSeconds: 0.1, peakBytes: 50e6 };
  const receiver = { cpuSeconds: 0.2, peakBytes: 70e6 };
  const link = { carriedBytes: 1, lost: 0, queueDrops: 0, cpuSeconds: 0.7 };
  const lines = reportLines(
    [benchRow("clean", "p2pft", 1, { sender, receiver, link, wallMs: 10_000 })],
    TOOLS,
  );
  const cells = cellsOf(lines, "Ours");
  assert.equal(cells.get("CPU s/GB, both sides"), "3.00");
  assert.equal(cells.get("peak MB, sender"), "50");
  assert.equal(cells.get("peak MB, receiver"), "70");
  assert.equal(cells.get("cores busy"), "0.10");
  assert.ok(lines.includes("Of the busy cores the emulator of the line took 0.07."));
});

Deno.test("reportLines bounds what was cut off from above, by what had arrived", () => {
  const cut = { isDone: false, wallMs: 20_000, bytesDone: 9_000_000 };
  const cells = cellsOf(reportLines([benchRow("lossy", "scp", 1, cut)], TOOLS), "Another");
  assert.equal(cells.get("runs"), "0 of 1");
  assert.equal(cells.get("time, s"), "not done in 20");
  assert.equal(cells.get("MB/s"), "< 0.5");
  assert.equal(cells.get("share of the line"), "< 0.04");
});

Deno.test("reportLines leaves out what was not measured", () => {
  const lines = reportLines([benchRow("loopback", "scp", 1)], TOOLS);
  const cells = cellsOf(lines, "Another");
  assert.equal(cells.get("CPU s/GB, both sides"), "–");
  assert.ok(!cells.has("share of the line") && !cells.has("buffer drops"));
  assert.ok(!lines.some((line) => line.startsWith("| Ours") || line.includes("aim")));
});

Deno.test("reportLines says which aims are reached", () => {
  const lines = reportLines([
    benchRow("clean", "p2pft", 1, { wallMs: 8500 }),
    benchRow("lossy", "p2pft", 1, { wallMs: 8900 }),
  ], TOOLS);
  const aims = lines.filter((line) => /≥|≤/.test(line))
    .map((line) => line.split("|").map((cell) => cell.trim()).slice(2, 5));
  assert.deepEqual(aims, [["≥ 0.93", "0.941", "yes"], ["≥ 0.9", "0.899", "**no**"]]);
});
