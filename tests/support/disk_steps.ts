/**
 * What the calls of a storage are made of: calls of a {@linkcode CrashDisk} one after another, each in
 * a turn of its own, whose promises never settle any more when the power is cut.
 */
import { type PlaceResult, StorageError, type TargetFile } from "../../lib/storage/storage.ts";
import { type CrashDisk, PowerCut } from "./crash_disk.ts";
import type { DiskNode } from "./disk_node.ts";

/** What a {@linkcode CrashStorage} may be given. */
export interface CrashStorageOptions {
  /** Whether small files are read and written before the call returns, as on a quick disk. */
  readonly answersAtOnce?: boolean;
  /** Whether one call makes everything lasting; else each file has its own. */
  readonly syncsAll?: boolean;
  /** Whether a file is moved by a rename that replaces nothing; else by a second name. */
  readonly renamesExclusively?: boolean;
  /** Waits before each call that is not answered at once: a slow disk. */
  readonly pause?: () => Promise<void>;
}

/** The steps of one program. */
export class DiskSteps {
  /** Files open now. */
  openFiles = 0;
  /** Most files open at the same time. */
  peakOpenFiles = 0;
  /** The disk. */
  readonly disk: CrashDisk;
  readonly #options: CrashStorageOptions;

  constructor(disk: CrashDisk, options: CrashStorageOptions) {
    this.disk = disk;
    this.#options = options;
  }

  /** Makes one call. */
  async call<T>(call: () => T): Promise<T> {
    // A turn of its own: other work of the program goes on between two calls.
    await this.#options.pause?.();
    return await this.atOnce(call);
  }

  /** Makes some calls before it returns; gives a promise only when the power is cut meanwhile. */
  atOnce<T>(calls: () => T): T | Promise<T> {
    try {
      return calls();
    } catch (error) {
      if (error instanceof PowerCut) return new Promise(() => {});
      throw error;
    }
  }

  /** Counts a file as open; gives what closes it, once. */
  open(): () => void {
    this.openFiles++;
    this.peakOpenFiles = Math.max(this.peakOpenFiles, this.openFiles);
    let isOpen = true;
    return () => {
      if (isOpen) this.openFiles--;
      isOpen = false;
    };
  }

  /** Makes a file anew. */
  async createFile(path: string, executable: boolean): Promise<DiskNode> {
    const node = await this.call(() => this.disk.create(path, { executable }));
    if (node !== undefined) return node;
    await this.call(() => this.disk.unlink(path));
    return (await this.call(() => this.disk.create(path, { executable })))!;
  }

  /** Moves a part file that was synced into its place. */
  async place({ path, partPath, overwrite }: TargetFile): Promise<PlaceResult> {
    if (overwrite) {
      await this.call(() => this.disk.rename(partPath, path));
      return "placed";
    }
    if (this.#options.renamesExclusively) {
      if (await this.call(() => this.disk.renameNew(partPath, path))) return "placed";
      await this.call(() => this.disk.unlink(partPath));
      return "exists";
    }
    const isNew = await this.call(() => this.disk.link(partPath, path));
    await this.call(() => this.disk.unlink(partPath));
    return isNew ? "placed" : "exists";
  }

  /** Removes a file; one that is not there or cannot be removed stays as it is. */
  async remove(path: string): Promise<void> {
    await this.call(() => this.removeNow(path));
  }

  /** The same before it returns. */
  removeNow(path: string): void {
    try {
      this.disk.unlink(path);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
  }
}
