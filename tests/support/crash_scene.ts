/**
 * A share, a target folder with things in it, and transfers between them while the target's disk is
 * struck by faults; and what must hold of that disk whatever struck it.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { TransferError } from "../../lib/errors.ts";
import { GROUP_BYTES } from "../../lib/transfer/limits.ts";
import { buildManifest } from "../../lib/transfer/offer/manifest.ts";
import type { TransferNotice, TransferSummary } from "../../lib/transfer/transfer_notice.ts";
import { CrashDisk } from "./crash_disk.ts";
import {
  addFiles,
  changeFiles,
  isOwnName,
  placeOf,
  type SceneKind,
  SHARE,
  TARGET,
} from "./crash_share.ts";
import { CrashStorage } from "./crash_storage.ts";
import type { DiskNode } from "./disk_node.ts";
import type { CrashStorageOptions } from "./disk_steps.ts";
import { foundBytes, keptBytes } from "./kept_bytes.ts";
import { TransferPair } from "./transfer_pair.ts";

/** A part file is synced this often here. */
const SYNC_BYTES = 1;

/** What a transfer came to. */
export interface CrashTransfer {
  readonly pair: TransferPair;
  /** Undefined when the power was cut before it ended. */
  readonly received: PromiseSettledResult<TransferSummary> | undefined;
  readonly sent: PromiseSettledResult<TransferSummary> | undefined;
  /** Bytes of files that moved. */
  readonly movedBytes: number;
}

/** One share and one target. */
export class CrashScene {
  /** The sharer's disk. */
  readonly source: CrashDisk;
  /** The client's disk as it is at first. */
  readonly first: CrashDisk;
  readonly #options: CrashStorageOptions;

  constructor(source: CrashDisk, first: CrashDisk, options: CrashStorageOptions = {}) {
    this.source = source;
    this.first = first;
    this.#options = options;
  }

  /** A scene as it is before the first transfer. */
  static of(kind: SceneKind, options: CrashStorageOptions = {}): CrashScene {
    const source = new CrashDisk();
    const first = new CrashDisk();
    addFiles(kind, source, first);
    return new CrashScene(source, first, options);
  }

