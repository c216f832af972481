import assert from "node:assert/strict";
import { TransferError } from "../../../lib/errors.ts";
import {
  buildManifest,
  type Manifest,
  type ManifestOptions,
} from "../../../lib/transfer/offer/manifest.ts";
import { FakeStorage } from "../../support/fake_storage.ts";

/** Builds a manifest; gives it with the codes and paths of the warnings. */
function build(
  storage: FakeStorage,
  ...paths: string[]
): Promise<Manifest & { warnings: string[] }> {
  return buildWith({}, storage, ...paths);
}

async function buildWith(
  options: Omit<ManifestOptions, "onWarning">,
  storage: FakeStorage,
  ...paths: string[]
): Promise<Manifest & { warnings: string[] }> {
  const warnings: string[] = [];
  const onWarning = ({ code, path, message }: { code: string; path?: string; message: string }) =>
    warnings.push(`${code} ${path ?? message}`);
  return { ...await buildManifest(storage, paths, { ...options, onWarning }), warnings };
}

function pathsOf(manifest: Manifest): string[] {
  return manifest.entries.map(({ kind, path }) => kind === "directory" ? `${path}/` : path);
}

async function failsWith(code: string, promise: Promise<unknown>): Promise<TransferError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof TransferError, String(error));
    assert.equal(error.code, code);
    return error;
  }
  throw new assert.AssertionError({ message: `did not fail with ${code}` });
}

Deno.test("buildManifest lists folders before what is in them, sorted by UTF-16", async () => {
  const storage = new FakeStorage();
  storage.addFile("/home/photos/b.jpg", "12345", { mtimeMs: 42, executable: true });
  storage.addFile("/home/photos/Z", "");
  storage.addFolder("/home/photos/ä/empty", 7);
  storage.addFile("/home/photos/a/x", "1");
  storage.addFile("/home/one.txt", "one");
  const manifest = await build(storage, "/home/one.txt", "/home/photos/");
  assert.deepEqual(pathsOf(manifest), [
    "one.txt",
    "photos/",
    "photos/Z",
    "photos/a/",
    "photos/a/x",
    "photos/b.jpg",
    "photos/ä/",
    "photos/ä/empty/",
  ]);
  assert.deepEqual(manifest.entries[5], {
    kind: "file",
    path: "photos/b.jpg",
    sizeBytes: 5,
    mtimeMs: 42,
    executable: true,
  });
  assert.equal(manifest.sourceOf(manifest.entries[5]!), "/home/photos/b.jpg");
  assert.deepEqual([manifest.files, manifest.directories, manifest.bytes], [4, 4, 9]);
  assert.deepEqual(manifest.warnings, []);
});

Deno.test("buildManifest leaves out links, special files and unreadable folders, and says so", async () => {
  const storage = new FakeStorage();
  storage.addSpecial("/d/link", "symlink");
  storage.addSpecial("/d/pipe", "other");
  storage.addFile("/d/locked/x", "x");
  storage.addFile("/d/ok", "x");
  storage.addFile("/d/new\nline", "x");
  storage.addFile("/d/back\\slash", "x");
  storage.addFile("/d/half\ud800", "x");
  storage.addFile("/d/.p2pft-0123456789abcdef.part", "x");
  storage.unreadable.add("/d/locked");
  const manifest = await build(storage, "/d");
  assert.deepEqual(pathsOf(manifest), ["d/", "d/ok"]);
  assert.deepEqual(manifest.warnings.sort(), [
    "special_skipped d/pipe",
    "symlink_skipped d/link",
    "unreadable d/locked",
    "unsafe_name d/.p2pft-0123456789abcdef.part",
    "unsafe_name d/back\\slash",
    "unsafe_name d/half\ud800",
    "unsafe_name d/new\nline",
  ]);
  assert.equal(manifest.leftOut, 5);
});

Deno.test("buildManifest refuses two paths of one name, and takes one path given twice once", async () => {
  const storage = new FakeStorage();
  storage.addFile("/a/name", "1");
  storage.addFile("/b/NAME", "2");
  const error = await failsWith("usage", build(storage, "/a/name", "/b/NAME"));
  assert.match(error.message, /\/a\/name and \/b\/NAME/);
  assert.deepEqual(pathsOf(await build(storage, "/a/name", "/a/name")), ["name"]);
});

Deno.test("buildManifest names what cannot be shared", async () => {
  const storage = new FakeStorage();
  storage.addSpecial("/pipe", "other");
  storage.addFolder("/.");
  assert.match((await failsWith("read_failed", build(storage, "/none"))).message, /\/none/);
  await failsWith("read_failed", build(storage, "/pipe"));
  await failsWith("usage", build(storage, "/"));
  await failsWith("usage", build(storage));
});

Deno.test("buildManifest stops when it is told to", async () => {
  const storage = new FakeStorage();
  storage.addFile("/d/x", "x");
  const options = { onWarning: () => {}, signal: AbortSignal.abort() };
  await failsWith("interrupted", buildManifest(storage, ["/d"], options));
});

