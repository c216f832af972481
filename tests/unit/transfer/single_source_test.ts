import assert from "node:assert/strict";
import { streamManifest, textSource } from "../../../lib/transfer/offer/single_source.ts";

const ENTRY = { name: "note.txt", mtimeMs: 42 };

Deno.test("textSource offers one text and serves its bytes", async () => {
  const { manifest, storage } = textSource("zoë\n", ENTRY);
  assert.deepEqual(manifest.entries, [{
    kind: "file",
    path: "note.txt",
    sizeBytes: 5,
    mtimeMs: 42,
    executable: false,
    isText: true,
  }]);
  const { files, directories, links, bytes, leftOut } = manifest;
  assert.deepEqual([files, directories, links, bytes, leftOut], [1, 0, 0, 5, 0]);
  const path = manifest.sourceOf(manifest.entries[0]!);
  const into = new Uint8Array(5);
  const whole = await storage.readWhole(path, into);
  assert.equal(new TextDecoder().decode(into), "zoë\n");
  const info = { kind: "file", sizeBytes: 5, mtimeMs: 42, executable: false };
  assert.deepEqual(whole, { length: 5, before: info, after: info });
  const file = await storage.openSource(path);
  assert.equal(await file.read(3, into), 2);
  assert.deepEqual(await file.inspect(), info);
});

Deno.test("textSource refuses what cannot be shown", () => {
  assert.throws(() => textSource("", ENTRY), TypeError);
  assert.throws(() => textSource("é".repeat(32_769), ENTRY), /65538 bytes/);
  textSource("é".repeat(32_768), ENTRY);
  assert.throws(() => textSource("half \ud800", ENTRY), TypeError);
});

Deno.test("a stream counts as a file of no bytes", () => {
  const { entries, files, bytes } = streamManifest({ name: "stdin", mtimeMs: 7 });
  assert.deepEqual(entries, [
    { kind: "stream", path: "stdin", sizeBytes: 0, mtimeMs: 7, executable: false },
  ]);
  assert.deepEqual([files, bytes], [1, 0]);
});

Deno.test("what is no path is not called what no file may be called", () => {
  for (const name of ["", ".", "..", "a/b", "a\\b", "a\nb", "\ud800", "x".repeat(256)]) {
    assert.throws(() => streamManifest({ name, mtimeMs: 0 }), TypeError);
    assert.throws(() => textSource("x", { name, mtimeMs: 0 }), TypeError);
  }
  assert.throws(
    () => streamManifest({ name: ".p2pft-0123456789abcdef.part", mtimeMs: 0 }),
    /reserved/,
  );
});
