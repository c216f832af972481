/**
 * Files on the disk, through Deno: large ones through the runtime's thread pool, small ones with
 * calls that block, as long as the disk is quick.
 *
 * Device and inode of a file that was there are compared with those of what was looked at, before a
 * byte is read; what is written is made anew or was left behind by a run of ours, in a folder that
 * was looked at [DISK-2]. What remains is a race with a program on this machine that swaps a folder on the way to the file for a link
 * after it was looked at: Deno has no `openat`.
 */
import { basename, join } from "node:path";
import { attempt, storageError } from "./deno_errors.ts";
import { fileInfo, IS_WINDOWS, noFolderError } from "./deno_file_info.ts";
import { FolderLooks } from "./deno_folder_looks.ts";
import { makeFolders, syncFolder } from "./deno_folders.ts";
import { freeBytes } from "./deno_free_bytes.ts";
import { makeLink } from "./deno_link.ts";
import { DenoPartFile } from "./deno_part_file.ts";
import { openPlainFile } from "./deno_plain_file.ts";
import { readSmallFile } from "./deno_small_files.ts";
import { DenoSourceFile } from "./deno_source_file.ts";
import { readState, removeState, replaceState } from "./deno_state_file.ts";
import { DenoWholeFiles } from "./deno_whole_files.ts";
import { DiskPace, QUICK_BYTES } from "./disk_pace.ts";
import {
  type FileInfo,
  type PartFile,
  type PlaceResult,
  type SourceFile,
  type StatePlace,
  type Storage,
  StorageError,
  type TargetFile,
  type TargetLink,
  type WholeRead,
} from "./storage.ts";

/** The disk. */
export class DenoStorage implements Storage {
  /** As the system has it. */
  readonly nameRules: "posix" | "windows" = IS_WINDOWS ? "windows" : "posix";
  /** The file systems of macOS and Windows fold names unless set up otherwise. */
  readonly foldsNames: boolean = IS_WINDOWS || Deno.build.os === "darwin";
  readonly #pace = new DiskPace();
  readonly #looks = new FolderLooks();
  readonly #wholeFiles = new DenoWholeFiles(this.#pace, this.#looks);

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
    const real = await attempt(`find ${path}`, () => Deno.realPath(path));
    // Looking where a link led without the permission to would stop and ask the person.
    const { state } = await Deno.permissions.query({ name: "read", path: real });
    if (state === "granted") return real;
    throw new StorageError(
      "permission_missing",
      `Cannot look at ${real}: reading there is not allowed (--allow-read)`,
    );
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
    if (into.length > QUICK_BYTES || !this.#pace.begin()) return this.#readWhole(path, into);
    // No closure, nor a promise: this is once for each small file.
    if (!this.#pace.isSliceOver) return this.#readNow(path, into);
    return this.#pace.breathe().then(() => this.#readNow(path, into));
  }

  /** See {@linkcode Storage.openSource}. */
  async openSource(path: string): Promise<SourceFile> {
    return await DenoSourceFile.open(path);
  }

  /** See {@linkcode Storage.breathe}. */
  async breathe(): Promise<void> {
    await this.#pace.yield();
  }

  /** See {@linkcode Storage.freeBytes}. */
  async freeBytes(folder: string): Promise<number | undefined> {
    return await freeBytes(folder);
  }

  /** See {@linkcode Storage.makeFolders}. */
  async makeFolders(path: string): Promise<void> {
    await makeFolders(path);
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
      this.#pace.block(() => {
        // The call follows a link, and one that was put there would lead out of the target [DISK-2].
        if (!Deno.lstatSync(path).isDirectory) throw noFolderError(path);
        Deno.utimeSync(path, mtime, mtime);
      });
    } catch (error) {
      throw storageError(`set the time of ${path}`, error);
    }
  }

  /** See {@linkcode Storage.setFileTime}. */
  async setFileTime(path: string, mtimeMs: number): Promise<void> {
    // Windows sets the time only of what may be written; elsewhere the owner may always.
    const { file } = await openPlainFile(path, IS_WINDOWS ? { write: true } : { read: true });
    const mtime = new Date(mtimeMs);
    try {
      await attempt(`set the time of ${path}`, () => file.utime(mtime, mtime));
    } finally {
      file.close();
    }
  }

  /** See {@linkcode Storage.createPart}. */
  async createPart(target: TargetFile): Promise<PartFile> {
    return await DenoPartFile.create(target, this.#looks);
  }

  /** See {@linkcode Storage.resumePart}. */
  async resumePart(target: TargetFile): Promise<PartFile | undefined> {
    return await DenoPartFile.resume(target, this.#looks);
  }

  /** See {@linkcode Storage.writeWhole}. */
  writeWhole(target: TargetFile, bytes: Uint8Array): void | Promise<void> {
    return this.#wholeFiles.write(target, bytes);
  }

  /** See {@linkcode Storage.placeWhole}. */
  async placeWhole(targets: readonly TargetFile[]): Promise<(PlaceResult | StorageError)[]> {
    return await this.#wholeFiles.place(targets);
  }

  /** See {@linkcode Storage.discardWhole}. */
  async discardWhole(target: TargetFile): Promise<void> {
    await this.#wholeFiles.discard(target);
  }

  /** See {@linkcode Storage.syncFolder}. */
  async syncFolder(path: string): Promise<void> {
    await syncFolder(path);
  }

  /** See {@linkcode Storage.readLink}. */
  async readLink(path: string): Promise<string> {
    return await attempt(`read the link ${path}`, () => Deno.readLink(path));
  }

  /** See {@linkcode Storage.makeLink}. */
  async makeLink(text: string, target: TargetLink): Promise<PlaceResult> {
    this.#looks.check(target.folder);
    return await makeLink(text, target);
  }

  /** See {@linkcode Storage.readState}. */
  async readState(place: StatePlace, maxBytes: number): Promise<Uint8Array | undefined> {
    return await readState(place, maxBytes);
  }

  /** See {@linkcode Storage.replaceState}. */
  async replaceState(place: StatePlace, bytes: Uint8Array): Promise<void> {
    this.#looks.check(place.folder);
    await replaceState(place, bytes);
  }

  /** See {@linkcode Storage.removeState}. */
  // deno-lint-ignore require-await
  async removeState(place: StatePlace): Promise<void> {
    removeState(place);
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
