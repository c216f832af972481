import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import type { ManifestEntry } from "../../../lib/transfer/offer/entry.ts";
import { offerDigestOf } from "../../../lib/transfer/receiving/offer_digest.ts";

const file = (index: number): ManifestEntry => ({
  kind: "file",
  path: `some folder/${index}`,
  sizeBytes: index,
  mtimeMs: -index,
  executable: false,
});

const digestOf = (entries: readonly ManifestEntry[]) =>
  offerDigestOf(nodeProvider, entries).toHex();

Deno.test("offerDigestOf is another one for every other list [AGAIN-2]", () => {
  const entries = Array.from({ length: 10_000 }, (_, index) => file(index));
  const same = digestOf(entries);
  assert.equal(digestOf(entries.map((entry) => ({ ...entry }))), same);
  const digests = new Set([same, digestOf([]), digestOf([file(0)]), digestOf([file(0), file(0)])]);
  const changes = [{ path: "x" }, { sizeBytes: 0 }, { mtimeMs: 0 }, { executable: true }];
  for (const at of [1, entries.length - 1]) {
    for (const change of changes) {
      digests.add(digestOf(entries.with(at, { ...entries[at]!, ...change })));
    }
  }
  for (const part of [entries.slice(1), entries.slice(0, -1), entries.toReversed()]) {
    digests.add(digestOf(part));
  }
  assert.equal(digests.size, 4 + 2 * changes.length + 3);
});
