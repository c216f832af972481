import assert from "node:assert/strict";
import { encodeHex } from "../../lib/bytes/hex.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import type { TransferEvent, VerifiedEvent } from "../../lib/events.ts";
import { formatManifest } from "../../lib/checksums/checksum_manifest.ts";
import { hashGroup, TreeHasher } from "../../lib/transfer/hash_tree.ts";
import { GROUP_BYTES } from "../../lib/transfer/limits.ts";
import { StorageError } from "../../lib/storage/storage.ts";
import { verify } from "../../lib/verify.ts";
import { FakeStorage } from "../support/fake_storage.ts";

const MANIFEST = "/in/SUMS";

function bytesOf(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8) + seed) & 0xff);
}

/** The tree root the long way. */
function rootOf(bytes: Uint8Array): string {
  const tree = new TreeHasher(nodeProvider);
  for (let at = 0; at < bytes.length; at += GROUP_BYTES) {
    tree.push(hashGroup(nodeProvider, bytes.subarray(at, at + GROUP_BYTES)));
  }
  return encodeHex(tree.root());
}

/** Puts files into /in, and a manifest of them. */
function received(files: Readonly<Record<string, Uint8Array>>): FakeStorage {
  const storage = new FakeStorage();
  const listed = Object.entries(files).map(([path, bytes]) => {
    storage.addFile(`/in/${path}`, bytes);
    return {
      path,
      sizeBytes: bytes.length,
      sha256: encodeHex(nodeProvider.sha256(bytes)),
      root: rootOf(bytes),
    };
  });
  storage.addFile(MANIFEST, Array.from(formatManifest(listed)).join(""));
  return storage;
}

async function run(
  storage: FakeStorage,
  paths: readonly string[] = [],
  options: { readonly manifest?: string; readonly signal?: AbortSignal } = {},
) {
  const events: TransferEvent[] = [];
  for await (const event of verify(paths, { manifest: MANIFEST, storage, ...options })) {
    events.push(event);
  }
  const last = events.at(-1)!;
  const warnings = events.filter((event) => event.event === "warning");
  return { events, last, warnings: warnings.map(({ code, path }) => [code, path]) };
}

function counts(last: TransferEvent): Partial<VerifiedEvent> {
  assert.equal(last.event, "verified", JSON.stringify(last));
  const { files, bytes, good, missing, damaged, unreadable, refused, exit } = last;
  return { files, bytes, good, missing, damaged, unreadable, refused, exit };
}

const NOTHING_WRONG = { missing: 0, damaged: 0, unreadable: 0, refused: 0, exit: 0 };

Deno.test("files of every size around a group are read back and found good", async () => {
  const sizes = [0, 1, 65_536, GROUP_BYTES - 1, GROUP_BYTES, GROUP_BYTES + 1, 2 * GROUP_BYTES];
  const files = Object.fromEntries(sizes.map((size) => [`f${size}`, bytesOf(size)]));
  const { last, events } = await run(received(files));
  const bytes = sizes.reduce((sum, size) => sum + size);
  assert.deepEqual(counts(last), {
    files: sizes.length,
    bytes,
    good: sizes.length,
    ...NOTHING_WRONG,
  });
  const done = events.filter((event) => event.event === "file-done");
  assert.deepEqual(
    done.map((event) => [event.path, event.bytes, event.root]),
    sizes.map((size) => [`f${size}`, size, rootOf(bytesOf(size))]),
  );
  const progress = events.filter((event) => event.event === "progress").at(-1)!;
  assert.deepEqual(
    [progress.bytesDone, progress.bytesTotal, progress.itemsDone, progress.itemsTotal],
    [bytes, bytes, sizes.length, sizes.length],
  );
  assert.equal(progress.route, undefined);
});

