/**
 * Goal: every rule of the specification is obeyed somewhere and proved somewhere, by name.
 * Method: rule ids found in docs/, lib/ and tests/. Needs --allow-read.
 */
import assert from "node:assert/strict";
import { listFiles, readProjectFile } from "./project_files.ts";
import { compareSpecIds, ruleIds } from "./spec_ids.ts";

const SPECIFICATIONS = ["docs/protocol.md", "docs/transfer.md", "docs/lan.md"];

async function texts(files: readonly string[]): Promise<Map<string, string>> {
  return new Map(
    await Promise.all(files.map(async (file) => [file, await readProjectFile(file)] as const)),
  );
}

Deno.test("every rule id of the specification is quoted in lib/ and in tests/, and no other is", async () => {
  const spec = await texts(SPECIFICATIONS);
  assert.ok(ruleIds([...spec.values()].join("\n")).length > 0, "the specification has no rule ids");
  const code = await texts(await listFiles("lib", ".ts"));
  // These tests talk about ids as such.
  const tests = await texts(
    (await listFiles("tests", ".ts")).filter((file) => !file.startsWith("tests/repo/")),
  );
  assert.deepEqual(compareSpecIds(spec, code, tests), {
    notInCode: [],
    notInTests: [],
    unknown: [],
  });
});

Deno.test("ruleIds finds ids and leaves code and links alone", () => {
  const text =
    "**[ACK-3]** A receiver … [NAME-12], again [ACK-3]; see [A link](x), [LENGTH - 1], [a-1], [A-Z0-9].";
  assert.deepEqual(ruleIds(text), ["ACK-3", "NAME-12"]);
});

Deno.test("compareSpecIds lists what nobody quotes and what nobody defined", () => {
  const report = compareSpecIds(
    new Map([["p.md", "[ACK-1] [ACK-2] [ACK-3]"]]),
    new Map([["a.ts", "// [ACK-1] [ACK-2]"], ["b.ts", "// [OLD-9]"]]),
    new Map([["a_test.ts", "// [ACK-1] [ACK-3]"]]),
  );
  assert.deepEqual(report, {
    notInCode: ["ACK-3"],
    notInTests: ["ACK-2"],
    unknown: ["b.ts: OLD-9"],
  });
});
