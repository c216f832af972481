/**
 * Files on the disk, through Deno: large ones through the runtime's thread pool, small ones with
 * calls that block, as long as the disk is quick.
 *
 * Device and inode of a file that was there are compared with those of what was looked at, before a
 * byte is read; what is written is made anew, in a folder that was looked at [DISK-2]. What remains
 * is a race with a program on this machine that swaps a folder on the way to the file for a link
 * after it was looked at: Deno has no `openat`.
 */
import { basename, dirname, join } from "node:path";
import { statfs } from "node:fs/promises";
import { CHUNK_BYTES } from "./limits.ts";
import { DiskPace } from "./disk_pace.ts";
import { attempt, storageError } from "./deno_errors.ts";
import { fileInfo, IS_WINDOWS } from "./deno_file_info.ts";
import { FolderLooks } from "./deno_folder_looks.ts";
import { DenoPartFile } from "./deno_part_file.ts";
import { readSmallFile, writeSmallFile } from "./deno_small_files.ts";
import { DenoSourceFile } from "./deno_source_file.ts";
import {
  type FileInfo,
  type PartFile,
  type PlaceResult,
  type SourceFile,
  type Storage,
  type TargetFile,
  type WholeRead,
  writeThroughPart,
} from "./storage.ts";

/** The disk. */
export class DenoStorage implements Storage {
  /** As the system has it. */
  readonly nameRules: "posix" | "windows" = IS_WINDOWS ? "windows" : "posix";
  /** The file systems of macOS and Windows fold names unless set up otherwise. */
  readonly foldsNames: boolean = IS_WINDOWS || Deno.build.os === "darwin";
  readonly #pace = new DiskPace();
  readonly #looks = new FolderLooks();

  /** See {@linkcode Storage.join}. */
  join(folder: string, name: string): string {
    // Called for every entry of a share, and the general way takes ten times as long.
    const isPlain = !IS_WINDOWS && folder !== "" && !folder.endsWith("/");
    return isPlain ? `${folder}/${name}` : join(folder, name);
  }

  /** See {@linkcode Storage.baseName}. */
  baseName(path: string): string {
    return basename(path);
  }

  /** See {@linkcode Storage.inspect}. */
  inspect(path: string): FileInfo | undefined | Promise<FileInfo | undefined> {
    if (!this.#pace.begin()) return this.#inspect(path);
    if (!this.#pace.isSliceOver) return this.#inspectNow(path);
    return this.#pace.breathe().then(() => this.#inspectNow(path));
  }

  /** See {@linkcode Storage.resolve}. */
  async resolve(path: string): Promise<string> {
    return await attempt(`find ${path}`, () => Deno.realPath(path));
  }

  /** See {@linkcode Storage.list}. */
  async list(folder: string): Promise<string[]> {
    return await attempt(`list ${folder}`, async () => {
      const names: string[] = [];
      for await (const entry of Deno.readDir(folder)) names.push(entry.name);
      return names;
    });
  }

  /** See {@linkcode Storage.readWhole}. */
  readWhole(path: string, into: Uint8Array): WholeRead | Promise<WholeRead> {
    if (!this.#isQuick(into.length)) return this.#readWhole(path, into);
    // No closure, nor a promise: this is once for each small file.
    if (!this.#pace.isSliceOver) return this.#readNow(path, into);
    return this.#pace.breathe().then(() => this.#readNow(path, into));
  }

  /** See {@linkcode Storage.openSource}. */
  async openSource(path: string): Promise<SourceFile> {
    return await DenoSourceFile.open(path);
  }

  /** See {@linkcode Storage.freeBytes}. */
  async freeBytes(folder: string): Promise<number | undefined> {
    // Asking without the permission would stop and ask the person; that to read may end at the
    // folder itself, which is perhaps not there yet.
    const permission = await Deno.permissions.query({ name: "sys", kind: "statfs" });
    if (permission.state !== "granted") return undefined;
    for (let path = folder;;) {
      const { state } = await Deno.permissions.query({ name: "read", path });
      if (state !== "granted") return undefined;
      try {
        const { bavail, bsize } = await statfs(path);
        return bavail * bsize;
      } catch {
        // Not there yet, or a file system that does not tell: ask one level up, then give up.
        const parent = dirname(path);
        if (parent === path) return undefined;
        path = parent;
      }
    }
  }

  /** See {@linkcode Storage.makeFolders}. */
  async makeFolders(path: string): Promise<void> {
    await attempt(`create folder ${path}`, () => Deno.mkdir(path, { recursive: true }));
  }

  /** See {@linkcode Storage.makeFolder}. */
  async makeFolder(path: string): Promise<boolean> {
    await this.#pace.breathe();
    try {
      this.#pace.block(() => Deno.mkdirSync(path));
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return false;
      throw storageError(`create folder ${path}`, error);
    }
  }

  /** See {@linkcode Storage.setFolderTime}. */
  async setFolderTime(path: string, mtimeMs: number): Promise<void> {
    const mtime = new Date(mtimeMs);
    await this.#pace.breathe();
    try {
      this.#pace.block(() => Deno.utimeSync(path, mtime, mtime));
    } catch (error) {
      throw storageError(`set the time of ${path}`, error);
    }
  }

  /** See {@linkcode Storage.writeWhole}. */
  writeWhole(target: TargetFile, bytes: Uint8Array): PlaceResult | Promise<PlaceResult> {
    if (!this.#isQuick(bytes.length)) return writeThroughPart(this, target, bytes);
    if (!this.#pace.isSliceOver) return this.#writeNow(target, bytes);
    return this.#pace.breathe().then(() => this.#writeNow(target, bytes));
  }

  /** See {@linkcode Storage.createPart}. */
  async createPart(target: TargetFile): Promise<PartFile> {
    return await DenoPartFile.create(target, this.#looks);
  }

  /** Whether to block for a file of so many bytes. */
  #isQuick(bytes: number): boolean {
    return bytes <= CHUNK_BYTES && this.#pace.begin();
  }

  #inspectNow(path: string): FileInfo | undefined {
    this.#pace.startBlocking();
    try {
      return fileInfo(Deno.lstatSync(path));
    } catch (error) {
      return lookError(path, error);
    } finally {
      this.#pace.endBlocking();
    }
  }

  async #inspect(path: string): Promise<FileInfo | undefined> {
    try {
      return fileInfo(await Deno.lstat(path));
    } catch (error) {
      return lookError(path, error);
    }
  }

  #readNow(path: string, into: Uint8Array): WholeRead {
    this.#pace.startBlocking();
    try {
      return readSmallFile(path, into);
    } finally {
      this.#pace.endBlocking();
    }
  }

  #writeNow(target: TargetFile, bytes: Uint8Array): PlaceResult {
    this.#pace.startBlocking();
    try {
      this.#looks.check(target.folder);
      return writeSmallFile(target, bytes);
    } finally {
      this.#pace.endBlocking();
    }
  }

  async #readWhole(path: string, into: Uint8Array): Promise<WholeRead> {
    const source = await DenoSourceFile.open(path);
    try {
      return await source.readWhole(into);
    } finally {
      source.close();
    }
  }
}

/** Undefined when there is nothing to look at. */
function lookError(path: string, error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw storageError(`look at ${path}`, error);
}
