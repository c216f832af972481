/**
 * Goal: nothing large is loaded by a run that does not need it: each run waits for what is loaded.
 * Method: what is imported statically, from what every run of the commands loads. Needs --allow-read,
 * --allow-write (a temporary file) and --allow-run.
 */
import assert from "node:assert/strict";
import { type Import, readImports } from "./module_graph.ts";

/** What `send` and `receive` load; `program.ts` and the rest are loaded by name. */
const LOADED_TO_TRANSFER = [
  "cli.ts",
  "lib/cli/program.ts",
  "lib/cli/receive_command.ts",
  "lib/cli/share_command.ts",
  "lib/receive.ts",
  "lib/share.ts",
];

/**
 * Packages, of which those that are not ES modules take longest, for what few runs do. Of noble the
 * cipher is small, and our own ChaCha20 block is held against it at every start.
 */
const LOADED_WHEN_NEEDED =
  /^npm:\/?(?:unhomoglyph|ignore|dns-packet|fast-xml-parser|qr|@noble\/(?:curves|hashes))@/;

/** All that is loaded together with `roots`. */
function loadedWith(roots: readonly string[], imports: readonly Import[]): Set<string> {
  const loaded = new Set(roots);
  // A set is gone through to the end while it grows.
  for (const from of loaded) {
    for (const found of imports) {
      if (found.from === from && found.isStatic) loaded.add(found.to);
    }
  }
  return loaded;
}

Deno.test("a transfer without options loads no package for what it does not do", async () => {
  const imports = await readImports(["cli.ts", "lib"]);
  const loaded = loadedWith(LOADED_TO_TRANSFER, imports);
  assert.ok(loaded.has("lib/protocol/connection.ts"), "the graph is cut: the method is broken");
  assert.deepEqual([...loaded].filter((module) => LOADED_WHEN_NEEDED.test(module)), []);
  for (const name of ["unhomoglyph", "@noble/curves"]) {
    assert.ok(imports.some(({ to }) => to.includes(name)), `${name} is not imported at all`);
  }
});

Deno.test("the version loads none of the commands and nothing of the network", async () => {
  const imports = await readImports(["cli.ts", "lib"]);
  const loaded = [...loadedWith(["cli.ts", "lib/cli/program.ts"], imports)];
  const needless = /^lib\/(?:cli\/\w+_command\.ts|(?:sharing|receiving|session|traversal)\/)/;
  assert.deepEqual(loaded.filter((module) => needless.test(module)), []);
});
