/** The tables of docs/nat.md, from what was measured. */
import { DESCRIBED_KINDS, type MatrixCase } from "../../tests/support/nat_matrix.ts";
import { NAT_KINDS } from "../../tests/support/nat_kinds.ts";
import { type NatTally, percent } from "../../tests/support/nat_tally.ts";
import { renderParagraph, renderTable } from "../document_section.ts";

/** The section between the markers of docs/nat.md. */
export function renderMatrix(tallies: readonly NatTally[], seeds: number): string {
  const find = (wanted: (matrixCase: MatrixCase) => boolean): NatTally =>
    tallies.find(({ matrixCase }) => wanted(matrixCase))!;
  const kinds = renderTable(
    ["Network", "What it is"],
    DESCRIBED_KINDS.map(({ name, behaviour }) => [name, behaviour]),
  );
  const plain = renderTable(
    ["Sharer ↓, client →", ...NAT_KINDS.map(({ name }) => name)],
    NAT_KINDS.map((sharer) => [
      sharer.name,
      ...NAT_KINDS.map((client) =>
        cell(
          find(({ condition, ...pair }) =>
            condition === "" && pair.sharer === sharer.name && pair.client === client.name
          ),
        )
      ),
    ]),
  );
  const special = renderTable(
    ["Sharer", "Client", "Condition", "Path", "p50 / p95, s", "Joined", "Spray probes"],
    tallies.filter(({ matrixCase }) => !isPlain(matrixCase)).map((tally) => {
      const { sharer, client, condition, expected } = tally.matrixCase;
      const { path } = expected;
      const cells = [sharer, client, condition, path === "none" ? "–" : path];
      return [...cells, times(tally), percent(tally.successes / tally.tries), `${tally.sprayed}`];
    }),
  );
  const intro =
    `${seeds.toLocaleString("en")} tries of each pair in virtual time, 80 ms there and ` +
    "back, the paste 0.5 to 45 s after the reply code; `deno task bench:nat --write` writes this. " +
    "A cell names the path, p50 / p95 in seconds from the paste to the first answer (direct: from " +
    "the client's first datagram), and the share of tries that met in time unless it is all: 5 s, " +
    "30 s where only the client can try ports.";
  return [renderParagraph(intro), kinds, plain, special].join("\n\n");
}

function isPlain({ sharer, client, condition }: MatrixCase): boolean {
  const isKind = (name: string): boolean => NAT_KINDS.some((kind) => kind.name === name);
  return condition === "" && isKind(sharer) && isKind(client);
}

/** Path, times, and the rate unless it is all. */
function cell(tally: NatTally): string {
  const { path } = tally.matrixCase.expected;
  if (path === "none") return "–";
  const rate = tally.successes / tally.tries;
  return `${path} ${times(tally)}${rate === 1 ? "" : `, ${percent(rate)}`}`;
}

function times(tally: NatTally): string {
  const [p50, p95] = [tally.percentileMs(50), tally.percentileMs(95)];
  return p50 === undefined || p95 === undefined ? "–" : `${short(p50)} / ${short(p95)}`;
}

/** Seconds with two digits that count. */
function short(ms: number): string {
  return ms < 10 ? "0.00" : `${Number((ms / 1000).toPrecision(2))}`;
}
