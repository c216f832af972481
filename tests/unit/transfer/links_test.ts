/**
 * Goal: links arrive as they were where they stay inside, and nothing leaves the target through one.
 * Method: whole transfers in memory of manifests made by hand, as a sharer might that wishes us ill.
 */
import assert from "node:assert/strict";
import type { ManifestEntry } from "../../../lib/transfer/offer/entry.ts";
import type { Manifest } from "../../../lib/transfer/offer/manifest.ts";
import { StorageError, type StorageErrorKind } from "../../../lib/storage/storage.ts";
import { FakeStorage } from "../../support/fake_storage.ts";
import { TransferPair, type TransferPairOptions } from "../../support/transfer_pair.ts";

const TIMES = { mtimeMs: 1000, executable: false } as const;

function folder(path: string): ManifestEntry {
  return { kind: "directory", path, sizeBytes: 0, ...TIMES };
}

function file(path: string): ManifestEntry {
  return { kind: "file", path, sizeBytes: 3, ...TIMES };
}

function link(path: string, linkTarget: string): ManifestEntry {
  return { kind: "symlink", path, sizeBytes: 0, linkTarget, ...TIMES };
}

/** A pair whose sharer offers these entries; every file holds `abc`. */
function pairOf(entries: readonly ManifestEntry[], options: TransferPairOptions = {}) {
  const count = (kind: ManifestEntry["kind"]) => entries.filter((e) => e.kind === kind).length;
  const manifest: Manifest = {
    entries,
    sourceOf: ({ path }) => `/${path}`,
    files: count("file"),
    directories: count("directory"),
    links: count("symlink"),
    bytes: 3 * count("file"),
    leftOut: 0,
  };
  const pair = new TransferPair({ ...options, manifest });
  for (const { kind, path } of entries) {
    if (kind === "file") pair.source.addFile(`/${path}`, "abc", { mtimeMs: 1000 });
  }
  return pair;
}

async function transfer(pair: TransferPair) {
  await pair.start();
  const { sent, received } = await pair.run();
  if (received.status === "rejected") throw received.reason;
  if (sent.status === "rejected") throw sent.reason;
  assert.equal(sent.value.root, received.value.root);
  return received.value;
}

/** What each link holds, by its path in the target. */
function linksIn(storage: FakeStorage): Record<string, string> {
  const links: Record<string, string> = {};
  for (const path of storage.paths("/into")) {
    const { linkText } = storage.get(path)!;
    if (linkText !== undefined) links[path.slice("/into/".length)] = linkText;
  }
  return links;
}

Deno.test("links arrive as they were, after all files [LINK-1]", async () => {
  const entries = [
    folder("t"),
    link("t/a link", "lib.so.1"),
    file("t/lib.so.1.2"),
    link("t/lib.so.1", "lib.so.1.2"),
    folder("t/sub"),
    link("t/sub/up", "../nowhere yet"),
  ];
  const pair = pairOf(entries);
  const made: string[] = [];
  const makeLink = pair.target.makeLink.bind(pair.target);
  pair.target.makeLink = (text, target) => {
    assert.ok(pair.target.get("/into/t/lib.so.1.2"), "before the files");
    made.push(target.path);
    return makeLink(text, target);
  };
  const received = await transfer(pair);
  assert.deepEqual(linksIn(pair.target), {
    "t/a link": "lib.so.1",
    "t/lib.so.1": "lib.so.1.2",
    "t/sub/up": "../nowhere yet",
  });
  assert.equal(made.length, 3);
  assert.deepEqual([received.items, received.leftOut, received.exit], [6, 0, 0]);
  assert.deepEqual([pair.offer!.items, pair.offer!.links, pair.offer!.newItems], [6, 3, 4]);
  // The folder it is in got its time after the link was made.
  assert.equal(pair.target.get("/into/t")!.mtimeMs, 1000);
  const again = pairOf(entries, { target: pair.target });
  const second = await transfer(again);
  assert.deepEqual([second.items, second.bytes, second.leftOut], [6, 0, 0]);
  assert.equal(again.offer!.sameItems, 4);
});

