/** Real processes that are killed at random moments. */
import { runKillSeries } from "../../tests/support/kill_series.ts";
import { renderParagraph, renderTable } from "../document_section.ts";
import { formatBytes, formatCount, type Section } from "./section.ts";

/** Kills. @throws {Error} When a transfer does not end as it should; names seed and moment. */
export async function measureKills(kills: number, seed: number): Promise<Section> {
  const series = await runKillSeries(kills, seed);
  const { survived, tooLate, arrivedBytes, resentBytes, resentBytesEach, totalBytes } = series;
  const figures = renderTable(["killed", "times"], [
    ["receiver", formatCount(survived.receiver)],
    ["sender, and Ctrl-C for the receiver", formatCount(survived.sender)],
    ["both", formatCount(survived.both)],
    ["too late: it was done", formatCount(tooLate)],
  ]);
  const words = renderParagraph(
    `Each transfer of ${
      formatBytes(totalBytes)
    } was completed by the same command, with the right ` +
      `files and nothing left beside them. Of ${
        formatBytes(arrivedBytes)
      } that had arrived before ` +
      `the kills ${formatBytes(resentBytes)} were moved again; of one transfer at most ` +
      `${formatBytes(resentBytesEach[0] ?? 0)}.`,
  );
  return { text: `${figures}\n\n${words}`, problems: [] };
}
