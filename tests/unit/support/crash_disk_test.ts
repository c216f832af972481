/** What the disk of the crash tests keeps and loses: the tests are worth what it is worth. */
import assert from "node:assert/strict";
import { CrashDisk, PowerCut } from "../../support/crash_disk.ts";
import { CrashStorage } from "../../support/crash_storage.ts";
import type { DiskNode } from "../../support/disk_node.ts";
import { Prng } from "../../support/prng.ts";
import { type PartFile, StorageError, type TargetFile } from "../../../lib/storage/storage.ts";

const bytes = (length: number, value = 7): Uint8Array => new Uint8Array(length).fill(value);
const SEEDS = 200;

function newFile(disk: CrashDisk, path: string, content: Uint8Array): DiskNode {
  const node = disk.create(path)!;
  disk.write(path, node, 0, content);
  return node;
}

/** What may be left of a disk. */
function* survivors(disk: CrashDisk): Generator<CrashDisk> {
  yield disk.reboot("least");
  yield disk.reboot("all");
  for (let seed = 0; seed < SEEDS; seed++) yield disk.reboot(new Prng(seed));
}

Deno.test("CrashDisk may lose every name that no sync came after", () => {
  const disk = new CrashDisk();
  newFile(disk, "/a", bytes(10));
  assert.deepEqual(disk.reboot("least").paths, ["/"]);
  assert.deepEqual(disk.reboot("all").peek("/a")!.bytes, bytes(10));
});

Deno.test("CrashDisk keeps what was synced, and what came before in the order of names", () => {
  const disk = new CrashDisk();
  disk.makeFolder("/folder");
  const node = newFile(disk, "/folder/a", bytes(10));
  disk.sync("/folder/a", node);
  disk.rename("/folder/a", "/folder/b");
  const seen = new Set<string>();
  for (const survivor of survivors(disk)) {
    const [folder, file, ...others] = survivor.paths.slice(1);
    assert.equal(folder, "/folder");
    assert.deepEqual(others, []);
    assert.deepEqual(survivor.peek(file!)!.bytes, bytes(10));
    seen.add(file!);
  }
  assert.deepEqual(Array.from(seen).sort(), ["/folder/a", "/folder/b"]);
  disk.syncFolder("/folder");
  for (const survivor of survivors(disk)) assert.deepEqual(survivor.paths[2], "/folder/b");
});

Deno.test("CrashDisk may place a file that was renamed before it was synced, and lose its bytes", () => {
  const disk = new CrashDisk();
  disk.addFile("/a", bytes(10, 1));
  newFile(disk, "/a.new", bytes(10, 2));
  disk.rename("/a.new", "/a");
  disk.syncFolder("/");
  const found = new Set<string>();
  for (const survivor of survivors(disk)) found.add(survivor.peek("/a")!.bytes.join());
  assert.ok(found.has(""), "nothing");
  assert.ok(found.has(bytes(10, 0).join()), "zeros");
  assert.ok(found.has(bytes(10, 2).join()), "all of it");
});

Deno.test("CrashDisk loses writes one by one and tears the last at a sector", () => {
  const disk = new CrashDisk();
  const node = newFile(disk, "/a", bytes(1024, 1));
  disk.sync("/a", node);
  disk.write("/a", node, 0, bytes(512, 2));
  disk.write("/a", node, 0, bytes(1024, 3));
  const found = new Set<string>();
  for (const survivor of survivors(disk)) {
    const content = survivor.peek("/a")!.bytes;
    for (const sector of [content.subarray(0, 512), content.subarray(512)]) {
      assert.ok(sector.every((byte) => byte === sector[0]));
    }
    found.add(`${content[0]}${content[512]}`);
  }
  assert.deepEqual(Array.from(found).sort(), ["11", "13", "21", "23", "31", "33"]);
});

Deno.test("CrashDisk keeps both names of a file, or one, and counts them", () => {
  const disk = new CrashDisk();
  const node = newFile(disk, "/part", bytes(3));
  disk.sync("/part", node);
  assert.ok(disk.link("/part", "/file"));
  const both = disk.reboot("all");
  assert.equal(both.peek("/part"), both.peek("/file"));
  assert.equal(both.peek("/file")!.names, 2);
  disk.unlink("/part");
  assert.equal(disk.reboot("all").peek("/file")!.names, 1);
  assert.ok(!disk.link("/file", "/file"), "a link replaced a file");
});

