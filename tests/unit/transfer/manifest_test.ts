import assert from "node:assert/strict";
import { TransferError } from "../../../lib/errors.ts";
import { buildManifest, type Manifest } from "../../../lib/transfer/manifest.ts";
import { FakeStorage } from "../../support/fake_storage.ts";

/** Builds a manifest; gives it with the codes and paths of the warnings. */
async function build(
  storage: FakeStorage,
  ...paths: string[]
): Promise<Manifest & { warnings: string[] }> {
  const warnings: string[] = [];
  const onWarning = ({ code, path }: { code: string; path?: string }) =>
    warnings.push(`${code} ${path}`);
  return { ...await buildManifest(storage, paths, { onWarning }), warnings };
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
