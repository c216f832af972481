/**
 * Small files that are written and not in their places yet, and how many of them get onto the disk
 * together: by one call for their whole file system, where FFI is granted, or one for each, side by
 * side. 10,000 files of 4 KiB take 0.1 or 0.6 s so, one after the other they would take minutes.
 */
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { open } from "node:fs/promises";
import { type FileCalls, loadFileCalls } from "./file_calls.ts";
import { storageError } from "./deno_errors.ts";
import { type FileIdentity, IS_WINDOWS } from "./deno_file_info.ts";
import { Lanes } from "./lanes.ts";
import type { StorageError, TargetFile } from "./storage.ts";

/** Fewer files are written one by one: the call for all waits for what other programs wrote, too. */
const MANY_FILES = 32;
/** How many files are written to the disk at a time where there is no call for all. */
const SYNC_LANES = 32;
/** Windows flushes only what may be written; see `deno_small_files.ts` about the others. */
const AGAIN = (IS_WINDOWS ? constants.O_RDWR : constants.O_RDONLY) |
  (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);
const FOLDER = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0);

/** The files that wait. */
export class UnplacedFiles {
  /** What tells them apart, by the paths of their part files. */
  readonly #identities = new Map<string, FileIdentity>();
  readonly #calls: FileCalls | undefined = loadFileCalls();
  /** Descriptors by device, opened when the first file was written: errors since then are told. */
  readonly #fileSystems = new Map<number, number>();

  /** Notes a file that was written. */
  add({ partPath }: TargetFile, { dev, ino }: FileIdentity): void {
    // All that is known of a file would be ten times as much, for thousands of files.
    this.#identities.set(partPath, { dev, ino });
    if (this.#calls === undefined || this.#fileSystems.has(dev)) return;
    const descriptor = openFolder(partPath.slice(0, partPath.lastIndexOf("/") + 1), dev);
    if (descriptor !== undefined) this.#fileSystems.set(dev, descriptor);
  }

  /** Forgets a file that is placed or removed now; undefined when it was not written. */
  take({ partPath }: TargetFile): FileIdentity | undefined {
    const identity = this.#identities.get(partPath);
    if (identity === undefined) return undefined;
    this.#identities.delete(partPath);
    if (this.#identities.size === 0) this.#closeAll();
    return identity;
  }

  /**
   * Makes files survive a power cut.
   *
   * @returns Those that could not be.
   */
  async sync(targets: readonly TargetFile[]): Promise<ReadonlyMap<TargetFile, StorageError>> {
    const errors = new Map<TargetFile, StorageError>();
    const rest = await this.#syncTogether(targets);
    const lanes = new Lanes(SYNC_LANES);
    await Promise.all(rest.map((target) =>
      lanes.run(async () => {
        try {
          await syncFile(target.partPath);
        } catch (error) {
          errors.set(target, storageError(`write ${target.path} to the disk`, error));
        }
      })
    ));
    return errors;
  }

  /** Does so for whole file systems; gives the files that are left. */
  async #syncTogether(targets: readonly TargetFile[]): Promise<readonly TargetFile[]> {
    if (this.#fileSystems.size === 0 || targets.length < MANY_FILES) return targets;
    const byDevice = Map.groupBy(
      targets,
      ({ partPath }) => this.#identities.get(partPath)?.dev ?? -1,
    );
    const rest: TargetFile[] = [];
    await Promise.all(Array.from(byDevice, async ([device, files]) => {
      const descriptor = this.#fileSystems.get(device);
      const isDone = descriptor !== undefined && files.length >= MANY_FILES &&
        await this.#calls?.syncFileSystem(descriptor);
      // One by one they tell which of them failed, and why.
      if (isDone !== true) rest.push(...files);
    }));
    return rest;
  }

  #closeAll(): void {
    for (const descriptor of this.#fileSystems.values()) closeSync(descriptor);
    this.#fileSystems.clear();
  }
}

/** A descriptor of a folder, if it is on this device. */
function openFolder(path: string, device: number): number | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, FOLDER);
  } catch {
    return undefined;
  }
  if (fstatSync(descriptor).dev === device) return descriptor;
  closeSync(descriptor);
  return undefined;
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, AGAIN);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
