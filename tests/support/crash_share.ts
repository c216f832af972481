/** What is shared in the crash tests, and where it goes. */
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { GROUP_BYTES } from "../../lib/transfer/limits.ts";
import { ownNamesOf } from "../../lib/transfer/own_names.ts";
import type { CrashDisk } from "./crash_disk.ts";
import { Prng } from "./prng.ts";

/** Where the share is, on the sharer's disk. */
export const SHARE = "/share";
/** Where it goes, on the client's disk. */
export const TARGET = "/home/into";

/** Part files and journals. */
const OWN_NAME = /^\.p2pft-[0-9a-f]{16}\.(?:part|journal|next)$/;
const MTIME_MS = 1_500_000_000_000;
/** What a {@linkcode CrashScene} is about. */
export type SceneKind =
  /** Small and empty files, folders, links, one that replaces another. */
  | "small"
  /** Files of several groups: with holes, one that replaces another, one begun by an earlier run. */
  | "large";

/** Puts a share on the sharer's disk, and what was there before on the client's. */
export function addFiles(kind: SceneKind, source: CrashDisk, first: CrashDisk): void {
  first.addFile("/home/precious", new Prng(99).bytes(500), { mtimeMs: 1 });
  first.addFile(`${TARGET}/mine.txt`, new Prng(98).bytes(50), { mtimeMs: 2 });
  if (kind === "small") addSmall(source, first);
  else addLarge(source, first);
}

function addSmall(source: CrashDisk, first: CrashDisk): void {
  const prng = new Prng(11);
  const add = (name: string, bytes: Uint8Array, executable = false): void =>
    source.addFile(`${SHARE}/${name}`, bytes, { mtimeMs: MTIME_MS, executable });
  source.addFolder(`${SHARE}/hollow`, MTIME_MS + 1);
  add("a/one.txt", prng.bytes(1000));
  add("a/empty", new Uint8Array(0));
  add("a/b/deep", prng.bytes(70_000), true);
  add("zeros", new Uint8Array(65_536));
  for (const name of ["x", "y", "z"]) add(`many/${name}`, prng.bytes(prng.integer(1, 300)));
  add("old.txt", prng.bytes(900));
  add("cut.txt", new Uint8Array(0));
  source.addLink(`${SHARE}/a/link`, "one.txt");
  first.addFile(`${TARGET}/share/old.txt`, prng.bytes(700), { mtimeMs: 4 });
  // Offered as an empty file: what is here is not emptied before the new one is there.
  first.addFile(`${TARGET}/share/cut.txt`, prng.bytes(70), { mtimeMs: 5 });
}

function addLarge(source: CrashDisk, first: CrashDisk): void {
  const prng = new Prng(12);
  const add = (name: string, bytes: Uint8Array): void =>
    source.addFile(`${SHARE}/${name}`, bytes, { mtimeMs: MTIME_MS });
  add("two groups", prng.bytes(GROUP_BYTES + 1000));
  const holes = new Uint8Array(GROUP_BYTES + 3 * 65_536);
  holes.set(prng.bytes(1000), 2 * 65_536);
  add("holes", holes);
  const newer = prng.bytes(GROUP_BYTES + 10);
  add("newer", newer);
  add("small", prng.bytes(10));
  const older = newer.slice();
  older[GROUP_BYTES + 7]! ^= 1;
  first.addFile(`${TARGET}/share/newer`, older, { mtimeMs: 6 });
}

/** The last byte of every file becomes another, a second later. */
export function changeFiles(disk: CrashDisk): void {
  for (const path of disk.paths) {
    const node = disk.peek(path)!;
    if (node.kind !== "file") continue;
    node.bytes = node.bytes.slice();
    if (node.bytes.length > 0) node.bytes[node.bytes.length - 1]! ^= 1;
    node.mtimeMs += 1000;
  }
}

/** Where something shared goes. */
export function placeOf(path: string): string {
  return `${TARGET}${path}`;
}

/** Where a file shared is put together. */
export function partPathOf(path: string): string {
  const place = placeOf(path);
  return `${place.slice(0, place.lastIndexOf("/"))}/${
    ownNamesOf(nodeProvider, path.slice(1)).part
  }`;
}

/** Whether a path is that of a part file or journal. */
export function isOwnName(path: string): boolean {
  return OWN_NAME.test(path.slice(path.lastIndexOf("/") + 1));
}
