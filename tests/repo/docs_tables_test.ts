/**
 * Goal: the tables of docs/protocol.md say what the code does.
 * Method: the error table (columns code, wire, exit) against `lib/errors.ts`; the constants tables
 * (columns name, value, unit, reason) against the exports of `lib/protocol/params.ts`, in both
 * directions. Needs --allow-read.
 */
import assert from "node:assert/strict";
import { type ErrorRow, ERRORS } from "../../lib/errors.ts";
import * as params from "../../lib/protocol/params.ts";
import { parseTableNumber, tableRows } from "./markdown_tables.ts";
import { readProjectFile } from "./project_files.ts";

const DOCUMENT = "docs/protocol.md";

Deno.test("the error table of docs/protocol.md equals lib/errors.ts", async () => {
  const rows = tableRows(await readProjectFile(DOCUMENT), ["code", "wire", "exit"]);
  assert.ok(rows.length > 0, `${DOCUMENT} has no table with the columns code, wire, exit`);
  const documented = rows.map((row) => {
    const wire = row.get("wire")!;
    // A dash stands for an error a peer is never told.
    const shown = /^[-–—]?$/.test(wire) ? "none" : wire;
    return `${row.get("code")} wire ${shown} exit ${row.get("exit")}`;
  });
  const coded = Object.entries<ErrorRow>(ERRORS).map(([code, { wire, exit }]) =>
    `${code} wire ${wire ?? "none"} exit ${exit}`
  );
  assert.deepEqual(documented.sort(), coded.sort());
});

/** A constant in the form the table is compared in: numbers as numbers, bytes and text as text. */
function comparable(value: unknown): number | string {
  if (typeof value === "number") return value;
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (Array.isArray(value)) return value.join(", ");
  return String(value);
}

Deno.test("the constants tables of docs/protocol.md equal lib/protocol/params.ts", async () => {
  const rows = tableRows(await readProjectFile(DOCUMENT), ["name", "value", "unit", "reason"]);
  assert.ok(rows.length > 0, `${DOCUMENT} has no table with the columns name, value, unit, reason`);
  const exported = Object.entries(params).filter(([, value]) => typeof value !== "function");
  const documented = new Map(rows.map((row) => [row.get("name")!, row.get("value")!]));
  assert.equal(documented.size, rows.length, "a constant is listed twice");

  const problems: string[] = [];
  for (const [name, value] of exported) {
    const expected = comparable(value);
    const cell = documented.get(name);
    if (cell === undefined) problems.push(`${name} = ${expected} is missing in ${DOCUMENT}`);
    else if ((typeof expected === "number" ? parseTableNumber(cell) : cell) !== expected) {
      problems.push(`${name} is ${expected} in the code and ${cell} in ${DOCUMENT}`);
    }
  }
  for (const name of documented.keys()) {
    if (!(name in params)) problems.push(`${name} is in ${DOCUMENT} and not in the code`);
  }
  for (const row of rows) {
    if (row.get("reason") === "") problems.push(`${row.get("name")} has no reason in ${DOCUMENT}`);
  }
  assert.deepEqual(problems, []);
});

Deno.test("tableRows reads the tables with the wanted columns and no others", () => {
  const markdown = [
    "| Code | Wire | Exit | Meaning |",
    "| --- | ---: | :--- | --- |",
    "| `refused` | 5 | **5** | a \\| b |",
    "",
    "| other | table |",
    "| --- | --- |",
    "| 1 | 2 |",
  ].join("\n");
  const rows = tableRows(markdown, ["code", "wire", "exit"]);
  assert.deepEqual(rows.map((row) => Object.fromEntries(row)), [
    { code: "refused", wire: "5", exit: "5", meaning: "a | b" },
  ]);
});

Deno.test("parseTableNumber reads numbers as people write them", () => {
  const cases: [string, number | undefined][] = [
    ["1200", 1200],
    ["16,384", 16_384],
    ["2^26", 2 ** 26],
    ["2^48 − 1", 2 ** 48 - 1],
    ["9/8", 1.125],
    ["0.5", 0.5],
    ["many", undefined],
    ["", undefined],
  ];
  for (const [cell, value] of cases) assert.equal(parseTableNumber(cell), value, cell);
});
