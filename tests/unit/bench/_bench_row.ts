/** Rows of measurements for tests. */
import type { BenchRow } from "../../../bench/process/row.ts";

/** 100 MB in ten seconds, unless `parts` says otherwise. */
export function benchRow(
  caseName: string,
  tool: string,
  run: number,
  parts: Partial<BenchRow> = {},
): BenchRow {
  return {
    case: caseName,
    tool,
    run,
    at: "2026-01-01T00:00:00.000Z",
    bytes: 100_000_000,
    isDone: true,
    wallMs: 10_000,
    ...parts,
  };
}
