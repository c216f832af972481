import assert from "node:assert/strict";
import { TransferError } from "../../../lib/errors.ts";
import type { EntryKind, ManifestEntry } from "../../../lib/transfer/offer/entry.ts";
import { EntryList } from "../../../lib/transfer/offer/entry_list.ts";
import { MAX_ENTRIES, MAX_MANIFEST_BYTES } from "../../../lib/transfer/limits.ts";

function entryOf(kind: EntryKind, path: string, sizeBytes = 0): ManifestEntry {
  return { kind, path, sizeBytes, mtimeMs: 0, executable: false };
}

function isLimit(error: unknown): boolean {
  return error instanceof TransferError && error.code === "limit_exceeded";
}

Deno.test("EntryList counts entries of each kind, a stream as a file", () => {
  const list = new EntryList();
  list.add(entryOf("directory", "d"));
  list.add(entryOf("file", "d/a", 5));
  list.add(entryOf("file", "d/b", 7));
  list.add({ ...entryOf("symlink", "d/c"), linkTarget: "a" });
  list.add(entryOf("stream", "s"));
  const { entries, files, directories, links, bytes } = list;
  assert.deepEqual([entries.length, files, directories, links, bytes], [5, 3, 1, 1, 12]);
});

Deno.test("EntryList takes as many entries as a share may have, and no more [XFER-6]", () => {
  const list = new EntryList();
  const entry = entryOf("file", "x");
  for (let count = 0; count < MAX_ENTRIES; count++) list.add(entry);
  assert.throws(() => list.add(entry), isLimit);
});

Deno.test("EntryList counts bytes of paths and of what links lead to [XFER-6]", () => {
  const list = new EntryList();
  const quarter = "é".repeat(MAX_MANIFEST_BYTES / 8);
  list.add(entryOf("file", quarter));
  list.add({ ...entryOf("symlink", quarter), linkTarget: quarter });
  list.add(entryOf("file", quarter.slice(1)));
  list.add(entryOf("file", "xx"));
  assert.throws(() => list.add(entryOf("file", "x")), isLimit);
});