  /** The scene with other disks. */
  with(disks: { readonly source?: CrashDisk; readonly first?: CrashDisk }): CrashScene {
    const { source = this.source, first = this.first } = disks;
    return new CrashScene(source, first, this.#options);
  }

  /** The scene with a share in which every file became another by its last byte. */
  changed(): CrashScene {
    const source = this.source.reboot("all");
    changeFiles(source);
    return this.with({ source });
  }

  /** What a transfer calls of the client's disk when nothing goes wrong. */
  async calls(): Promise<readonly string[]> {
    const disk = this.first.reboot("all");
    await this.transfer(disk);
    return disk.log;
  }

  /** The scene after an earlier run whose power was cut after a call of its disk. */
  async begun(call: number): Promise<CrashScene> {
    const disk = this.first.reboot("all");
    disk.fault = { call, kind: "cut_after" };
    await this.transfer(disk);
    return this.with({ first: disk.reboot("all") });
  }

  /** Runs a transfer with a new sharer, until it ends or the power of either disk is cut. */
  async transfer(target: CrashDisk, source = this.source): Promise<CrashTransfer> {
    const sourceStorage = new CrashStorage(source, this.#options);
    const warnings: TransferNotice[] = [];
    const manifest = await Promise.race([
      buildManifest(sourceStorage, [SHARE], {
        symlinks: "keep",
        onWarning: (warning) => warnings.push(warning),
      }),
      source.cut,
    ]);
    const pair = new TransferPair({
      ...(manifest === undefined ? {} : { manifest }),
      pieceBytes: 262_144,
      reorderWindow: 4,
      decision: { accept: true, overwrite: "always" },
      sender: { storage: sourceStorage },
      receiver: {
        storage: new CrashStorage(target, this.#options),
        directory: TARGET,
        syncBytes: SYNC_BYTES,
      },
    });
    pair.senderNotices.push(...warnings);
    if (manifest === undefined) {
      return { pair, sent: undefined, received: undefined, movedBytes: 0 };
    }
    await pair.start();
    let sent: CrashTransfer["sent"];
    let received: CrashTransfer["received"];
    const sentAll = settled(pair.sender.forth.half.finished, (result) => sent = result);
    const receivedAll = settled(pair.receiver.forth.half.finished, (result) => received = result);
    const ended = Promise.all([sentAll, receivedAll]);
    await pair.link.run(Promise.race([ended, target.cut, source.cut]));
    if (source.isDown) {
      // The client finds out after a while that nobody is there any more.
      pair.link.left.handler = undefined;
      pair.link.left.onEnd = () => {};
      pair.link.left.vanish();
      await pair.link.run(receivedAll);
    }
    return { pair, sent, received, movedBytes: pair.link.right.acceptedBytes };
  }

  /** The same command once more, on what is left: it completes everything and moves little. */
  async recover(disk: CrashDisk): Promise<void> {
    const movableBytes = this.movableBytes(disk);
    const { sent, received, movedBytes } = await this.transfer(disk);
    assertDone(received);
    assertDone(sent);
    const message = `${movedBytes} bytes moved where ${movableBytes} were missing`;
    assert.ok(movedBytes <= movableBytes, message);
    this.assertComplete(disk.reboot("least"));
  }

  /** What is where an entry of the share goes must be this, or what was there at first. */
  assertNothingWrong(disk: CrashDisk): void {
    for (const path of disk.paths) {
      const node = disk.peek(path)!;
      const was = this.first.peek(path);
      const offered = this.#offeredAt(path);
      if (offered === undefined) {
        if (path.startsWith(`${TARGET}/`) && isOwnName(path)) continue;
        // Folders of the target get new times as names are added.
        if (path === TARGET && node.kind === "directory") continue;
        assert.ok(was !== undefined, `${path} was made`);
        assertSameNode(node, was, path);
      } else if (node.kind === "directory") {
        assert.equal(offered.kind, "directory", path);
      } else if (was === undefined || !isSameContent(node, was)) {
        assertSameContent(node, offered, path);
      }
    }
    for (const path of this.first.paths) {
      assert.ok(disk.peek(path) || isOwnName(path), `${path} is gone`);
    }
  }

  /** Everything is in its place, and nothing of ours beside it. */
  assertComplete(disk: CrashDisk): void {
    this.assertHasAll(disk);
    for (const path of disk.paths) assert.ok(!isOwnName(path), `${path} was left`);
  }

  /** Everything but what was named is in its place; part files and journals may be left. */
  assertHasAll(disk: CrashDisk, named: readonly string[] = []): void {
    this.assertNothingWrong(disk);
    for (const path of this.sharedPaths) {
      if (named.some((name) => isWithin(path, name))) continue;
      const node = disk.peek(placeOf(path));
      assert.ok(node, `${path} is missing`);
      const from = this.source.peek(path)!;
      assertSameContent(node, from, path);
      if (node.kind === "file") assert.equal(node.mtimeMs, from.mtimeMs, `time of ${path}`);
    }
  }

  /** What part files and their journals keep of each file shared, in bytes. */
  keptBytes(disk: CrashDisk): Map<string, number> {
    return new Map(
      this.sharedPaths.map((path) => [path, keptBytes(disk, path, this.source.peek(path)!.bytes)]),
    );
  }

  /** Nothing of what was kept is gone, but of files that are in their places. */
  assertKept(disk: CrashDisk, before: ReadonlyMap<string, number>): void {
    const after = this.keptBytes(disk);
    for (const [path, bytes] of before) {
      if (this.isInPlace(disk, path)) continue;
      assert.ok(after.get(path)! >= bytes, `of ${bytes} bytes kept of ${path} some are gone`);
    }
  }

  /** Folders have their times. Only a run that made them knows that they are not somebody else's. */
  assertFolderTimes(disk: CrashDisk): void {
    for (const path of this.sharedPaths) {
      const { kind, mtimeMs } = this.source.peek(path)!;
      if (kind !== "directory" || this.first.peek(placeOf(path)) !== undefined) continue;
      assert.equal(disk.peek(placeOf(path))!.mtimeMs, mtimeMs, `time of ${path}`);
    }
  }

  /** Where everything shared is, on the sharer's disk. */
  get sharedPaths(): string[] {
    return this.source.paths.filter((path) => path === SHARE || path.startsWith(`${SHARE}/`));
  }

  /** Whether something shared is in its place and complete. */
  isInPlace(disk: CrashDisk, path: string): boolean {
    const node = disk.peek(placeOf(path));
    return node !== undefined && isSameContent(node, this.source.peek(path)!);
  }

  /** Whether what is in the place of something shared is what was there at first. */
  isAsAtFirst(disk: CrashDisk, path: string): boolean {
    const node = disk.peek(placeOf(path));
    const was = this.first.peek(placeOf(path));
    return node === undefined ? was === undefined : was !== undefined && isSameContent(node, was);
  }

  /**
   * Most bytes that may move when a transfer goes on with what is on a disk: those of files that are
   * not in their place, less what is known of their part files and what is the same in the files they
   * replace, and a group for each.
   */
  movableBytes(disk: CrashDisk): number {
    let bytes = 0;
    for (const path of this.sharedPaths) {
      const from = this.source.peek(path)!;
      if (from.kind !== "file" || this.isInPlace(disk, path)) continue;
      const size = from.bytes.length;
      if (size <= GROUP_BYTES) bytes += size;
      else bytes += Math.min(size, size - foundBytes(disk, path, from.bytes) + GROUP_BYTES);
    }
    return bytes;
  }

  #offeredAt(path: string): DiskNode | undefined {
    if (!path.startsWith(`${TARGET}/share`)) return undefined;
    return this.source.peek(path.slice(TARGET.length));
  }
}

/** The path of a warning as `code path`. */
export function pathOfWarning(warning: string): string {
  return warning.slice(warning.indexOf(" ") + 1);
}

/** Whether a path of the sharer's disk is that of an entry, or inside of it. */
export function isWithin(path: string, entry: string): boolean {
  return path === `/${entry}` || path.startsWith(`/${entry}/`);
}

/** Nothing was left out. */
export function assertDone(result: CrashTransfer["received"]): void {
  if (result?.status === "rejected") throw result.reason;
  assert.ok(result !== undefined, "it did not end");
  assert.equal(result.value.leftOut, 0);
  assert.equal(result.value.exit, 0);
}

/** The error of a transfer that failed. */
export function failureOf(result: PromiseSettledResult<TransferSummary>): TransferError {
  assert.equal(result.status, "rejected");
  const { reason } = result as PromiseRejectedResult;
  assert.ok(reason instanceof TransferError, String(reason));
  return reason;
}

async function settled(
  promise: Promise<TransferSummary>,
  set: (result: PromiseSettledResult<TransferSummary>) => void,
): Promise<void> {
  const [result] = await Promise.allSettled([promise]);
  set(result);
}

function isSameContent(a: DiskNode, b: DiskNode): boolean {
  return a.kind === b.kind && a.executable === b.executable && a.linkText === b.linkText &&
    Buffer.compare(a.bytes, b.bytes) === 0;
}

function assertSameContent(node: DiskNode, expected: DiskNode, path: string): void {
  assert.ok(
    isSameContent(node, expected),
    `${path} is wrong: ${told(node)}, not ${told(expected)}`,
  );
}

function assertSameNode(node: DiskNode, expected: DiskNode, path: string): void {
  assertSameContent(node, expected, path);
  assert.equal(node.mtimeMs, expected.mtimeMs, `time of ${path}`);
}

function told({ kind, bytes, executable, linkText }: DiskNode): string {
  return `${kind} of ${bytes.length} bytes${executable ? " (executable)" : ""} ${linkText}`.trim();
}