/** A folder with a bit of everything that people leave out. */
function project(): FakeStorage {
  const storage = new FakeStorage();
  for (
    const path of [
      ".git/config",
      ".gitignore",
      "build/out.o",
      "docs/build/page.html",
      "main.c",
      "main.o",
      "notes.log",
      "src/.gitignore",
      "src/build/keep.txt",
      "src/debug.log",
      "src/important.log",
    ]
  ) storage.addFile(`/p/${path}`, "x");
  storage.addFile("/p/.gitignore", "# what is made\nbuild/\n*.o\n*.log\n");
  storage.addFile("/p/src/.gitignore", "!important.log\n!build/\n");
  return storage;
}

Deno.test("buildManifest leaves out what --exclude names, relative to each path, and counts it", async () => {
  const storage = project();
  storage.addFile("/q/build", "x");
  storage.addFile("/q/sub/main.c", "x");
  storage.addFile("/lone.o", "x");
  const exclude = ["build/", "/main.c", "*.o", "*.log", "!important.log", ".git*"];
  const manifest = await buildWith({ exclude }, storage, "/p", "/q", "/lone.o");
  assert.deepEqual(pathsOf(manifest), [
    "p/",
    "p/docs/",
    "p/src/",
    "p/src/important.log",
    "q/",
    "q/build",
    "q/sub/",
    "q/sub/main.c",
  ]);
  // .git, .gitignore twice, build three times, main.c, main.o, lone.o, notes.log and debug.log.
  assert.deepEqual(manifest.warnings, [
    "excluded Left out 11 items that patterns of --exclude or .gitignore name",
  ]);
  assert.equal(manifest.leftOut, 0);
});

Deno.test("buildManifest never leaves out a folder that was given, whatever patterns say", async () => {
  const storage = project();
  const exclude = ["*", "!*.c", "!src/"];
  assert.deepEqual(pathsOf(await buildWith({ exclude }, storage, "/p")), [
    "p/",
    "p/main.c",
    "p/src/",
  ]);
  assert.deepEqual(
    pathsOf(await buildWith({ exclude }, storage, "/p/main.o", "/p/main.c")),
    ["main.c"],
  );
});

Deno.test("buildManifest reads .gitignore files on the way, deeper ones first", async () => {
  const manifest = await buildWith({ gitignore: true }, project(), "/p");
  assert.deepEqual(pathsOf(manifest), [
    "p/",
    "p/.gitignore",
    "p/docs/",
    "p/main.c",
    "p/src/",
    "p/src/.gitignore",
    "p/src/build/",
    "p/src/build/keep.txt",
    "p/src/important.log",
  ]);
  assert.match(manifest.warnings.join(), /^excluded Left out 6 items/);
  assert.ok(pathsOf(await build(project(), "/p")).includes("p/.git/config"));
});

Deno.test("buildManifest takes --exclude before any .gitignore, and .git with it only when asked", async () => {
  const exclude = ["!main.o", "src", "!.git"];
  const manifest = await buildWith({ exclude, gitignore: true }, project(), "/p");
  assert.deepEqual(pathsOf(manifest), [
    "p/",
    "p/.git/",
    "p/.git/config",
    "p/.gitignore",
    "p/docs/",
    "p/main.c",
    "p/main.o",
  ]);
  const storage = project();
  storage.addFile("/p/.gitignore", "*\n!.*\n!*.c\n");
  assert.deepEqual(pathsOf(await buildWith({ gitignore: true }, storage, "/p")), [
    "p/",
    "p/.gitignore",
    "p/main.c",
  ]);
});

Deno.test("buildManifest leaves out a folder whose .gitignore cannot be read: it may hide secrets", async () => {
  const storage = project();
  storage.unreadable.add("/p/src/.gitignore");
  storage.addFile("/p/docs/.gitignore", new Uint8Array(1_048_577));
  // As for git, a link is no file of patterns.
  storage.addSpecial("/p/linked/.gitignore", "symlink", "/p/.gitignore");
  storage.addFile("/p/linked/x", "x");
  const manifest = await buildWith({ gitignore: true }, storage, "/p");
  assert.deepEqual(pathsOf(manifest), [
    "p/",
    "p/.gitignore",
    "p/linked/",
    "p/linked/x",
    "p/main.c",
  ]);
  assert.deepEqual(manifest.warnings.slice(0, 3), [
    "unreadable p/docs",
    "symlink_skipped p/linked/.gitignore",
    "unreadable p/src",
  ]);
  assert.equal(manifest.leftOut, 2);
});

Deno.test("buildManifest says that patterns leave nothing to send", async () => {
  const error = await failsWith("usage", buildWith({ exclude: ["*"] }, project(), "/p"));
  assert.match(error.message, /patterns leave out all/);
  await failsWith("usage", buildWith({ exclude: ["*.c"] }, project(), "/p/main.c"));
  const storage = new FakeStorage();
  storage.addFolder("/empty/inner");
  assert.deepEqual(pathsOf(await buildWith({ exclude: ["x"] }, storage, "/empty")), [
    "empty/",
    "empty/inner/",
  ]);
});

