import assert from "node:assert/strict";
import { encodeHex } from "../../../lib/bytes/hex.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { type ErrorCode, TransferError } from "../../../lib/errors.ts";
import { parseManifest } from "../../../lib/checksums/checksum_manifest.ts";
import type { EntryKind } from "../../../lib/transfer/offer/entry.ts";
import { hashGroup, TreeHasher } from "../../../lib/transfer/hash_tree.ts";
import { GROUP_BYTES } from "../../../lib/transfer/limits.ts";
import { ManifestWriter } from "../../../lib/checksums/manifest_writer.ts";
import type { PlannedEntry } from "../../../lib/transfer/receiving/plan.ts";
import { StorageError } from "../../../lib/storage/storage.ts";
import { FakeStorage } from "../../support/fake_storage.ts";

const MTIME_MS = 1_700_000_000_123;

interface WriterChanges {
  readonly path?: string;
  readonly folder?: string;
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
}

function makeWriter(storage: FakeStorage, changes: WriterChanges = {}): ManifestWriter {
  return new ManifestWriter({
    storage,
    crypto: nodeProvider,
    directory: "/in",
    path: "/in/SUMS",
    folder: "/in",
    overwrite: false,
    wallClockMs: () => MTIME_MS,
    signal: new AbortController().signal,
    ...changes,
  });
}

let nextIndex = 0;

function planned(
  storedAs: string,
  kind: EntryKind,
  sizeBytes = 0,
  linkTarget?: string,
): PlannedEntry {
  return {
    index: nextIndex++,
    entry: {
      kind,
      path: `sent/${storedAs}`,
      sizeBytes,
      mtimeMs: 0,
      executable: false,
      ...(linkTarget === undefined ? {} : { linkTarget }),
    },
    parent: "/in",
    storedAs,
    isDotName: false,
  };
}

function bytesOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 9)) & 0xff);
}

function rootOf(bytes: Uint8Array): Uint8Array {
  const tree = new TreeHasher(nodeProvider);
  for (let at = 0; at < bytes.length; at += GROUP_BYTES) {
    tree.push(hashGroup(nodeProvider, bytes.subarray(at, at + GROUP_BYTES)));
  }
  return tree.root();
}

/** Puts a file into its place and tells the writer of it. */
function place(
  storage: FakeStorage,
  writer: ManifestWriter,
  name: string,
  bytes: Uint8Array,
): void {
  storage.addFile(`/in/${name}`, bytes);
  writer.add(planned(name, "file", bytes.length), rootOf(bytes));
}

async function rejects(promise: Promise<unknown>, code: ErrorCode, pattern: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof TransferError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, pattern);
    return true;
  });
}

