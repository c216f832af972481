import assert from "node:assert/strict";
import type { ManifestEntry } from "../../../lib/transfer/offer/entry.ts";
import { placeOf } from "../../../lib/transfer/names.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { summarizePlan } from "../../../lib/transfer/receiving/offer_summary.ts";
import { ownNamesOf } from "../../../lib/transfer/own_names.ts";
import { makePlan, type PlanOptions } from "../../../lib/transfer/receiving/planner.ts";
import { StorageError } from "../../../lib/storage/storage.ts";
import { OwnNaming } from "../../../lib/transfer/own_names.ts";
import { FakeStorage } from "../../support/fake_storage.ts";

function file(path: string, sizeBytes = 3, mtimeMs = 1000): ManifestEntry {
  return { kind: "file", path, sizeBytes, mtimeMs, executable: false };
}

function folder(path: string): ManifestEntry {
  return { kind: "directory", path, sizeBytes: 0, mtimeMs: 0, executable: false };
}

/** The plan of these entries for `/into`. */
function plan(
  storage: FakeStorage,
  entries: readonly ManifestEntry[],
  options: Partial<PlanOptions> = {},
) {
  const names = new OwnNaming(nodeProvider);
  return makePlan(entries, { storage, names, directory: "/into", ...options });
}

Deno.test("makePlan lets others go on while it looks at many entries that it refuses", async () => {
  const storage = new FakeStorage();
  let turns = 0;
  const entries = Array.from({ length: 20_000 }, (_, index) => file(`../${index}`));
  const breathing = Object.assign(storage, { breathe: () => Promise.resolve(void turns++) });
  const planned = await plan(breathing, entries);
  assert.equal(planned.refusedCounts.unsafe_name, entries.length);
  assert.ok(turns >= 4, `${turns}`);
});