Deno.test("buildManifest says why there is nothing to send", async () => {
  const storage = new FakeStorage();
  storage.addFile("/locked/x", "x");
  storage.unreadable.add("/locked");
  const error = await failsWith("read_failed", build(storage, "/locked"));
  assert.match(error.message, /nothing was found that can be sent\. Left out locked: Cannot list/);
});

/** Links of every kind in a folder. */
function linked(): FakeStorage {
  const storage = new FakeStorage();
  storage.addFile("/d/real/file", "12345", { mtimeMs: 42, executable: true });
  storage.addFile("/outside/folder/deep", "12", { mtimeMs: 43 });
  storage.addSpecial("/outside/pipe", "other");
  storage.addSpecial("/d/a_file", "symlink", "/d/real/file");
  storage.addSpecial("/d/b_folder", "symlink", "/outside/folder");
  storage.addSpecial("/d/c_broken", "symlink", "/nowhere");
  storage.addSpecial("/d/d_pipe", "symlink", "/outside/pipe");
  storage.addSpecial("/d/real/up", "symlink", "/d");
  storage.addSpecial("/outside/folder/again", "symlink", "/outside/folder");
  return storage;
}

Deno.test("buildManifest follows links when told to, out of the folder too, and never in a circle", async () => {
  const manifest = await buildWith({ symlinks: "follow" }, linked(), "/d");
  assert.deepEqual(pathsOf(manifest), [
    "d/",
    "d/a_file",
    "d/b_folder/",
    "d/b_folder/deep",
    "d/real/",
    "d/real/file",
  ]);
  assert.deepEqual(manifest.warnings, [
    "symlink_skipped d/b_folder/again",
    "unreadable d/c_broken",
    "special_skipped d/d_pipe",
    "symlink_skipped d/real/up",
  ]);
  assert.deepEqual([manifest.leftOut, manifest.links, manifest.bytes], [1, 0, 12]);
  assert.deepEqual(manifest.entries[1], {
    kind: "file",
    path: "d/a_file",
    sizeBytes: 5,
    mtimeMs: 42,
    executable: true,
  });
  assert.deepEqual(manifest.entries.map(manifest.sourceOf), [
    "/d",
    "/d/real/file",
    "/outside/folder",
    "/outside/folder/deep",
    "/d/real",
    "/d/real/file",
  ]);
});

Deno.test("buildManifest lets patterns for folders leave out links to folders that it follows", async () => {
  const options = { symlinks: "follow", exclude: ["b_folder/", "a_file"] } as const;
  const manifest = await buildWith(options, linked(), "/d");
  assert.deepEqual(pathsOf(manifest), ["d/", "d/real/", "d/real/file"]);
  assert.match(manifest.warnings.at(-1)!, /^excluded Left out 2 items/);
});

Deno.test("buildManifest keeps links as the text they hold, when told to", async () => {
  const storage = linked();
  storage.addSpecial("/d/relative", "symlink", "../d/ä\\b");
  storage.addSpecial("/d/half", "symlink", "x\ud800");
  storage.addSpecial("/d/long", "symlink", "é".repeat(2048));
  const manifest = await buildWith({ symlinks: "keep" }, storage, "/d");
  assert.deepEqual(
    manifest.entries.flatMap(({ kind, path, linkTarget, sizeBytes, executable }) =>
      kind === "symlink" ? [`${path} -> ${linkTarget} ${sizeBytes} ${executable}`] : []
    ),
    [
      "d/a_file -> /d/real/file 0 false",
      "d/b_folder -> /outside/folder 0 false",
      "d/c_broken -> /nowhere 0 false",
      "d/d_pipe -> /outside/pipe 0 false",
      "d/real/up -> /d 0 false",
      "d/relative -> ../d/ä\\b 0 false",
    ],
  );
  assert.deepEqual([manifest.links, manifest.files, manifest.directories], [6, 1, 2]);
  assert.deepEqual(manifest.warnings, ["unsafe_name d/half", "unsafe_name d/long"]);
  storage.nameRules = "windows";
  const windows = await buildWith({ symlinks: "keep" }, storage, "/d");
  const relative = windows.entries.find(({ path }) => path === "d/relative");
  assert.equal(relative?.linkTarget, "../d/ä/b");
});

Deno.test("buildManifest follows a link that was given itself, whatever is said of links", async () => {
  for (const symlinks of ["skip", "follow", "keep"] as const) {
    const manifest = await buildWith({ symlinks }, linked(), "/d/b_folder", "/d/a_file");
    assert.deepEqual(pathsOf(manifest).filter((path) => path !== "b_folder/again"), [
      "b_folder/",
      "b_folder/deep",
      "a_file",
    ]);
    assert.equal(manifest.sourceOf(manifest.entries.at(-1)!), "/d/real/file");
  }
});
