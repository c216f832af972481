/**
 * Files on the disk, through Deno.
 *
 * After every open, device and inode of what was opened are compared with those of what was looked
 * at, before a byte is read, written or truncated [DISK-2]. What remains is a race with a program on
 * this machine that swaps a folder on the way to the file for a link after it was looked at: Deno
 * has no `openat`.
 */
import { basename, dirname, join } from "node:path";
import { statfs } from "node:fs/promises";
import { CHUNK_BYTES } from "./limits.ts";
import { DiskPace } from "./disk_pace.ts";
import { attempt, storageError } from "./deno_errors.ts";
import { blockingCalls, type FileCalls, waitingCalls } from "./deno_file_calls.ts";
import { isSame, replacedError } from "./deno_identity.ts";
import { DenoPartFile } from "./deno_part_file.ts";
import {
  type FileInfo,
  type PartFile,
  type PlaceResult,
  type SourceFile,
  type Storage,
  StorageError,
  type TargetFile,
  type WholeRead,
} from "./storage.ts";

/** The disk. */
export class DenoStorage implements Storage {
  /** As the system has it. */
  readonly nameRules: "posix" | "windows" = isWindows() ? "windows" : "posix";
  /** The file systems of macOS and Windows fold names unless set up otherwise. */
  readonly foldsNames: boolean = isWindows() || Deno.build.os === "darwin";
  readonly #pace = new DiskPace();
  readonly #blocking = blockingCalls(this.#pace);

  /** See {@linkcode Storage.join}. */
  join(folder: string, name: string): string {
    return join(folder, name);
  }

  /** See {@linkcode Storage.baseName}. */
  baseName(path: string): string {
    return basename(path);
  }

  /** See {@linkcode Storage.inspect}. */
  async inspect(path: string): Promise<FileInfo | undefined> {
    const calls = this.#callsFor(0);
    try {
      return fileInfo(await calls.lstat(path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw storageError(`look at ${path}`, error);
    } finally {
      await this.#pace.breathe();
    }
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
  async readWhole(path: string, into: Uint8Array): Promise<WholeRead> {
    const calls = this.#callsFor(into.length);
    const { file, info: before } = await openExisting(calls, path);
    try {
      const length = await readFull(calls, file, into, path);
      const after = fileInfo(await attempt(`look at ${path}`, () => calls.stat(file)));
      return { length, before, after };
    } finally {
      file.close();
      await this.#pace.breathe();
    }
  }

  /** See {@linkcode Storage.openSource}. */
  async openSource(path: string): Promise<SourceFile> {
    const { file, info } = await openExisting(waitingCalls, path);
    return new DenoSourceFile(path, file, info);
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
    try {
      await this.#pace.block(() => Deno.mkdirSync(path));
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return false;
      throw storageError(`create folder ${path}`, error);
    } finally {
      await this.#pace.breathe();
    }
  }

  /** See {@linkcode Storage.setFolderTime}. */
  async setFolderTime(path: string, mtimeMs: number): Promise<void> {
    const mtime = new Date(mtimeMs);
    await attempt(`set the time of ${path}`, () => Deno.utime(path, mtime, mtime));
  }

  /** See {@linkcode Storage.writeWhole}. */
  async writeWhole(target: TargetFile, bytes: Uint8Array): Promise<PlaceResult> {
    const calls = this.#callsFor(bytes.length);
    const part = await DenoPartFile.create(calls, target);
    try {
      await part.write(0, bytes);
      return await part.placeAtOnce();
    } catch (error) {
      await part.discard();
      throw error;
    } finally {
      await this.#pace.breathe();
    }
  }

  /** See {@linkcode Storage.createPart}. */
  async createPart(target: TargetFile): Promise<PartFile> {
    return await DenoPartFile.create(waitingCalls, target);
  }

  #callsFor(bytes: number): FileCalls {
    return bytes <= CHUNK_BYTES && this.#pace.begin() ? this.#blocking : waitingCalls;
  }
}

class DenoSourceFile implements SourceFile {
  readonly info: FileInfo;
  readonly #path: string;
  readonly #file: Deno.FsFile;

  constructor(path: string, file: Deno.FsFile, info: FileInfo) {
    this.#path = path;
    this.#file = file;
    this.info = info;
  }

  async read(offset: number, into: Uint8Array): Promise<number> {
    return await attempt(`read ${this.#path}`, async () => {
      this.#file.seekSync(offset, Deno.SeekMode.Start);
      return await readFull(waitingCalls, this.#file, into, this.#path);
    });
  }

  async inspect(): Promise<FileInfo> {
    return fileInfo(await attempt(`look at ${this.#path}`, () => this.#file.stat()));
  }

  close(): void {
    this.#file.close();
  }
}

/** Opens a plain file that exists, and makes sure that it is the one that was looked at. */
async function openExisting(
  calls: FileCalls,
  path: string,
): Promise<{ file: Deno.FsFile; info: FileInfo }> {
  const seen = await attempt(`look at ${path}`, () => calls.lstat(path));
  // Opening a pipe would wait for its other end, a link would be followed.
  if (!seen.isFile) throw new StorageError("replaced", `Cannot open ${path}: not a plain file`);
  const file = await attempt(`open ${path}`, () => calls.open(path, { read: true }));
  try {
    const opened = await attempt(`look at ${path}`, () => calls.stat(file));
    if (!isSame(seen, opened)) throw replacedError(path);
    return { file, info: fileInfo(opened) };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function readFull(
  calls: FileCalls,
  file: Deno.FsFile,
  into: Uint8Array,
  path: string,
): Promise<number> {
  return await attempt(`read ${path}`, async () => {
    let length = 0;
    while (length < into.length) {
      const read = await calls.read(file, length === 0 ? into : into.subarray(length));
      if (read === null) break;
      length += read;
    }
    return length;
  });
}

function fileInfo(info: Deno.FileInfo): FileInfo {
  const kind = info.isFile
    ? "file"
    : info.isDirectory
    ? "directory"
    : info.isSymlink
    ? "symlink"
    : "other";
  return {
    kind,
    sizeBytes: info.size,
    mtimeMs: Math.floor(info.mtime?.getTime() ?? 0),
    executable: !isWindows() && ((info.mode ?? 0) & 0o100) !== 0,
  };
}

function isWindows(): boolean {
  return Deno.build.os === "windows";
}
