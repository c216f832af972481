import assert from "node:assert/strict";
import type { ManifestEntry } from "../../../lib/transfer/entry.ts";
import { placeOf } from "../../../lib/transfer/names.ts";
import { makePlan, summarizePlan } from "../../../lib/transfer/plan.ts";
import { StorageError } from "../../../lib/transfer/storage.ts";
import { FakeStorage } from "../../support/fake_storage.ts";

function file(path: string, sizeBytes = 3, mtimeMs = 1000): ManifestEntry {
  return { kind: "file", path, sizeBytes, mtimeMs, executable: false };
}

function folder(path: string): ManifestEntry {
  return { kind: "directory", path, sizeBytes: 0, mtimeMs: 0, executable: false };
}

Deno.test("makePlan tells new, same and different files apart", async () => {
  const storage = new FakeStorage();
  storage.addFile("/into/d/same", "abc", { mtimeMs: 1000 });
  storage.addFile("/into/d/later", "abc", { mtimeMs: 1001 });
  storage.addFile("/into/d/longer", "abcd", { mtimeMs: 1000 });
  storage.addSpecial("/into/d/link", "symlink");
  const names = ["same", "later", "longer", "link", "none"];
  const entries = [folder("d"), ...names.map((name) => file(`d/${name}`)), file("top")];
  const plan = await makePlan(storage, "/into", entries);
  assert.deepEqual(
    plan.files.map(({ parent, storedAs, state }) =>
      `${placeOf(storage, parent, storedAs)} ${state}`
    ),
    [
      "/into/d/same same",
      "/into/d/later differ",
      "/into/d/longer differ",
      "/into/d/link differ",
      "/into/d/none new",
      "/into/top new",
    ],
  );
  assert.deepEqual(plan.folders.map(({ path, isThere }) => [path, isThere]), [["/into/d", true]]);
  const offer = summarizePlan(plan, entries);
  assert.deepEqual([offer.newItems, offer.sameItems, offer.differItems], [2, 1, 3]);
  assert.deepEqual([offer.items, offer.files, offer.directories, offer.bytes], [7, 6, 1, 18]);
  assert.deepEqual(offer.names, ["d", "top"]);
});

Deno.test("makePlan does not look into folders that are not there", async () => {
  const storage = new FakeStorage();
  let looks = 0;
  const inspect = storage.inspect.bind(storage);
  storage.inspect = (path) => {
    looks++;
    return inspect(path);
  };
  const entries = [folder("a"), ...Array.from({ length: 50 }, (_, index) => file(`a/${index}`))];
  const plan = await makePlan(storage, "/into", entries);
  assert.equal(plan.files.length, 50);
  assert.equal(looks, 1);
  assert.equal(plan.isRootThere, false);
});

Deno.test("makePlan refuses what something is in the way of, and all inside it [DISK-1]", async () => {
  const storage = new FakeStorage();
  storage.addSpecial("/into/link", "symlink");
  storage.addFile("/into/file", "x");
  storage.addFolder("/into/folder");
  const entries = [
    folder("link"),
    file("link/x"),
    folder("link/deeper"),
    file("link/deeper/y"),
    folder("file"),
    file("folder"),
  ];
  const plan = await makePlan(storage, "/into", entries);
  assert.deepEqual(plan.files, []);
  assert.deepEqual(plan.folders, []);
  assert.deepEqual(plan.refused.map(({ code, path, reason }) => `${code} ${path} ${reason}`), [
    "blocked link a symbolic link is in its way",
    "blocked file a file is in its way",
    "blocked folder a folder is in its way",
  ]);
  assert.deepEqual(plan.refusedCounts, { unsafe_name: 0, blocked: 5 });
});

Deno.test("makePlan fails when the target is a file", async () => {
  const storage = new FakeStorage();
  storage.addFile("/into", "x");
  await assert.rejects(makePlan(storage, "/into", [file("x")]), { code: "write_failed" });
});

Deno.test("summarizePlan names dot-names of the top level once [NAME-7]", async () => {
  const entries = [folder(".ssh"), file(".ssh/a"), file(".ssh/b"), file(".rc"), file("x")];
  const plan = await makePlan(new FakeStorage(), "/into", entries);
  assert.deepEqual(summarizePlan(plan, entries).dotNames.toSorted(), [".rc", ".ssh"]);
});

Deno.test("makePlan refuses a name the system cannot look up, and goes on", async () => {
  const storage = new FakeStorage();
  storage.addFolder("/into/deep");
  const inspect = storage.inspect.bind(storage);
  storage.inspect = (path) => {
    if (path.includes("long")) throw new StorageError("bad_name", `Cannot look at ${path}`);
    return inspect(path);
  };
  const entries = [folder("deep"), folder("deep/long"), file("deep/long/x"), file("deep/y")];
  const plan = await makePlan(storage, "/into", entries);
  assert.deepEqual(plan.files.map(({ parent, storedAs }) => [parent, storedAs]), [[
    "/into/deep",
    "deep/y",
  ]]);
  assert.deepEqual(plan.refused.map(({ code, path }) => `${code} ${path}`), [
    "unsafe_name deep/long",
  ]);
});