Deno.test("what is missing, damaged, of another size or replaced has its own word", async () => {
  const large = bytesOf(2 * GROUP_BYTES);
  const storage = received({
    good: bytesOf(5),
    gone: bytesOf(10),
    "folder/bad": bytesOf(20),
    large,
    longer: bytesOf(30),
    link: bytesOf(40),
    folder2: bytesOf(50),
    secret: bytesOf(60),
  });
  storage.delete("/in/gone");
  storage.addFile("/in/folder/bad", bytesOf(20, 2));
  const flipped = large.slice();
  flipped[GROUP_BYTES + 70_000]! ^= 1;
  storage.addFile("/in/large", flipped);
  storage.addFile("/in/longer", bytesOf(31));
  storage.delete("/in/link");
  storage.addSpecial("/in/link", "symlink");
  storage.delete("/in/folder2");
  storage.addFolder("/in/folder2");
  storage.unreadable.add("/in/secret");
  const { last, warnings, events } = await run(storage);
  assert.deepEqual(warnings, [
    ["missing", "gone"],
    ["damaged", "folder/bad"],
    ["damaged", "large"],
    ["resized", "longer"],
    ["replaced", "link"],
    ["replaced", "folder2"],
    ["unreadable", "secret"],
  ]);
  assert.deepEqual(counts(last), {
    files: 8,
    bytes: 5 + 20 + large.length,
    good: 1,
    missing: 1,
    damaged: 5,
    unreadable: 1,
    refused: 0,
    exit: 11,
  });
  const progress = events.filter((event) => event.event === "progress").at(-1)!;
  assert.equal(progress.bytesDone, progress.bytesTotal);
});

Deno.test("the exit tells of what cannot be read, and then of names, when nothing is damaged", async () => {
  const storage = received({ a: bytesOf(5), secret: bytesOf(6) });
  storage.unreadable.add("/in/secret");
  assert.equal(counts((await run(storage)).last).exit, 10);
  const hash = encodeHex(nodeProvider.sha256(bytesOf(5)));
  storage.addFile("/in/list", `${hash}  a\n${hash}  ../a\n`);
  assert.equal(counts((await run(storage, [], { manifest: "/in/list" })).last).exit, 12);
});

Deno.test("both digests have to be right", async () => {
  const storage = received({ a: bytesOf(5) });
  const text = new TextDecoder().decode(storage.get(MANIFEST)!.bytes);
  storage.addFile(MANIFEST, text.replace(rootOf(bytesOf(5)), rootOf(bytesOf(6))));
  assert.deepEqual((await run(storage)).warnings, [["damaged", "a"]]);
});

