/** Faults at every call of a disk: how many calls, faults and disks were looked at. */
import { CRASH_SURVEYS } from "../../tests/support/crash_surveys.ts";
import { renderTable } from "../document_section.ts";
import { formatCount, type Section } from "./section.ts";

/**
 * Visits all of them.
 *
 * @param disks How many disks chance leaves after each power cut.
 */
export async function measureCrashes(disks: number): Promise<Section> {
  const sum = { points: 0, faults: 0, survivors: 0 };
  const rows: string[][] = [];
  for (const { name, run } of CRASH_SURVEYS) {
    const tally = await run(() => disks);
    for (const key of ["points", "faults", "survivors"] as const) sum[key] += tally[key];
    rows.push([name, ...[tally.points, tally.faults, tally.survivors].map(formatCount)]);
  }
  rows.push(["all", ...[sum.points, sum.faults, sum.survivors].map(formatCount)]);
  const headings = ["claim", "calls visited", "faults", "disks looked at"];
  return { text: renderTable(headings, rows), problems: [] };
}
