/** The parser of manifests on the disk, which may come from anyone, and the gate for their names. */
import assert from "node:assert/strict";
import { concatBytes } from "../../lib/bytes/concat.ts";
import { TransferError } from "../../lib/errors.ts";
import {
  formatManifest,
  type ManifestFile,
  ManifestReader,
} from "../../lib/checksums/checksum_manifest.ts";
import { pathInFolder } from "../../lib/transfer/names.ts";
import type { FuzzTarget } from "./_engine.ts";
import type { Pieces } from "./_mutator.ts";

const encoder = new TextEncoder();
const LINE_FEED = 0x0a;
const ROOT = "/in";
const POSIX = {
  nameRules: "posix",
  foldsNames: false,
  join: (folder: string, name: string) => `${folder}/${name}`,
} as const;

const listed = ["a/b.txt", "odd\\\n\r", "-", "ünïcode\u202e"].map((path, index) => ({
  path,
  sha256: "0123456789abcdef".repeat(4),
  root: "fedcba9876543210".repeat(4),
  sizeBytes: 1000 * index,
}));

const linePieces: Pieces = {
  split: (input) => {
    const lines: Uint8Array[] = [];
    for (let start = 0; start < input.length;) {
      const end = input.indexOf(LINE_FEED, start);
      const next = end < 0 ? input.length : end + 1;
      lines.push(input.slice(start, next));
      start = next;
    }
    return lines;
  },
  join: (lines) => concatBytes(...lines),
};

/** The files, or the reason why there are none. */
function read(chunks: readonly Uint8Array[]): ManifestFile[] | string {
  const reader = new ManifestReader();
  try {
    for (const chunk of chunks) reader.add(chunk);
    return reader.end();
  } catch (error) {
    assert.ok(error instanceof TransferError, String(error));
    return error.message.replace(/\d+/g, "N");
  }
}

const manifestFile: FuzzTarget = {
  name: "manifest file",
  seeds: [
    encoder.encode(Array.from(formatManifest(listed, { folders: ["a"] })).join("")),
    encoder.encode(`\ufeff${listed[0]!.sha256}  ./../x\r\n\\${listed[0]!.sha256} *a\\n\n`),
  ],
  pieces: linePieces,
  inputs: 8000,
  check: (input) => {
    const files = read([input]);
    const half = input.length >> 1;
    assert.deepEqual(read([input.subarray(0, half), input.subarray(half)]), files);
    if (typeof files === "string") return files;
    for (const { path, sha256 } of files) {
      assert.match(sha256, /^[0-9a-f]{64}$/);
      const place = pathInFolder(POSIX, ROOT, path);
      if ("refusal" in place) continue;
      assert.equal(place.path, `${ROOT}/${path}`);
      assert.ok(
        !path.split("/").some((part) => part === "" || part === "." || part === ".."),
        path,
      );
    }
    const written = files.filter(({ isMalformedName }) => !isMalformedName)
      .map((file) => ({ ...listed[0]!, ...file }));
    const again = read([encoder.encode(Array.from(formatManifest(written)).join(""))]);
    assert.deepEqual(again, written);
    const refusals = files.filter(({ path }) => "refusal" in pathInFolder(POSIX, ROOT, path));
    return `${Math.min(files.length, 4)} files, ${Math.min(refusals.length, 4)} refused`;
  },
};

/** All of this file. */
export const MANIFEST_TARGETS: readonly FuzzTarget[] = [manifestFile];