Deno.test("names of a manifest lead nowhere but into its folder", async () => {
  const secret = bytesOf(9);
  const hash = encodeHex(nodeProvider.sha256(secret));
  const names = [
    "../secret",
    "/secret",
    "a/../../secret",
    "./../secret",
    "a//b",
    "a/.",
    "x\u0000",
    "x\u001b[2J",
    `${"d/".repeat(64)}f`,
    "n".repeat(256),
    ".p2pft-0123456789abcdef.part",
    "\\..\\secret",
  ];
  const storage = new FakeStorage();
  storage.addFile("/secret", secret);
  storage.addFolder("/in");
  const looked: string[] = [];
  storage.onRead = (path) => looked.push(path);
  storage.addFile("/in/list", names.map((name) => `${hash}  ${name}\n`).join(""));
  looked.length = 0;
  const { last, warnings } = await run(storage, [], { manifest: "/in/list" });
  assert.deepEqual(warnings, names.map((name) => ["unsafe_name", name.replace(/^\.\//, "")]));
  assert.deepEqual(counts(last).refused, names.length);
  assert.equal(counts(last).exit, 12);
  assert.deepEqual(looked.filter((path) => path !== "/in/list"), []);
});

Deno.test("a folder stands for all names in it, several for several copies", async () => {
  const storage = received({ "a/b": bytesOf(5), c: bytesOf(6) });
  storage.addFile("/copy/a/b", bytesOf(5));
  const { last, warnings } = await run(storage, ["/in", "/copy"]);
  assert.deepEqual(warnings, [["missing", "c"]]);
  assert.equal(counts(last).files, 4);
});

Deno.test("a folder of the manifest, beside it, stands for what is in it", async () => {
  const storage = received({ "a/b": bytesOf(5), "a/c/d": bytesOf(6), ab: bytesOf(7) });
  const good = async (path: string) => counts((await run(storage, [path])).last).good;
  assert.equal(await good("/in/a"), 2);
  assert.equal(await good("/in/a/c"), 1);
  assert.equal(await good("/in"), 3);
  // A copy elsewhere has all of it, whatever it is called.
  for (const name of ["a/b", "a/c/d", "ab"]) {
    storage.addFile(`/copy/a/${name}`, storage.get(`/in/${name}`)!.bytes);
  }
  assert.equal(await good("/copy/a"), 3);
});

Deno.test("a file stands for the longest name it ends with, there or not", async () => {
  const storage = received({ "a/b": bytesOf(5), b: bytesOf(6), c: bytesOf(7) });
  assert.equal(counts((await run(storage, ["/in/a/b"])).last).good, 1);
  assert.equal(counts((await run(storage, ["/in/b"])).last).good, 1);
  storage.delete("/in/c");
  assert.deepEqual((await run(storage, ["/in/c"])).warnings, [["missing", "c"]]);
  storage.addFile("/elsewhere/a/b", bytesOf(8));
  assert.deepEqual((await run(storage, ["/elsewhere/a/b"])).warnings, [["resized", "a/b"]]);
});

Deno.test("a path that is not in the manifest is an error, before anything is read", async () => {
  const storage = received({ a: bytesOf(5) });
  storage.addFile("/in/extra", bytesOf(5));
  const extra = (await run(storage, ["/in/a", "/in/extra"])).events;
  assert.deepEqual(extra.map((event) => event.event), ["error"]);
  assert.match(JSON.stringify(extra), /"usage".*\/in\/extra: it is not in the manifest/);
  const nothing = (await run(storage, ["/nowhere"])).events;
  assert.match(JSON.stringify(nothing), /"read_failed".*\/nowhere: nothing is there/);
});

Deno.test("a manifest that is not there, or none, is one error", async () => {
  const storage = received({ a: bytesOf(5) });
  const missing = await run(storage, [], { manifest: "/in/none" });
  assert.match(JSON.stringify(missing.events), /^\[{"event":"error".*"exit":10/);
  const other = await run(storage, [], { manifest: "/in/a" });
  assert.match(JSON.stringify(other.events), /^\[{"event":"error".*line 1 is no SHA-256/);
});

Deno.test("a permission that is missing ends it: no other file could be read either", async () => {
  const storage = received({ a: bytesOf(5), b: bytesOf(6) });
  storage.onRead = (path) => {
    if (path === "/in/a") throw new StorageError("permission_missing", "Cannot open /in/a");
  };
  const { last } = await run(storage);
  assert.deepEqual([last.event, (last as { exit?: number }).exit], ["error", 24]);
});

Deno.test("it ends when it is interrupted, and when it is closed", async () => {
  const storage = received({ a: bytesOf(3 * GROUP_BYTES), b: bytesOf(6) });
  const interrupt = new AbortController();
  storage.onRead = (path, offset) => {
    if (path === "/in/a" && offset > 0) interrupt.abort();
  };
  const { events, last } = await run(storage, [], { signal: interrupt.signal });
  assert.deepEqual([last.event, (last as { code?: string }).code], ["error", "interrupted"]);
  assert.ok(!events.some((event) => event.event === "file-done"));
  assert.equal(storage.openFiles, 0);
  const closed = verify([], { manifest: MANIFEST, storage });
  await closed.close();
  assert.equal(storage.openFiles, 0);
});
