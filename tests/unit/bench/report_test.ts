/** Goal: the tables say what the rows say. */
import assert from "node:assert/strict";
import type { BenchRow } from "../../../bench/process/cases.ts";
import { median, ratioOfSmallFiles, reportLines } from "../../../bench/process/report.ts";

function row(name: string, run: number, parts: Partial<BenchRow> = {}): BenchRow {
  const at = "2026-01-01T00:00:00.000Z";
  const times = { makeMs: 500, wallMs: 10_000, connectedAfterMs: 0 };
  return { case: name, run, at, bytes: 100_000_000, ...times, ...parts };
}

Deno.test("median is the middle value, or the mean of the two", () => {
  assert.equal(median([3]), 3);
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

Deno.test("reportLines gives median and spread, and the share of the link", () => {
  const rows = [8000, 10_000, 16_000].map((wallMs, index) =>
    row("shaped", index + 1, { wallMs, connectedAfterMs: 2000 })
  );
  const line = reportLines(rows)[2]!;
  const cells = line.split("|").map((cell) => cell.trim());
  assert.deepEqual(cells.slice(2, 8), [
    "3",
    "10.00 (8.00–16.00)",
    "0.50 (0.50–0.50)",
    "10.0 (6.3–12.5)",
    "0.800 (0.500–1.000)",
    "1.000 (0.571–1.333)",
  ]);
});

Deno.test("reportLines leaves out what was not measured", () => {
  const [head, , line, ...rest] = reportLines([row("loopback", 1)]);
  assert.equal(head!.length, line!.length);
  assert.match(line!, /\| +– \| +– \|/);
  assert.deepEqual(rest, []);
});

Deno.test("ratioOfSmallFiles compares medians", () => {
  assert.equal(ratioOfSmallFiles([row("small", 1)]), undefined);
  const rows = [row("small", 1, { wallMs: 3000 }), row("same", 1, { wallMs: 1000 })];
  assert.equal(ratioOfSmallFiles(rows), 3);
});