Deno.test("CrashDisk keeps for the next program what it may lose all the same", () => {
  const disk = new CrashDisk();
  const node = newFile(disk, "/a", bytes(10));
  disk.sync("/a", node);
  disk.link("/a", "/b");
  disk.cutPower();
  const next = disk.afterKill();
  assert.deepEqual(next.paths, ["/", "/a", "/b"]);
  assert.equal(next.peek("/a"), next.peek("/b"));
  next.write("/a", next.peek("/a")!, 0, bytes(10, 9));
  assert.deepEqual(next.reboot("least").paths, ["/", "/a"]);
  assert.deepEqual(next.reboot("least").peek("/a")!.bytes, bytes(10));
  assert.deepEqual(disk.peek("/a")!.bytes, bytes(10));
});

Deno.test("CrashDisk strikes at a call before, within or after it", () => {
  const contentAfter = (kind: "cut_before" | "cut_within" | "cut_after"): number | undefined => {
    const disk = new CrashDisk();
    disk.fault = { call: 1, kind };
    assert.throws(() => newFile(disk, "/a", bytes(100)), PowerCut);
    assert.throws(() => disk.look("/a"), PowerCut);
    return disk.reboot("all").peek("/a")?.bytes.length;
  };
  assert.equal(contentAfter("cut_before"), 0);
  assert.equal(contentAfter("cut_within"), 50);
  assert.equal(contentAfter("cut_after"), 100);
});

Deno.test("CrashDisk stays full, fails once, and looks all the same", () => {
  const full = new CrashDisk();
  full.fault = { call: 0, kind: "no_space" };
  const isFull = (error: unknown) => error instanceof StorageError && error.kind === "no_space";
  assert.throws(() => full.create("/a"), isFull);
  assert.throws(() => full.create("/a"), isFull);
  assert.equal(full.look("/a"), undefined);
  const failing = new CrashDisk();
  failing.fault = { call: 0, kind: "failure" };
  assert.throws(() => failing.create("/a"), StorageError);
  assert.ok(failing.create("/a"));
});

const TARGET: TargetFile = {
  path: "/file",
  partPath: "/.p2pft-0000000000000000.part",
  journalPath: "/.p2pft-0000000000000000.journal",
  folder: undefined,
  mtimeMs: 5,
  executable: false,
  overwrite: false,
};

Deno.test("CrashStorage syncs a file before it is in its place", async () => {
  const disk = new CrashDisk();
  const storage = new CrashStorage(disk);
  const part: PartFile = await storage.createPart(TARGET);
  await part.write(0, bytes(1000));
  assert.equal(await part.place(900), "placed");
  for (const survivor of survivors(disk)) {
    const file = survivor.peek("/file");
    if (file === undefined) continue;
    assert.deepEqual(file.bytes, bytes(900));
    assert.equal(file.mtimeMs, 5);
  }
});

Deno.test("CrashStorage replaces a journal so that one of the two is there", async () => {
  const disk = new CrashDisk();
  const storage = new CrashStorage(disk);
  await storage.replaceState(TARGET, bytes(40, 1));
  await storage.syncFolder("/");
  await storage.replaceState(TARGET, bytes(40, 2));
  for (const survivor of survivors(disk)) {
    const journal = await new CrashStorage(survivor).readState(TARGET, 100);
    assert.ok(journal?.length === 40 && (journal[0] === 1 || journal[0] === 2));
  }
});

Deno.test("CrashStorage leaves holes where nothing was, and writes zeros where something was", async () => {
  const disk = new CrashDisk();
  const storage = new CrashStorage(disk);
  const part = await storage.createPart(TARGET);
  await part.write(65_536, bytes(65_536));
  const calls = disk.calls;
  await part.write(131_072, new Uint8Array(65_536));
  assert.equal(disk.calls, calls, "zeros took room");
  await part.write(65_536, new Uint8Array(65_536));
  assert.equal(disk.calls, calls + 1);
  await part.place(196_608);
  assert.deepEqual(disk.peek("/file")!.bytes, new Uint8Array(196_608));
});

Deno.test("CrashStorage does not go on with a part file that is in its place already", async () => {
  const disk = new CrashDisk();
  const storage = new CrashStorage(disk);
  await (await storage.createPart(TARGET)).write(0, bytes(10));
  disk.link(TARGET.partPath, TARGET.path);
  assert.equal(await storage.resumePart(TARGET), undefined);
});

Deno.test("CrashStorage never answers after the power cut", async () => {
  const disk = new CrashDisk();
  disk.fault = { call: 0, kind: "cut_before" };
  let hasAnswered = false;
  new CrashStorage(disk).inspect("/").finally(() => hasAnswered = true);
  await disk.cut;
  for (let turn = 0; turn < 100; turn++) await null;
  assert.ok(!hasAnswered);
});
