/** What is removed beside files that are complete, and what is not [DISK-3]. */
import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { ownNamesOf } from "../../../lib/transfer/own_names.ts";
import { FakeStorage } from "../../support/fake_storage.ts";
import { TransferPair } from "../../support/transfer_pair.ts";

const MTIME_MS = 1_500_000_000_000;

function ownPaths(folder: string, storedAs: string): Record<"part" | "journal" | "next", string> {
  const { part, journal } = ownNamesOf(nodeProvider, storedAs);
  const next = journal.replace(/journal$/, "next");
  return {
    part: `${folder}/${part}`,
    journal: `${folder}/${journal}`,
    next: `${folder}/${next}`,
  };
}

/** Receives a share of two files of which one is here already. */
async function receive(target: FakeStorage): Promise<TransferPair> {
  const source = new FakeStorage();
  source.addFile("/share/same", "same", { mtimeMs: MTIME_MS });
  source.addFile("/share/new", "new", { mtimeMs: MTIME_MS });
  target.addFile("/into/share/same", "same", { mtimeMs: MTIME_MS });
  const pair = new TransferPair({ source, target });
  await pair.start();
  const { received } = await pair.run();
  assert.equal(received.status, "fulfilled");
  return pair;
}

Deno.test("a receiver removes what killed runs left beside files that are in their places", async () => {
  const target = new FakeStorage();
  const same = ownPaths("/into/share", "share/same");
  target.addFile(same.part, "same");
  target.addFile(same.journal, "old");
  target.addFile(same.next, "older");
  target.addFile(ownPaths("/into/share", "share/new").journal, "of a larger version");
  await receive(target);
  assert.deepEqual(target.paths("/into/share"), ["/into/share/new", "/into/share/same"]);
});

Deno.test("a receiver leaves part files of what is not in the share, and removes no link's target", async () => {
  const target = new FakeStorage();
  const other = ownPaths("/into/share", "share/other");
  target.addFile(other.part, "half");
  target.addFile(other.journal, "journal");
  const same = ownPaths("/into/share", "share/same");
  target.addFile("/precious", "mine");
  target.addSpecial(same.part, "symlink", "/precious");
  await receive(target);
  assert.ok(target.get(other.part) && target.get(other.journal));
  assert.equal(target.get(same.part), undefined);
  assert.equal(new TextDecoder().decode(target.get("/precious")!.bytes), "mine");
});
