import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteReader } from "../../../lib/bytes/varint.ts";
import {
  decodeEntries,
  EntryPacker,
  type ManifestEntry,
  MAX_CANONICAL_BYTES,
  writeCanonicalEntry,
} from "../../../lib/transfer/offer/entry.ts";
import {
  MAX_LINK_TARGET_BYTES,
  MAX_MANIFEST_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_PATH_BYTES,
} from "../../../lib/transfer/limits.ts";
import { entry } from "./_entries.ts";

/** A page of entries, packed. */
function pack(entries: readonly ManifestEntry[]): Uint8Array {
  const packer = new EntryPacker();
  const out = new Uint8Array(MAX_MESSAGE_BYTES);
  let at = 0;
  for (const entry of entries) at = packer.write(entry, out, at);
  return out.slice(0, at);
}

function unpack(bytes: Uint8Array): ManifestEntry[] | "too_long" | undefined {
  return decodeEntries(new ByteReader(bytes), MAX_MANIFEST_BYTES);
}

Deno.test("decodeEntries gives back what EntryPacker wrote, of every kind", () => {
  fc.assert(fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
    assert.deepEqual(unpack(pack(entries)), entries);
  }));
});

Deno.test("decodeEntries never throws, and packs again to what it took", () => {
  const damaged = fc.tuple(fc.array(entry, { maxLength: 4 }), fc.nat(), fc.nat({ max: 255 })).map(
    ([entries, at, byte]) => {
      const bytes = pack(entries);
      if (bytes.length > 0) bytes[at % bytes.length] = byte;
      return bytes;
    },
  );
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), damaged), (bytes) => {
      const entries = unpack(bytes);
      if (entries === undefined || entries === "too_long") return;
      // Names that are not UTF-8 and numbers written too long are taken, and written otherwise.
      if (entries.some(({ isMalformedName }) => isMalformedName)) return;
      assert.deepEqual(unpack(pack(entries)), entries);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("EntryPacker writes a path as its difference from the one before", () => {
  const packer = new EntryPacker();
  const out = new Uint8Array(200);
  const file = {
    kind: "file",
    sizeBytes: 1,
    mtimeMs: 1_700_000_000_000,
    executable: false,
  } as const;
  const first = packer.write({ ...file, path: "folder/with/a/long/name/one" }, out, 0);
  const second = packer.write({ ...file, path: "folder/with/a/long/name/two" }, out, first);
  assert.ok(first > 30);
  assert.equal(second - first, 1 + 1 + 1 + 3 + 1 + 1);
});

Deno.test("decodeEntries refuses what no packer writes", () => {
  const decode = (...bytes: number[]) => decodeEntries(new ByteReader(new Uint8Array(bytes)), 100);
  assert.deepEqual(decode(0, 0, 1, 97, 5, 0), [
    { kind: "file", path: "a", sizeBytes: 5, mtimeMs: 0, executable: false },
  ]);
  assert.equal(decode(16, 0, 1, 97, 5, 0), undefined, "unknown flag");
  assert.equal(decode(5, 0, 1, 97, 0), undefined, "executable folder");
  assert.equal(decode(0, 1, 1, 97, 5, 0), undefined, "shares more than there is");
  assert.equal(decode(0, 0, 200, 97), undefined, "longer than the page");
});

Deno.test("decodeEntries bounds what a short page unfolds to [XFER-6]", () => {
  const packer = new EntryPacker();
  const out = new Uint8Array(MAX_MESSAGE_BYTES);
  const long = { kind: "directory", sizeBytes: 0, mtimeMs: 0, executable: false } as const;
  let at = 0;
  for (let count = 0; count < 100; count++) {
    at = packer.write({ ...long, path: "x".repeat(MAX_PATH_BYTES) }, out, at);
  }
  const decode = (maxPathBytes: number) =>
    decodeEntries(new ByteReader(out.subarray(0, at)), maxPathBytes);
  assert.ok(at < 20_000);
  assert.equal(decode(100 * MAX_PATH_BYTES - 1), "too_long");
  assert.equal((decode(100 * MAX_PATH_BYTES) as ManifestEntry[]).length, 100);
});

Deno.test("decodeEntries marks a path that is not UTF-8", () => {
  const bytes = new Uint8Array([1, 0, 2, 0xff, 97, 0]);
  const entries = decodeEntries(new ByteReader(bytes), 100) as ManifestEntry[];
  assert.equal(entries[0]!.isMalformedName, true);
  assert.equal(entries[0]!.path, "\ufffda");
});

function canonicalEntry(entry: ManifestEntry): Uint8Array {
  const out = new Uint8Array(MAX_CANONICAL_BYTES);
  return out.slice(0, writeCanonicalEntry(entry, out));
}

Deno.test("writeCanonicalEntry differs whenever the entry does", () => {
  fc.assert(fc.property(entry, entry, (a, b) => {
    const same = JSON.stringify(a) === JSON.stringify(b);
    const equal = canonicalEntry(a).toString() === canonicalEntry(b).toString();
    assert.equal(equal, same);
  }));
});

Deno.test("decodeEntries takes executable and text of files only, and not both", () => {
  const decode = (...bytes: number[]) => unpack(new Uint8Array(bytes));
  const file = { kind: "file", path: "a", sizeBytes: 5, mtimeMs: 0, executable: false };
  assert.deepEqual(decode(4, 0, 1, 97, 5, 0), [{ ...file, executable: true }]);
  assert.deepEqual(decode(8, 0, 1, 97, 5, 0), [{ ...file, isText: true }]);
  assert.equal(decode(12, 0, 1, 97, 5, 0), undefined, "executable text");
  for (const flags of [5, 6, 7, 9, 10, 11]) {
    assert.equal(decode(flags, 0, 1, 97, 0), undefined, `flags ${flags}`);
    assert.equal(decode(flags, 0, 1, 97, 1, 98, 0), undefined, `flags ${flags} of a link`);
  }
});

Deno.test("decodeEntries refuses a text longer than 65,536 bytes", () => {
  const text = { kind: "file", path: "t", mtimeMs: 0, executable: false, isText: true } as const;
  assert.deepEqual(unpack(pack([{ ...text, sizeBytes: 65_536 }])), [{
    ...text,
    sizeBytes: 65_536,
  }]);
  assert.equal(unpack(pack([{ ...text, sizeBytes: 65_537 }])), undefined);
});

Deno.test("decodeEntries refuses links to nothing, too far, with NUL and not in UTF-8 [XFER-20]", () => {
  const link = { kind: "symlink", path: "l", sizeBytes: 0, mtimeMs: 0, executable: false } as const;
  const to = (linkTarget: string) => unpack(pack([{ ...link, linkTarget }]));
  const longest = "é".repeat(2047) + "x";
  assert.deepEqual(to(longest), [{ ...link, linkTarget: longest }]);
  assert.equal(to("x".repeat(MAX_LINK_TARGET_BYTES + 1)), undefined);
  assert.equal(to(""), undefined);
  assert.equal(to("a\0b"), undefined);
  assert.equal(unpack(new Uint8Array([2, 0, 1, 97, 1, 0xff, 0])), undefined);
  assert.equal(unpack(new Uint8Array([2, 0, 1, 97, 9, 98, 0])), undefined, "cut short");
});

Deno.test("decodeEntries counts what links lead to among the paths [XFER-6]", () => {
  const link = { kind: "symlink", path: "l", sizeBytes: 0, mtimeMs: 0, executable: false } as const;
  const bytes = pack([{ ...link, linkTarget: "x".repeat(99) }]);
  assert.equal(decodeEntries(new ByteReader(bytes), 99), "too_long");
  assert.equal((decodeEntries(new ByteReader(bytes), 100) as ManifestEntry[]).length, 1);
});

Deno.test("writeCanonicalEntry has room for the longest path and link", () => {
  const longest: ManifestEntry = {
    kind: "symlink",
    path: "\ufffd".repeat(MAX_PATH_BYTES),
    sizeBytes: 0,
    mtimeMs: 1,
    executable: false,
    linkTarget: "x".repeat(MAX_LINK_TARGET_BYTES),
  };
  assert.ok(canonicalEntry(longest).length > 3 * MAX_PATH_BYTES + MAX_LINK_TARGET_BYTES);
});
