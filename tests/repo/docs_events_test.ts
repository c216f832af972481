/**
 * Goal: the table of JSON events in docs/cli.md names every event and every field there is.
 * Method: the interfaces of `lib/events.ts` and `lib/cli/lan_events.ts`, read as text, against the
 * rows of the table (columns event, side, fields), in both directions. Needs --allow-read.
 */
import assert from "node:assert/strict";
import { tableRows } from "./markdown_tables.ts";
import { readProjectFile } from "./project_files.ts";

const DOCUMENT = "docs/cli.md";
const SOURCES = ["lib/events.ts", "lib/cli/lan_events.ts"];
/** Whose last words are reports with an interface of their own. */
const REPORTING_COMMANDS = /^(?:doctor|peers )/;

/** The body of every interface of `source`, with that of what it extends, by its name. */
function interfaces(source: string): Map<string, string> {
  const found = new Map<string, string>();
  const pattern = /^export interface (\w+)(?: extends (?:Partial<)?(\w+)>?)? \{\n(.*?)^\}/gms;
  for (const [, name, base, body] of source.matchAll(pattern)) {
    found.set(name!, `${base === undefined ? "" : found.get(base)}${body}`);
  }
  return found;
}

function fieldsOf(body: string): string[] {
  const fields = Array.from(body.matchAll(/^ {2}readonly (\w+)\??:/gm), ([, field]) => field!);
  return fields.filter((field) => field !== "event");
}

Deno.test("the table of events in docs/cli.md names all that there are, and nothing else", async () => {
  const files = await Promise.all(SOURCES.map(readProjectFile));
  const source = files.join("\n");
  const rows = tableRows(await readProjectFile(DOCUMENT), ["event", "side", "fields"])
    .filter((row) => !REPORTING_COMMANDS.test(row.get("side")!));
  const documented = new Map(rows.map((row) => [row.get("event")!, row.get("fields")!]));
  assert.equal(documented.size, rows.length, "an event is listed twice");

  const problems: string[] = [];
  for (const body of interfaces(source).values()) {
    const name = /readonly event: "([a-z-]+)"/.exec(body)?.[1];
    if (name === undefined) continue;
    const cell = documented.get(name);
    documented.delete(name);
    if (cell === undefined) {
      problems.push(`${name} is missing`);
      continue;
    }
    // The backticks around a whole cell, and at its ends, are gone.
    const words = Array.from(
      cell.matchAll(/`([A-Za-z]+)(?:`|$)|^([A-Za-z]+)(?:`|$)/g),
      (match) => (match[1] ?? match[2])!,
    );
    for (const field of fieldsOf(body)) {
      if (!words.includes(field)) problems.push(`${name} has no ${field}`);
    }
    for (const word of words) {
      if (!new RegExp(`\\b${word}\\b`).test(source)) problems.push(`${name}: ${word} is not known`);
    }
  }
  for (const name of documented.keys()) problems.push(`${name} is no event`);
  assert.deepEqual(problems, []);
});

Deno.test("fields are read from interfaces, those of what they extend too", () => {
  const found = interfaces(
    `export interface Base {\n  readonly one: 1;\n}\n` +
      `export interface AnEvent extends Partial<Base> {\n  readonly event: "a";\n  readonly two?: {\n    x: 1;\n  };\n}\n`,
  );
  assert.deepEqual(fieldsOf(found.get("AnEvent")!), ["one", "two"]);
});
