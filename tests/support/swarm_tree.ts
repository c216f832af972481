/**
 * A tree that is shared while it changes, and every version its files ever had: what arrives
 * elsewhere must be one of them, whole.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { GROUP_BYTES } from "../../lib/transfer/limits.ts";
import { CrashDisk } from "./crash_disk.ts";
import type { DiskNode } from "./disk_node.ts";
import type { Prng } from "./prng.ts";

/** Where the tree is, on the sharer's disk. */
export const SOURCE = "/home/share";
/** The folder it goes into, on the client's disk. */
export const TARGET = "/home/in";

/** Names of part files and journals. */
const OWN_NAME = /^\.p2pft-[0-9a-f]{16}\.(?:part|journal|next)$/;
const FIRST_MTIME_MS = 1_500_000_000_000;

/** Whole content of a file, at some time. */
interface Version {
  readonly bytes: Uint8Array;
  readonly mtimeMs: number;
}

/** A tree and its history. */
export class SwarmTree {
  /** The sharer's disk; another one after a power cut. */
  source: CrashDisk = new CrashDisk();
  /** The client's disk; likewise. */
  target: CrashDisk = new CrashDisk();
  readonly #prng: Prng;
  /** By path within the tree. */
  readonly #versions = new Map<string, Version[]>();
  #mtimeMs = FIRST_MTIME_MS;
  /** How many files are taken away and will be back. */
  #away = 0;

