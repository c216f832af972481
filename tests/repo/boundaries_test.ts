/**
 * Goal: the layers stay layers, and the pure folders pure.
 * Method: every import of the sources, read from Deno's own graph, against the table in
 * `boundaries.ts`; the table itself against imports it must refuse. Needs --allow-read, --allow-write
 * (a temporary file) and --allow-run.
 */
import assert from "node:assert/strict";
import { importProblem } from "./boundaries.ts";
import { PURE_FOLDERS } from "./lint_plugin.ts";
import { readImports } from "./module_graph.ts";
import { listFiles, readProjectFile } from "./project_files.ts";

Deno.test("every import of the sources goes down the layers", async () => {
  const imports = await readImports(["cli.ts", "mod.ts", "lib"]);
  assert.ok(imports.length > 50, "the graph is empty: the method is broken");
  const problems = imports.map(importProblem).filter((problem) => problem !== undefined);
  assert.deepEqual(problems, []);
});

Deno.test("no pure file switches off the rule that keeps it pure", async () => {
  for (const folder of PURE_FOLDERS) {
    for (const file of await listFiles(folder.slice(0, -1), ".ts")) {
      assert.doesNotMatch(
        await readProjectFile(file),
        /deno-lint-ignore(?:-file)?[^\n]*pure-core|deno-lint-ignore-file\s*\n/,
        file,
      );
    }
  }
});

const REFUSED: [from: string, to: string, written?: string][] = [
  ["lib/bytes/hex.ts", "lib/crypto/hkdf.ts"],
  ["lib/crypto/noise.ts", "lib/protocol/packet.ts"],
  ["lib/crypto/noise.ts", "node:crypto"],
  ["lib/protocol/connection.ts", "lib/transport/clock.ts"],
  ["lib/protocol/connection.ts", "lib/nat/punch/punch.ts"],
  ["lib/protocol/connection.ts", "lib/events.ts"],
  ["lib/protocol/connection.ts", "node:events"],
  ["lib/nat/punch/punch.ts", "lib/protocol/connection.ts"],
  ["lib/nat/punch/punch.ts", "deno.json"],
  ["lib/transport/pump.ts", "lib/transfer/receiving/journal.ts"],
  ["lib/transport/pump.ts", "node:dgram"],
  ["lib/transfer/sending/sender.ts", "lib/rendezvous/share_code.ts"],
  ["lib/rendezvous/share_code.ts", "lib/transfer/sending/sender.ts"],
  ["lib/transfer/sending/sender.ts", "lib/share.ts"],
  ["lib/transfer/sending/sender.ts", "lib/transport/deno_socket.ts"],
  ["lib/cli/send.ts", "lib/storage/deno_storage.ts"],
  ["lib/errors.ts", "lib/bytes/hex.ts"],
  ["lib/share.ts", "lib/cli/send.ts"],
  ["mod.ts", "lib/cli/send.ts"],
  ["lib/share.ts", "mod.ts"],
  ["lib/share.ts", "tests/support/prng.ts"],
  ["lib/bytes/hex.ts", "npm:fast-check@4.10.2", "fast-check"],
  ["lib/bytes/hex.ts", "npm:left-pad@1.0.0", "left-pad"],
  ["lib/bytes/hex.ts", "npm:left-pad@1.0.0", "npm:left-pad@^1.0.0"],
  ["lib/bytes/hex.ts", "https://jsr.io/@std/encoding/1.0.0/hex.ts", "jsr:@std/encoding"],
  ["bench/micro/seal_bench.ts", "lib/crypto/noise.ts"],
];

for (const [from, to, written = to] of REFUSED) {
  Deno.test(`importProblem refuses ${from} -> ${written}`, () => {
    assert.notEqual(importProblem({ from, to, written }), undefined);
  });
}

const ALLOWED: [from: string, to: string, written?: string][] = [
  ["lib/bytes/bech32m.ts", "lib/bytes/hex.ts"],
  ["lib/crypto/node_provider.ts", "node:crypto"],
  ["lib/crypto/portable_provider.ts", "npm:@noble/hashes@2.4.0/sha2.js"],
  ["lib/protocol/connection.ts", "lib/crypto/noise.ts"],
  ["lib/protocol/endpoint.ts", "lib/nat/address.ts"],
  ["lib/transport/open_socket.ts", "lib/transport/deno_socket.ts"],
  ["lib/transport/open_socket.ts", "lib/errors.ts"],
  ["lib/transfer/sending/sender.ts", "lib/events.ts"],
  ["lib/options.ts", "lib/storage/storage.ts"],
  ["lib/share.ts", "lib/storage/deno_storage.ts"],
  ["lib/share.ts", "lib/options.ts"],
  ["lib/cli/send.ts", "lib/share.ts"],
  ["lib/version.ts", "deno.json"],
  ["mod.ts", "lib/share.ts"],
  ["cli.ts", "lib/cli/main.ts"],
];

for (const [from, to, written = to] of ALLOWED) {
  Deno.test(`importProblem allows ${from} -> ${written}`, () => {
    assert.equal(importProblem({ from, to, written }), undefined);
  });
}