Deno.test("makePlan tells new, same and different files apart", async () => {
  const storage = new FakeStorage();
  storage.addFile("/into/d/same", "abc", { mtimeMs: 1000 });
  storage.addFile("/into/d/later", "abc", { mtimeMs: 1001 });
  storage.addFile("/into/d/longer", "abcd", { mtimeMs: 1000 });
  storage.addSpecial("/into/d/link", "symlink");
  const names = ["same", "later", "longer", "link", "none"];
  const entries = [folder("d"), ...names.map((name) => file(`d/${name}`)), file("top")];
  const planned = await plan(storage, entries);
  assert.deepEqual(
    planned.files.map(({ parent, storedAs, state }) =>
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
  assert.deepEqual(planned.folders.map(({ path, isThere }) => [path, isThere]), [[
    "/into/d",
    true,
  ]]);
  const offer = summarizePlan(planned, entries);
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
  const planned = await plan(storage, entries);
  assert.equal(planned.files.length, 50);
  assert.equal(looks, 1);
  assert.equal(planned.isRootThere, false);
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
  const planned = await plan(storage, entries);
  assert.deepEqual(planned.files, []);
  assert.deepEqual(planned.folders, []);
  assert.deepEqual(planned.refused.map(({ code, path, reason }) => `${code} ${path} ${reason}`), [
    "blocked link a symbolic link is in its way",
    "blocked file a file is in its way",
    "blocked folder a folder is in its way",
  ]);
  assert.deepEqual(planned.refusedCounts, {
    unsafe_name: 0,
    blocked: 5,
    unsafe_link: 0,
    symlink_skipped: 0,
    symlink_unsupported: 0,
  });
});

Deno.test("makePlan fails when the target is a file", async () => {
  const storage = new FakeStorage();
  storage.addFile("/into", "x");
  await assert.rejects(plan(storage, [file("x")]), { code: "write_failed" });
});

Deno.test("summarizePlan names dot-names of the top level once [NAME-7]", async () => {
  const entries = [folder(".ssh"), file(".ssh/a"), file(".ssh/b"), file(".rc"), file("x")];
  const planned = await plan(new FakeStorage(), entries);
  assert.deepEqual(summarizePlan(planned, entries).dotNames.toSorted(), [".rc", ".ssh"]);
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
  const planned = await plan(storage, entries);
  assert.deepEqual(planned.files.map(({ parent, storedAs }) => [parent, storedAs]), [[
    "/into/deep",
    "deep/y",
  ]]);
  assert.deepEqual(planned.refused.map(({ code, path }) => `${code} ${path}`), [
    "unsafe_name deep/long",
  ]);
});

function link(path: string, linkTarget: string): ManifestEntry {
  return { kind: "symlink", path, sizeBytes: 0, mtimeMs: 1000, executable: false, linkTarget };
}

Deno.test("makePlan lists each folder once, and looks at no file that is not in it", async () => {
  const storage = new FakeStorage();
  storage.addFile("/into/a/7", "x");
  const looks: string[] = [];
  const inspect = storage.inspect.bind(storage);
  storage.inspect = (path) => {
    looks.push(path);
    return inspect(path);
  };
  const lists: string[] = [];
  const list = storage.list.bind(storage);
  storage.list = (path) => {
    lists.push(path);
    return list(path);
  };
  const files = Array.from({ length: 50 }, (_, index) => file(`a/${index}`));
  await plan(storage, [folder("a"), ...files]);
  assert.deepEqual(looks, ["/into", "/into/a", "/into/a/7"]);
  assert.deepEqual(lists, ["/into", "/into/a"]);
});

Deno.test("makePlan looks at each path in a folder that cannot be listed", async () => {
  const storage = new FakeStorage();
  storage.addFile("/into/a/same", "abc", { mtimeMs: 1000 });
  storage.unreadable.add("/into/a");
  const large = file("a/large", 2 ** 21);
  const planned = await plan(storage, [folder("a"), file("a/same"), file("a/new"), large]);
  assert.deepEqual(planned.files.map(({ state }) => state), ["same", "new", "new"]);
  assert.deepEqual(planned.files.map(({ hasPart }) => hasPart), [false, false, true]);
});

Deno.test("makePlan finds parts of large files, with their journals or without", async () => {
  const storage = new FakeStorage();
  const names = ["both", "part", "small", "none"];
  const entries = [
    folder("d"),
    ...names.map((name) => file(`d/${name}`, name === "small" ? 2 ** 20 : 2 ** 20 + 1)),
  ];
  for (const name of ["both", "part", "small"]) {
    const own = ownNamesOf(nodeProvider, `d/${name}`);
    storage.addFile(`/into/d/${own.part}`, "x");
    if (name !== "part") storage.addFile(`/into/d/${own.journal}`, "x");
  }
  const planned = await plan(storage, entries);
  assert.deepEqual(planned.files.map(({ hasPart }) => hasPart), [true, true, false, false]);
  assert.equal(summarizePlan(planned, entries).partlyItems, 2);
});

Deno.test("makePlan finds a file that has another name now, by its size and time", async () => {
  const storage = new FakeStorage();
  storage.addFile("/into/d/old name", "abc", { mtimeMs: 1000 });
  storage.addFile("/into/d/other time", "abc", { mtimeMs: 999 });
  storage.addFile("/into/d/.hidden", "abcde", { mtimeMs: 1000 });
  storage.addFile("/into/d/listed", "abcd", { mtimeMs: 1000 });
  storage.addFile("/into/elsewhere", "abcdef", { mtimeMs: 1000 });
  storage.addSpecial("/into/d/a link", "symlink");
  const entries = [
    folder("d"),
    file("d/1 new"),
    file("d/2 new"),
    file("d/hidden", 5),
    file("d/listed", 4),
    file("d/listed too", 4),
    file("d/from the root", 6),
    file("d/empty", 0),
  ];
  const { files } = await plan(storage, entries);
  const reuse = files.map(({ entry, reuse }) => `${entry.path} ${reuse?.path} ${reuse?.isInPlace}`);
  assert.deepEqual(reuse, [
    "d/1 new /into/d/old name false",
    "d/2 new /into/d/old name false",
    "d/hidden undefined undefined",
    "d/listed undefined undefined",
    "d/listed too undefined undefined",
    "d/from the root undefined undefined",
    "d/empty undefined undefined",
  ]);
  // Right in the target it is looked for when the share has files there.
  const top = await plan(storage, [file("top", 6)]);
  assert.equal(top.files[0]!.reuse?.path, "/into/elsewhere");
});

Deno.test("makePlan looks no longer for renamed files where thousands here have their size", async () => {
  const storage = new FakeStorage();
  const names = Array.from({ length: 60_000 }, (_, index) => `old ${index}`);
  storage.addFolder("/into");
  storage.list = () => Promise.resolve(names);
  const { inspect } = storage;
  storage.inspect = (path) =>
    path === "/into" ? inspect.call(storage, path) : Promise.resolve({
      kind: "file",
      sizeBytes: 4096,
      mtimeMs: 1_000_000 + Number(path.slice("/into/old ".length)),
      executable: false,
    });
  // Comparing each with each would take 10 s; the last of the one is the last of the other.
  const entries = names.map((name, index) => file(`new ${name}`, 4096, index));
  const last = file("last", 4096, 1_000_000 + names.length - 1);
  const started = performance.now();
  const { files } = await plan(storage, [...entries, last]);
  assert.ok(performance.now() - started < 5000);
  const found = files.filter(({ reuse }) => reuse !== undefined);
  assert.deepEqual(found.map(({ entry }) => entry.path), ["last"]);
  assert.equal(files.at(-1)!.reuse?.path, `/into/${names.at(-1)}`);
});

Deno.test("makePlan keeps the spelling that is here where names are folded [NAME-5]", async () => {
  const storage = new FakeStorage({ foldsNames: true });
  storage.addFile("/into/Docs/Caf\u00e9.TXT", "abc", { mtimeMs: 1000 });
  const entries = [folder("docs"), file("docs/cafe\u0301.txt"), file("docs/CAF\u00c9.txt")];
  const { folders, files } = await plan(storage, entries);
  assert.deepEqual(folders.map(({ path, isThere }) => [path, isThere]), [["/into/Docs", true]]);
  assert.deepEqual(files.map(({ storedAs, state }) => [storedAs, state]), [
    ["Docs/Caf\u00e9.TXT", "same"],
    ["Docs/CAF\u00c9 (2).txt", "new"],
  ]);
});

Deno.test("makePlan takes links that stay inside, and names the others [LINK-1] [LINK-2]", async () => {
  const entries = [
    folder("top"),
    folder("top/sub"),
    link("top/near", "sub/x"),
    link("top/sub/up", "../sub/./x"),
    link("top/sub/far", "../../top/x"),
    link("top/absolute", "/etc/passwd"),
    link("alone", "x"),
    link("top/through", "near/../x"),
    link("top/ends in one", "sub/up"),
  ];
  const reasonsOf = async (storage: FakeStorage, symlinks?: "skip") => {
    const { links, refused } = await plan(storage, entries, { symlinks });
    const left = refused.map(({ code, path, reason }) => `${code} ${path}: ${reason}`);
    return [links.map(({ entry }) => entry.path), left] as const;
  };
  assert.deepEqual(await reasonsOf(new FakeStorage()), [
    ["top/near", "top/sub/up", "top/ends in one"],
    [
      "unsafe_link top/sub/far: it leads out of its top-level folder",
      "unsafe_link top/absolute: it leads out of its top-level folder",
      "unsafe_link alone: it leads out of its top-level folder",
      "unsafe_link top/through: it leads through another link",
    ],
  ]);
  const [none, skipped] = await reasonsOf(new FakeStorage(), "skip");
  assert.deepEqual(none, []);
  assert.ok(skipped.includes("symlink_skipped top/near: links are not wanted"));
  const windows = new FakeStorage();
  windows.nameRules = "windows";
  const [made, left] = await reasonsOf(windows);
  assert.deepEqual(made, []);
  assert.ok(left.includes("symlink_unsupported top/near: links are not made on Windows"));
});

Deno.test("makePlan holds little of links whose targets are long [LINK-3]", async () => {
  // 30,000 links of 4 MiB of paths each would be 120 GiB, and take minutes.
  const target = "n/".repeat(2047);
  const entries = [
    folder("top"),
    ...Array.from({ length: 30_000 }, (_, index) => link(`top/${index}`, target)),
  ];
  const { links, refusedCounts } = await plan(new FakeStorage(), entries);
  assert.equal(links.length, 0);
  assert.equal(refusedCounts.unsafe_link, 30_000);
});

Deno.test("makePlan compares links by what they hold", async () => {
  const storage = new FakeStorage();
  storage.addSpecial("/into/d/same", "symlink", "x");
  storage.addSpecial("/into/d/other", "symlink", "y");
  storage.addFile("/into/d/file", "x");
  storage.addFolder("/into/d/folder");
  const names = ["same", "other", "file", "folder", "new"];
  const entries = [folder("d"), ...names.map((name) => link(`d/${name}`, "x"))];
  const planned = await plan(storage, entries);
  assert.deepEqual(planned.links.map(({ state }) => state), ["same", "differ", "differ", "new"]);
  assert.deepEqual(planned.refused.map(({ code, path }) => `${code} ${path}`), [
    "blocked d/folder",
  ]);
  const offer = summarizePlan(planned, entries);
  assert.deepEqual([offer.newItems, offer.sameItems, offer.differItems], [1, 1, 2]);
  assert.deepEqual([offer.items, offer.files, offer.directories, offer.links], [6, 0, 1, 5]);
});

Deno.test("makePlan has no place for texts that are shown", async () => {
  const storage = new FakeStorage();
  storage.addFolder("/into/text.txt");
  const text = { ...file("text.txt"), isText: true } as const;
  const shown = await plan(storage, [text], { showsTexts: true });
  assert.deepEqual(shown.files.map(({ state }) => state), ["new"]);
  const stored = await plan(storage, [text]);
  assert.deepEqual(stored.refused.map(({ code }) => code), ["blocked"]);
});
