/**
 * Goal: docs/cli.md lists the options of each command that its help lists, in the same order.
 * Method: the tables with the columns option and meaning, by the heading they stand under, against
 * the text of `--help`. Needs --allow-read.
 */
import assert from "node:assert/strict";
import { parseArguments } from "../../lib/cli/arguments.ts";
import { tableRows } from "./markdown_tables.ts";
import { readProjectFile } from "./project_files.ts";

const OF_SOURCES = "### Options of `send` and `share`\n";
const OF_MANY = "### Options of `share` and `wait`\n";
const OF_SHARING = "### Options of `send`, `share` and `wait`\n";
const OF_TRANSFERS = "### Options of `send`, `share`, `wait` and `receive`\n";
const OF_THE_NETWORK = "### Options of `send`, `share`, `wait`, `receive` and `doctor`\n";

/** Where the options of a command stand, in the order of its help. */
const SECTIONS: readonly (readonly [string, readonly string[]])[] = [
  ["send", ["### `send", OF_SOURCES, OF_SHARING, OF_TRANSFERS, OF_THE_NETWORK]],
  ["share", [OF_SOURCES, OF_MANY, OF_SHARING, OF_TRANSFERS, OF_THE_NETWORK]],
  ["wait", [OF_MANY, OF_SHARING, OF_TRANSFERS, OF_THE_NETWORK]],
  ["receive", ["### `receive", OF_TRANSFERS, OF_THE_NETWORK]],
  ["doctor", [OF_THE_NETWORK]],
  ["peers", ["### `peers`"]],
];

const EVERYWHERE = "### Options of every command";

/** Long names of the options in the help of a command, those of every command apart. */
function helpOptions(command: string): { own: string[]; everywhere: string[] } {
  const parsed = parseArguments([command, "--help"], { version: "0", columns: 80 });
  assert.ok(parsed.command === "text");
  const [own, everywhere] = parsed.text.split("Global Options:");
  const names = (text: string) =>
    Array.from(text.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm), ([, name]) => name!);
  return { own: names(own!).filter((name) => name !== "--help"), everywhere: names(everywhere!) };
}

/** Long names of the options in the tables below a heading, up to the next of its rank. */
function documentedOptions(document: string, heading: string): string[] {
  const begin = document.indexOf(`\n${heading}`);
  assert.ok(begin >= 0, `docs/cli.md has no heading ${heading}`);
  const [section] = document.slice(begin + 1).split(/\n#{2,3} /);
  return tableRows(section!, ["option", "meaning"]).map((row) =>
    /--[a-z-]+/.exec(row.get("option")!)![0]
  );
}

Deno.test("docs/cli.md lists the options of every command as its help does", async () => {
  const document = await readProjectFile("docs/cli.md");
  for (const [command, headings] of SECTIONS) {
    const documented = headings.flatMap((heading) => documentedOptions(document, heading));
    assert.deepEqual(documented, helpOptions(command).own, command);
  }
  const common = documentedOptions(document, EVERYWHERE).sort();
  assert.deepEqual(common, ["--help", ...helpOptions("send").everywhere].sort());
});