Deno.test("what is in its place is read back and listed in the order of the share", async () => {
  const storage = new FakeStorage();
  storage.addFolder("/in");
  const writer = makeWriter(storage);
  await writer.check();
  const large = bytesOf(2 * GROUP_BYTES + 5);
  const first = planned("folder", "directory");
  const late = planned("folder/large", "file", large.length);
  place(storage, writer, "small", bytesOf(9));
  storage.addFile("/in/folder/large", large);
  writer.add(late, rootOf(large));
  writer.add(planned("link", "symlink", 0, "folder/large"));
  writer.add(first);
  // Here already: there is no root to compare it with.
  storage.addFile("/in/same", bytesOf(3));
  writer.add(planned("same", "file", 3));
  assert.deepEqual(writer.progress, {
    bytesDone: 0,
    bytesTotal: large.length + 12,
    itemsDone: 0,
    itemsTotal: 3,
    file: "",
  });
  assert.deepEqual(await writer.write(), { files: 3, bytes: large.length + 12 });
  assert.deepEqual(
    [writer.progress.bytesDone, writer.progress.itemsDone, writer.progress.file],
    [large.length + 12, 3, "same"],
  );
  const node = storage.get("/in/SUMS")!;
  assert.equal(node.mtimeMs, MTIME_MS);
  const text = new TextDecoder().decode(node.bytes);
  assert.match(text, /\n# folder folder\n# link link -> folder\/large\n/);
  assert.deepEqual(
    parseManifest(node.bytes),
    [["folder/large", large], ["small", bytesOf(9)], ["same", bytesOf(3)]].map(([path, bytes]) => ({
      path,
      sizeBytes: (bytes as Uint8Array).length,
      sha256: encodeHex(nodeProvider.sha256(bytes as Uint8Array)),
      root: encodeHex(rootOf(bytes as Uint8Array)),
    })),
  );
  assert.deepEqual(storage.paths("/in").filter((path) => path.includes(".p2pft-")), []);
});

Deno.test("a disk that lies is found, and the file named; there is no manifest then", async () => {
  for (const length of [5, GROUP_BYTES + 70_000]) {
    const storage = new FakeStorage();
    storage.addFolder("/in");
    const writer = makeWriter(storage);
    place(storage, writer, "good", bytesOf(4));
    const bytes = bytesOf(length);
    place(storage, writer, "bad", bytes);
    const flipped = bytes.slice();
    flipped[length - 1]! ^= 1;
    storage.addFile("/in/bad", flipped);
    await rejects(writer.write(), "integrity", /^Damaged: bad does not read back/);
    assert.deepEqual(storage.paths("/in"), ["/in/bad", "/in/good"]);
  }
});

Deno.test("a file that is gone or cannot be read is named too", async () => {
  const storage = new FakeStorage();
  storage.addFolder("/in");
  const writer = makeWriter(storage);
  place(storage, writer, "gone", bytesOf(4));
  storage.delete("/in/gone");
  await rejects(writer.write(), "read_failed", /^Cannot read gone back/);
});

Deno.test("before the transfer: an existing file, a folder, and a folder that is not there", async () => {
  const storage = new FakeStorage();
  storage.addFile("/in/SUMS", "mine");
  await rejects(makeWriter(storage).check(), "usage", /SUMS: it is there already/);
  await makeWriter(storage, { overwrite: true }).check();
  storage.addFolder("/in/sub");
  const onFolder = makeWriter(storage, { path: "/in/sub", overwrite: true });
  await rejects(onFolder.check(), "usage", /it is there already/);
  const nowhere = makeWriter(storage, { path: "/out/SUMS", folder: "/out" });
  await rejects(nowhere.check(), "usage", /its folder is not there/);
  // The target folder itself is made.
  storage.delete("/in/SUMS");
  storage.delete("/in/sub");
  storage.delete("/in");
  await makeWriter(storage).check();
});

Deno.test("only what was there before is replaced, and only when that is allowed", async () => {
  const storage = new FakeStorage();
  storage.addFile("/in/SUMS", "mine");
  const allowed = makeWriter(storage, { overwrite: true });
  await allowed.check();
  place(storage, allowed, "a", bytesOf(4));
  await allowed.write();
  assert.equal(parseManifest(storage.get("/in/SUMS")!.bytes).length, 1);

  for (const overwrite of [false, true]) {
    const other = new FakeStorage();
    other.addFolder("/in");
    const writer = makeWriter(other, { overwrite });
    await writer.check();
    place(other, writer, "a", bytesOf(4));
    // Somebody made it meanwhile.
    other.addFile("/in/SUMS", "theirs");
    await rejects(writer.write(), "write_failed", /appeared there meanwhile/);
    assert.equal(new TextDecoder().decode(other.get("/in/SUMS")!.bytes), "theirs");
    assert.deepEqual(other.paths("/in"), ["/in/SUMS", "/in/a"]);
  }
});

Deno.test("a received file with the manifest's name is not replaced by it", async () => {
  const storage = new FakeStorage({ foldsNames: true });
  storage.addFile("/in/SUMS", "mine");
  const writer = makeWriter(storage, { overwrite: true });
  await writer.check();
  place(storage, writer, "Sums", bytesOf(4));
  await rejects(writer.write(), "write_failed", /something that was received has this name/);
  assert.deepEqual(storage.get("/in/SUMS")!.bytes, bytesOf(4));
});

Deno.test("it stops when it is told to, and leaves nothing behind", async () => {
  const storage = new FakeStorage();
  storage.addFolder("/in");
  const stop = new AbortController();
  const writer = makeWriter(storage, { signal: stop.signal });
  place(storage, writer, "a", bytesOf(4));
  place(storage, writer, "b", bytesOf(5));
  storage.onRead = () => stop.abort(new Error("stopped"));
  await assert.rejects(writer.write(), /stopped/);
  assert.deepEqual(storage.paths("/in"), ["/in/a", "/in/b"]);
});

Deno.test("a disk that is full leaves nothing behind either", async () => {
  const storage = new FakeStorage();
  storage.addFolder("/in");
  const writer = makeWriter(storage);
  place(storage, writer, "a", bytesOf(4));
  storage.capacityBytes = 10;
  await assert.rejects(writer.write(), (error) => error instanceof StorageError);
  assert.deepEqual(storage.paths("/in"), ["/in/a"]);
});
