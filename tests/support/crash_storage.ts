/**
 * A storage on a disk that loses what was not synced: promises no more than `lib/storage/storage.ts`
 * does, and makes every call of a {@linkcode CrashDisk} in the order in which `deno_storage.ts` makes
 * those of the system. From the power cut on no promise settles any more.
 */
import {
  type FileInfo,
  nextStatePath,
  type PartFile,
  type PlaceResult,
  type SourceFile,
  type StatePlace,
  type Storage,
  StorageError,
  type TargetFile,
  type TargetLink,
  type WholeRead,
} from "../../lib/storage/storage.ts";
import type { CrashDisk } from "./crash_disk.ts";
import { CrashPart } from "./crash_part.ts";
import type { DiskNode } from "./disk_node.ts";
import { type CrashStorageOptions, DiskSteps } from "./disk_steps.ts";

/** Files on a disk whose power may be cut. */
export class CrashStorage implements Storage {
  readonly nameRules = "posix";
  readonly foldsNames = false;
  /** The disk. */
  readonly disk: CrashDisk;
  readonly #options: CrashStorageOptions;
  readonly #steps: DiskSteps;
  /** Small files that are written and not placed. */
  readonly #written = new Map<TargetFile, DiskNode>();

  constructor(disk: CrashDisk, options: CrashStorageOptions = {}) {
    this.disk = disk;
    this.#options = options;
    this.#steps = new DiskSteps(disk, options);
  }

  /** Files open now. */
  get openFiles(): number {
    return this.#steps.openFiles;
  }

  /** Most files that were open at the same time. */
  get peakOpenFiles(): number {
    return this.#steps.peakOpenFiles;
  }

  join(folder: string, name: string): string {
    return folder === "/" ? `/${name}` : `${folder}/${name}`;
  }

  baseName(path: string): string {
    const trimmed = path.replace(/\/+$/, "");
    return trimmed.slice(trimmed.lastIndexOf("/") + 1);
  }

  // ---- looking and reading ----

  async inspect(path: string): Promise<FileInfo | undefined> {
    const node = await this.#steps.call(() => this.disk.look(path));
    return node === undefined ? undefined : infoOf(node);
  }

  async resolve(path: string): Promise<string> {
    const absolute = path.replace(/\/(\.?\/)*\.?$/, "") || "/";
    if (await this.inspect(absolute) === undefined) {
      throw new StorageError("not_found", `Nothing at ${path}`);
    }
    return absolute;
  }

  list(folder: string): Promise<string[]> {
    return this.#steps.call(() => this.disk.list(folder));
  }

