/**
 * Goal: docs/nat.md says what the code does.
 * Method: its table of limits against `lib/nat/punch/limits.ts`, its table of pairs against
 * `planPunch`, and the paths of the measured matrix against what `tests/sim/nat_matrix_test.ts`
 * expects. Needs --allow-read.
 */
import assert from "node:assert/strict";
import * as limits from "../../lib/nat/punch/limits.ts";
import { planPunch, punchKind } from "../../lib/nat/punch/plan.ts";
import { MAPPING_CLASSES } from "../../lib/nat/mapping_class.ts";
import { NAT_KINDS } from "../support/nat_kinds.ts";
import { MATRIX } from "../support/nat_matrix.ts";
import { parseTableNumber, tableRows } from "./markdown_tables.ts";
import { readProjectFile } from "./project_files.ts";

const DOCUMENT = await readProjectFile("docs/nat.md");
const CORNER = "sharer ↓, client →";

Deno.test("the limits of docs/nat.md equal lib/nat/punch/limits.ts", () => {
  const rows = tableRows(DOCUMENT, ["name", "value", "unit", "meaning"]);
  const documented = rows.map((row) => [row.get("name"), parseTableNumber(row.get("value")!)]);
  assert.deepEqual(Object.fromEntries(documented), { ...limits });
});

Deno.test("the pairs of docs/nat.md are joined as planPunch says", () => {
  const names = {
    fixed: "fixed",
    address: "address-dependent",
    stepping: "stepping",
    random: "random",
  };
  const rows = tableRows(DOCUMENT, [CORNER, ...Object.values(names)]);
  assert.equal(rows.length, 4);
  for (const sharer of MAPPING_CLASSES) {
    const row = rows.find((row) => row.get(CORNER) === names[punchKind(sharer)])!;
    for (const client of MAPPING_CLASSES) {
      const { method, opens, lockstep } = planPunch(sharer, client);
      const told = [
        method === "impossible" ? "–" : method,
        ...(opens === undefined ? [] : [`${opens} opens`]),
        ...(lockstep ? ["in step"] : []),
      ];
      assert.equal(row.get(names[punchKind(client)]), told.join(", "), `${sharer}, ${client}`);
    }
  }
});

Deno.test("the measured matrix of docs/nat.md has every pair, with the path that is expected", () => {
  const rows = tableRows(DOCUMENT, [CORNER, ...NAT_KINDS.map(({ name }) => name.toLowerCase())]);
  assert.equal(rows.length, NAT_KINDS.length);
  for (const { sharer, client, expected } of MATRIX) {
    const cell = rows.find((row) => row.get(CORNER) === sharer)!.get(client)!;
    const path = expected.path === "none" ? "–" : expected.path;
    assert.equal(cell.split(" ")[0], path, `${sharer}, ${client}`);
  }
});