  constructor(prng: Prng) {
    this.#prng = prng;
    this.source.addFolder(SOURCE, FIRST_MTIME_MS);
    this.source.addFolder(`${SOURCE}/empty folder`, FIRST_MTIME_MS);
    this.target.addFile(`${TARGET}/mine`, prng.bytes(20), { mtimeMs: 1 });
    this.target.addFile("/home/precious", prng.bytes(20), { mtimeMs: 1 });
    const count = prng.integer(0, 12);
    for (let index = 0; index < count; index++) {
      const folder = prng.pick(["", "a/", "a/b/"]);
      this.#write(`${folder}${index}`, prng.bytes(prng.chance(0.2) ? 0 : prng.integer(1, 5000)));
    }
    if (count === 0 || prng.chance(0.4)) this.#write("large", this.#largeBytes());
    for (const path of this.#versions.keys()) if (prng.chance(0.2)) this.#placeOlder(path);
  }

  /** Bytes of all files now. */
  get bytes(): number {
    return this.#now().reduce((sum, { version }) => sum + version.bytes.length, 0);
  }

  /** Changes a file while nobody expects it: in its place, or by another that takes its place. */
  change(): void {
    const { path, version } = this.#prng.pick(this.#now());
    const bytes = version.bytes.slice();
    if (bytes.length > 0) bytes[this.#prng.integer(0, bytes.length - 1)]! ^= 1;
    const isShorter = this.#prng.chance(0.3);
    this.#write(
      path,
      isShorter ? bytes.slice(0, bytes.length >> 1) : bytes,
      this.#prng.chance(0.5),
    );
  }

  /** Takes a file away; gives what puts it back. */
  takeAway(): () => void {
    const { path, version } = this.#prng.pick(this.#now());
    this.source.remove(`${SOURCE}/${path}`);
    this.#away++;
    return () => {
      this.#away--;
      this.#write(path, version.bytes);
    };
  }

  /** Whether the target has what the source has, by size and time: what a person sees. */
  get looksComplete(): boolean {
    return this.#away === 0 && this.source.paths.every((path) => {
      if (!path.startsWith(SOURCE)) return true;
      const from = this.source.peek(path)!;
      const to = this.target.peek(path.replace(SOURCE, `${TARGET}/share`));
      return from.kind === to?.kind && (from.kind !== "file" || from.mtimeMs === to.mtimeMs);
    });
  }

  /** Every file of the target is a version that there was, whole; nothing else was touched. */
  assertNothingWrong(disk: CrashDisk = this.target): void {
    for (const path of disk.paths) {
      const node = disk.peek(path)!;
      if (node.kind !== "file" || OWN_NAME.test(path.slice(path.lastIndexOf("/") + 1))) continue;
      if (!path.startsWith(`${TARGET}/share/`)) {
        assert.ok(path === `${TARGET}/mine` || path === "/home/precious", `${path} was made`);
        assert.equal(node.mtimeMs, 1, `${path} was touched`);
        continue;
      }
      const versions = this.#versions.get(path.slice(`${TARGET}/share/`.length)) ?? [];
      assert.ok(
        versions.some((version) => isSame(node, version)),
        `${path} is no version there was`,
      );
    }
    assert.ok(disk.peek(`${TARGET}/mine`) && disk.peek("/home/precious"));
  }

  /**
   * The target has what the source has now, and nothing of ours beside it; after a power cut, too.
   * Only the time of a file that was here already may be lost then: it is compared once more.
   */
  assertComplete(): void {
    this.#assertComplete(this.target, true);
    this.#assertComplete(this.target.reboot("least"), false);
  }

  #assertComplete(disk: CrashDisk, hasTimes: boolean): void {
    this.assertNothingWrong(disk);
    for (const path of this.source.paths) {
      if (!path.startsWith(SOURCE)) continue;
      const from = this.source.peek(path)!;
      const to = disk.peek(path.replace(SOURCE, `${TARGET}/share`));
      assert.ok(to, `${path} is missing`);
      assert.equal(to.kind, from.kind, path);
      if (from.kind !== "file") continue;
      assert.deepEqual(to.bytes, from.bytes, path);
      if (hasTimes) assert.equal(to.mtimeMs, from.mtimeMs, `time of ${path}`);
    }
    const own = disk.paths.filter((path) => OWN_NAME.test(path.slice(path.lastIndexOf("/") + 1)));
    assert.deepEqual(own, []);
  }

  #now(): { readonly path: string; readonly version: Version }[] {
    return Array.from(this.#versions, ([path, versions]) => ({ path, version: versions.at(-1)! }));
  }

  #write(path: string, bytes: Uint8Array, isInPlace = false): void {
    // Whole seconds, so that each version has a time of its own.
    this.#mtimeMs += 1000;
    const version = { bytes, mtimeMs: this.#mtimeMs };
    this.#versions.set(path, [...this.#versions.get(path) ?? [], version]);
    const node = isInPlace ? this.source.peek(`${SOURCE}/${path}`) : undefined;
    if (node === undefined) {
      this.source.addFile(`${SOURCE}/${path}`, bytes, { mtimeMs: this.#mtimeMs });
    } else {
      node.bytes = node.lastingBytes = bytes;
      node.mtimeMs = node.lastingMtimeMs = this.#mtimeMs;
    }
  }

  #largeBytes(): Uint8Array {
    const prng = this.#prng;
    const bytes = new Uint8Array(GROUP_BYTES + prng.integer(1, GROUP_BYTES));
    // The rest are zeros: holes.
    for (let at = 0; at < bytes.length; at += prng.pick([10_000, 100_000, 300_000])) {
      bytes.set(prng.bytes(Math.min(5000, bytes.length - at)), at);
    }
    return bytes;
  }

  /** Something else is in a file's place. */
  #placeOlder(path: string): void {
    const bytes = this.#versions.get(path)!.at(-1)!.bytes.slice();
    if (bytes.length > 0) bytes[0]! ^= 1;
    const older = { bytes, mtimeMs: 2 };
    this.#versions.get(path)!.unshift(older);
    this.target.addFile(`${TARGET}/share/${path}`, bytes, { mtimeMs: 2 });
  }
}

function isSame(node: DiskNode, { bytes }: Version): boolean {
  return Buffer.compare(node.bytes, bytes) === 0;
}