Deno.test("links that lead out are left out and named [LINK-2]", async () => {
  const pair = pairOf([
    folder("t"),
    link("t/up", "../x"),
    link("t/absolute", "/etc/passwd"),
    link("top", "t"),
    link("t/good", "x"),
    file("t/x"),
  ]);
  const received = await transfer(pair);
  assert.deepEqual(linksIn(pair.target), { "t/good": "x" });
  assert.deepEqual(pair.warnings, [
    "unsafe_link t/up",
    "unsafe_link t/absolute",
    "unsafe_link top",
  ]);
  assert.deepEqual([received.items, received.leftOut, received.exit], [3, 3, 13]);
});

Deno.test("links through a link are left out, whether it is of the share or was here [LINK-3]", async () => {
  const target = new FakeStorage();
  target.addSpecial("/into/t/here", "symlink", "/elsewhere");
  const pair = pairOf([
    folder("t"),
    link("t/1", "own/x"),
    link("t/2", "here/x"),
    link("t/3", "none/x"),
    folder("t/sub"),
    link("t/own", "sub"),
  ], { target });
  await transfer(pair);
  assert.deepEqual(linksIn(target), { "t/here": "/elsewhere", "t/3": "none/x", "t/own": "sub" });
  assert.deepEqual(pair.warnings, ["unsafe_link t/1", "unsafe_link t/2"]);
});

Deno.test("nothing is written through a link of an earlier run", async () => {
  const target = new FakeStorage();
  await transfer(pairOf([folder("t"), folder("t/d"), link("t/l", "d")], { target }));
  const pair = pairOf([folder("t"), folder("t/l"), file("t/l/x")], { target });
  const received = await transfer(pair);
  assert.deepEqual(pair.warnings, ["blocked t/l"]);
  assert.equal(received.exit, 13);
  assert.deepEqual(target.paths("/into/t/d"), []);
});

Deno.test("what is in the place of a link is treated by the policy", async () => {
  const run = async (overwrite: "never" | "rename" | "newer" | "always") => {
    const target = new FakeStorage();
    target.addFile("/into/t/l", "mine!", { mtimeMs: 999 });
    const entries = [folder("t"), link("t/l", "x")];
    await transfer(pairOf(entries, { target, decision: { accept: true, overwrite } }));
    const pair = pairOf(entries, { target, decision: { accept: true, overwrite } });
    const { items } = await transfer(pair);
    return [linksIn(target), target.get("/into/t/l")!.kind, items] as const;
  };
  assert.deepEqual(await run("never"), [{}, "file", 1]);
  assert.deepEqual(await run("always"), [{ "t/l": "x" }, "symlink", 2]);
  assert.deepEqual(await run("newer"), [{ "t/l": "x" }, "symlink", 2]);
  // The second run finds what the first one made.
  assert.deepEqual(await run("rename"), [{ "t/l (2)": "x" }, "file", 2]);
});

Deno.test("links that are not wanted are named and not missed [LINK-1]", async () => {
  const entries = [folder("t"), link("t/l", "x"), file("t/x")];
  const pair = pairOf(entries, { receiver: { symlinks: "skip" } });
  const received = await transfer(pair);
  assert.deepEqual(linksIn(pair.target), {});
  assert.deepEqual(pair.warnings, ["symlink_skipped t/l"]);
  assert.deepEqual([received.leftOut, received.exit], [0, 0]);
});

Deno.test("a link that cannot be made is left out, and the rest goes on", async () => {
  const warnings: Partial<Record<StorageErrorKind, string>> = {
    bad_name: "unsafe_name t/l",
    replaced: "blocked t/l",
    denied: "symlink_unsupported t/l",
    permission_missing: "symlink_unsupported t/l",
    other: "symlink_unsupported t/l",
  };
  for (const [kind, warning] of Object.entries(warnings)) {
    const pair = pairOf([folder("t"), link("t/l", "x"), link("t/m", "x")]);
    const makeLink = pair.target.makeLink.bind(pair.target);
    pair.target.makeLink = (text, target) => {
      if (!target.path.endsWith("/l")) return makeLink(text, target);
      return Promise.reject(new StorageError(kind as StorageErrorKind, "Cannot"));
    };
    const received = await transfer(pair);
    assert.deepEqual(pair.warnings, [warning]);
    assert.deepEqual(linksIn(pair.target), { "t/m": "x" });
    assert.equal(received.exit, kind === "bad_name" ? 12 : 13);
  }
  const pair = pairOf([folder("t"), link("t/l", "x")]);
  pair.target.makeLink = () => Promise.reject(new StorageError("no_space", "Disk full"));
  await assert.rejects(transfer(pair), { code: "disk_full" });
});