  readWhole(path: string, into: Uint8Array): WholeRead | Promise<WholeRead> {
    if (!this.#options.answersAtOnce) return this.#readLater(path, into);
    return this.#steps.atOnce(() => {
      const node = this.#sourceNode(path);
      const before = infoOf(node);
      const length = this.disk.read(path, node, 0, into);
      const after = this.disk.look(path);
      if (after === undefined) throw new StorageError("not_found", `Nothing at ${path}`);
      return { before, length, after: infoOf(after) };
    });
  }

  async openSource(path: string): Promise<SourceFile> {
    const node = await this.#steps.call(() => this.#sourceNode(path));
    const close = this.#steps.open();
    return {
      info: infoOf(node),
      read: (offset, into) => this.#steps.call(() => this.disk.read(path, node, offset, into)),
      inspect: () => this.#steps.call(() => infoOf(this.disk.look(path) ?? node)),
      close,
    };
  }

  readLink(path: string): Promise<string> {
    return this.#steps.call(() => {
      const node = this.disk.look(path);
      if (node?.kind !== "symlink") throw new StorageError("not_found", `No link ${path}`);
      return node.linkText;
    });
  }

  // ---- folders and times ----

  freeBytes(_folder: string): Promise<number | undefined> {
    return Promise.resolve(undefined);
  }

  async makeFolders(path: string): Promise<void> {
    const folders = [path];
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      folders.unshift(path.slice(0, end));
    }
    const made: string[] = [];
    for (const folder of folders) {
      if (await this.#steps.call(() => this.disk.makeFolder(folder))) made.push(folder);
    }
    for (const folder of made.reverse()) {
      await this.syncFolder(folder.slice(0, folder.lastIndexOf("/")) || "/");
    }
  }

  makeFolder(path: string): Promise<boolean> {
    return this.#steps.call(() => this.disk.makeFolder(path));
  }

  setFolderTime(path: string, mtimeMs: number): Promise<void> {
    return this.#setTime(path, "directory", mtimeMs);
  }

  setFileTime(path: string, mtimeMs: number): Promise<void> {
    return this.#setTime(path, "file", mtimeMs);
  }

  syncFolder(path: string): Promise<void> {
    return this.#steps.call(() => this.disk.syncFolder(path));
  }

  // ---- large files ----

  async createPart(target: TargetFile): Promise<PartFile> {
    const node = await this.#steps.createFile(target.partPath, target.executable);
    return new CrashPart(this.#steps, target, node);
  }

  async resumePart(target: TargetFile): Promise<PartFile | undefined> {
    const node = await this.#steps.call(() => this.disk.look(target.partPath));
    if (node?.kind !== "file" || node.names !== 1) return undefined;
    return new CrashPart(this.#steps, target, node);
  }

  // ---- small files ----

  writeWhole(target: TargetFile, bytes: Uint8Array): void | Promise<void> {
    if (!this.#options.answersAtOnce) return this.#writeLater(target, bytes);
    return this.#steps.atOnce(() => {
      const { partPath, executable, mtimeMs } = target;
      let node = this.disk.create(partPath, { executable });
      if (node === undefined) {
        this.disk.unlink(partPath);
        node = this.disk.create(partPath, { executable })!;
      }
      try {
        this.disk.write(partPath, node, 0, bytes);
        this.disk.setTime(partPath, node, mtimeMs);
      } catch (error) {
        this.#steps.removeNow(partPath);
        throw error;
      }
      this.#written.set(target, node);
    });
  }

  async placeWhole(targets: readonly TargetFile[]): Promise<(PlaceResult | StorageError)[]> {
    let failure: StorageError | undefined;
    if (this.#options.syncsAll) {
      try {
        await this.#steps.call(() => this.disk.syncAll());
      } catch (error) {
        failure = storageError(error);
      }
    }
    return await Promise.all(targets.map(async (target) => {
      const node = this.#written.get(target)!;
      try {
        if (failure !== undefined) throw failure;
        if (!this.#options.syncsAll) {
          await this.#steps.call(() => this.disk.sync(target.partPath, node));
        }
        const result = await this.#steps.place(target);
        this.#written.delete(target);
        return result;
      } catch (error) {
        await this.discardWhole(target);
        return storageError(error);
      }
    }));
  }

  async discardWhole(target: TargetFile): Promise<void> {
    if (this.#written.delete(target)) await this.#steps.remove(target.partPath);
  }

  // ---- links ----

  async makeLink(linkText: string, target: TargetLink): Promise<PlaceResult> {
    const { path, partPath, overwrite } = target;
    if (!overwrite) {
      const node = await this.#steps.call(() => this.disk.create(path, { linkText }));
      return node === undefined ? "exists" : "placed";
    }
    await this.#steps.remove(partPath);
    await this.#steps.call(() => this.disk.create(partPath, { linkText }));
    try {
      await this.#steps.call(() => this.disk.rename(partPath, path));
      return "placed";
    } catch (error) {
      await this.#steps.remove(partPath);
      throw error;
    }
  }

  // ---- journals ----

  async readState({ journalPath }: StatePlace, maxBytes: number): Promise<Uint8Array | undefined> {
    const node = await this.#steps.call(() => this.disk.look(journalPath));
    if (node?.kind !== "file" || node.bytes.length > maxBytes) return undefined;
    const bytes = new Uint8Array(node.bytes.length);
    await this.#steps.call(() => this.disk.read(journalPath, node, 0, bytes));
    return bytes;
  }

  async replaceState(place: StatePlace, bytes: Uint8Array): Promise<void> {
    const path = nextStatePath(place);
    await this.#steps.remove(path);
    const node = await this.#steps.createFile(path, false);
    try {
      await this.#steps.call(() => this.disk.write(path, node, 0, bytes));
      await this.#steps.call(() => this.disk.sync(path, node));
      await this.#steps.call(() => this.disk.rename(path, place.journalPath));
    } catch (error) {
      await this.#steps.remove(path);
      throw error;
    }
  }

  async removeState(place: StatePlace): Promise<void> {
    await this.#steps.remove(place.journalPath);
    await this.#steps.remove(nextStatePath(place));
  }

  // ---- what those are made of ----

  #sourceNode(path: string): DiskNode {
    const node = this.disk.look(path);
    if (node === undefined) throw new StorageError("not_found", `Nothing at ${path}`);
    if (node.kind !== "file") throw new StorageError("replaced", `Not a file: ${path}`);
    return node;
  }

  async #readLater(path: string, into: Uint8Array): Promise<WholeRead> {
    const source = await this.openSource(path);
    try {
      const length = await source.read(0, into);
      return { before: source.info, length, after: await source.inspect() };
    } finally {
      source.close();
    }
  }

  async #setTime(path: string, kind: DiskNode["kind"], mtimeMs: number): Promise<void> {
    await this.#steps.call(() => {
      const node = this.disk.peek(path);
      if (node?.kind !== kind) throw new StorageError("not_found", `No ${kind} ${path}`);
      this.disk.setTime(path, node, mtimeMs);
    });
  }

  async #writeLater(target: TargetFile, bytes: Uint8Array): Promise<void> {
    const { partPath, executable, mtimeMs } = target;
    const node = await this.#steps.createFile(partPath, executable);
    try {
      await this.#steps.call(() => this.disk.write(partPath, node, 0, bytes));
      await this.#steps.call(() => this.disk.setTime(partPath, node, mtimeMs));
      this.#written.set(target, node);
    } catch (error) {
      await this.#steps.remove(partPath);
      throw error;
    }
  }
}

function infoOf({ kind, bytes, mtimeMs, executable }: DiskNode): FileInfo {
  return { kind, sizeBytes: bytes.length, mtimeMs, executable };
}

function storageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  throw error;
}
