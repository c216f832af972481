/**
 * Small files that are written and not in their places yet, and how many of them get onto the disk
 * together: by one call for their whole file system, where FFI is granted, or one for each, side by
 * side. 10,000 files of 4 KiB take 0.1 or 0.6 s so, one after the other they would take minutes.
 */
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { open } from "node:fs/promises";
import type { FileCalls } from "./file_calls.ts";
import { storageError } from "./deno_errors.ts";
import { type FileIdentity, IS_WINDOWS } from "./deno_file_info.ts";
import type { StorageError, TargetFile } from "./storage.ts";

/** Fewer files are written one by one: the call for all waits for what other programs wrote, too. */
const MANY_FILES = 32;
/** How many files are written to the disk at a time where there is no call for all. */
const SYNC_LANES = 32;
/** Files that stay open until they are synced; others are opened again, which costs more. */
const MAX_OPEN_FILES = 256;
/** Windows flushes only what may be written; see `deno_small_files.ts` about the others. */
const AGAIN = (IS_WINDOWS ? constants.O_RDWR : constants.O_RDONLY) |
  (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);
const FOLDER = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0);

/** A file that was written. */
export interface UnplacedFile extends FileIdentity {
  readonly target: TargetFile;
  /** While it is open. */
  file: Deno.FsFile | undefined;
}

/** The files that wait. */
export class UnplacedFiles {
  /**
   * In the order they were written. An array that each batch takes away, because outgrown tables of a
   * Map in which thousands come and go hold on to what was in them, and each to the next.
   */
  #written: UnplacedFile[] = [];
  #openFiles = 0;
  #runningSyncs = 0;
  readonly #calls: Pick<FileCalls, "syncFileSystem"> | undefined;
  /**
   * Descriptors by device, opened when the first file was written: errors since then are told. They
   * are told once, perhaps to a batch that the file is not in; so a device that had one has none.
   */
  readonly #fileSystems = new Map<number, number | undefined>();

  /** @param calls How to sync a whole file system; undefined where nothing can. */
  constructor(calls: Pick<FileCalls, "syncFileSystem"> | undefined) {
    this.#calls = calls;
  }

  /**
   * Notes a file that was written.
   *
   * @param file Still open, as it was written; closed here or when it is synced.
   */
  add(target: TargetFile, { dev, ino }: FileIdentity, file?: Deno.FsFile): void {
    const isTogether = this.#calls !== undefined && this.#fileSystem(target, dev) !== undefined;
    const isKept = file !== undefined && !isTogether && this.#openFiles < MAX_OPEN_FILES;
    if (isKept) this.#openFiles++;
    else file?.close();
    // All that is known of a file would be ten times as much, for thousands of files.
    this.#written.push({ target, dev, ino, file: isKept ? file : undefined });
  }

  /** Forgets files that are placed or removed now; undefined for one that was not written. */
  take(targets: readonly TargetFile[]): (UnplacedFile | undefined)[] {
    const written = this.#written;
    const isAll = targets.length === written.length &&
      targets.every((target, index) => target === written[index]!.target);
    if (isAll) {
      this.#written = [];
      return written;
    }
    return targets.map(({ partPath }) => {
      const index = written.findIndex(({ target }) => target.partPath === partPath);
      return index < 0 ? undefined : written.splice(index, 1)[0];
    });
  }

  /**
   * Makes files survive a power cut, and closes them.
   *
   * @returns Those that could not be.
   */
  async sync(
    files: readonly (UnplacedFile | undefined)[],
  ): Promise<ReadonlyMap<UnplacedFile, StorageError>> {
    const errors = new Map<UnplacedFile, StorageError>();
    this.#runningSyncs++;
    const rest = await this.#syncTogether(files.filter((file) => file !== undefined));
    this.#runningSyncs--;
    // Shared by all lanes: each takes the next one.
    const next = rest.values();
    const lane = async () => {
      for (const file of next) {
        try {
          await this.#syncFile(file);
        } catch (error) {
          const { path } = file.target;
          errors.set(file, storageError(`write ${path} to the disk`, error));
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(SYNC_LANES, rest.length) }, lane));
    return errors;
  }

  /** Closes a file that will not be synced. */
  close(unplaced: UnplacedFile): void {
    if (unplaced.file === undefined) return;
    unplaced.file.close();
    unplaced.file = undefined;
    this.#openFiles--;
  }

  /** Closes what is open for no file. */
  closeUnused(): void {
    if (this.#written.length > 0 || this.#runningSyncs > 0) return;
    for (const [device, descriptor] of this.#fileSystems) {
      if (descriptor === undefined) continue;
      closeSync(descriptor);
      this.#fileSystems.delete(device);
    }
  }

  /** Does so for whole file systems; gives the files that are left. */
  async #syncTogether(files: readonly UnplacedFile[]): Promise<readonly UnplacedFile[]> {
    if (this.#fileSystems.size === 0 || files.length < MANY_FILES) return files;
    const rest: UnplacedFile[] = [];
    await Promise.all(Array.from(
      Map.groupBy(files, ({ dev }) => dev),
      async ([device, files]) => {
        // One by one they tell which of them failed, and why.
        if (!(await this.#syncFileSystem(device, files.length))) rest.push(...files);
      },
    ));
    return rest;
  }

  async #syncFileSystem(device: number, fileCount: number): Promise<boolean> {
    const descriptor = this.#fileSystems.get(device);
    if (descriptor === undefined || fileCount < MANY_FILES) return false;
    if (await this.#calls!.syncFileSystem(descriptor)) return true;
    closeSync(descriptor);
    this.#fileSystems.set(device, undefined);
    return false;
  }

  async #syncFile(unplaced: UnplacedFile): Promise<void> {
    if (unplaced.file === undefined) return await syncPath(unplaced.target.partPath);
    try {
      await unplaced.file.sync();
    } finally {
      this.close(unplaced);
    }
  }

  /** A descriptor of a folder on a device; undefined where whole file systems cannot be synced. */
  #fileSystem({ partPath }: TargetFile, device: number): number | undefined {
    if (this.#fileSystems.has(device)) return this.#fileSystems.get(device);
    const descriptor = openFolder(partPath.slice(0, partPath.lastIndexOf("/") + 1), device);
    if (descriptor !== undefined) this.#fileSystems.set(device, descriptor);
    return descriptor;
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

async function syncPath(path: string): Promise<void> {
  const file = await open(path, AGAIN);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
