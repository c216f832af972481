/**
 * A part file on the disk: made anew, filled, and moved into its place without replacing anything
 * that was not meant to be replaced (docs/transfer.md, "Files") [DISK-3].
 */
import { attempt, storageError } from "./deno_errors.ts";
import { isSame, replacedError } from "./deno_file_info.ts";
import type { FolderLooks } from "./deno_folder_looks.ts";
import type { PartFile, PlaceResult, TargetFile } from "./storage.ts";

/** A part file. */
export class DenoPartFile implements PartFile {
  readonly #target: TargetFile;
  readonly #looks: FolderLooks;
  readonly #file: Deno.FsFile;
  readonly #identity: Deno.FileInfo;
  #position = 0;
  #isOpen = true;

  private constructor(
    target: TargetFile,
    looks: FolderLooks,
    file: Deno.FsFile,
    identity: Deno.FileInfo,
  ) {
    this.#target = target;
    this.#looks = looks;
    this.#file = file;
    this.#identity = identity;
  }

  /** Makes a part file, replacing one that was left behind. */
  static async create(target: TargetFile, looks: FolderLooks): Promise<DenoPartFile> {
    const path = target.partPath;
    looks.check(target.folder);
    const options: Deno.OpenOptions = {
      write: true,
      // Fails on whatever is there, a link included, and follows nothing.
      createNew: true,
      mode: target.executable ? 0o777 : 0o666,
    };
    let file: Deno.FsFile;
    try {
      file = await Deno.open(path, options);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) {
        throw storageError(`create ${path}`, error);
      }
      // Left behind by a run that was killed. A link is removed, not what it points to.
      file = await attempt(`create ${path}`, async () => {
        await Deno.remove(path);
        return await Deno.open(path, options);
      });
    }
    try {
      const identity = await attempt(`create ${path}`, () => file.stat());
      await assertSame(path, identity);
      return new DenoPartFile(target, looks, file, identity);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** See {@linkcode PartFile.write}. */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    const path = this.#target.partPath;
    await attempt(`write ${path}`, async () => {
      if (offset !== this.#position) this.#file.seekSync(offset, Deno.SeekMode.Start);
      let written = 0;
      while (written < bytes.length) {
        const rest = written === 0 ? bytes : bytes.subarray(written);
        written += await this.#file.write(rest);
      }
      this.#position = offset + written;
    });
  }

  /** See {@linkcode PartFile.place}. */
  async place(): Promise<PlaceResult> {
    const { path, partPath, folder } = this.#target;
    return await attempt(`put ${path} in its place`, async () => {
      await this.#complete();
      this.#looks.check(folder);
      // Long enough open for another program to have put its own part file there [DISK-2].
      await assertSame(partPath, this.#identity);
      return await this.#move();
    });
  }

  /** See {@linkcode PartFile.discard}. */
  async discard(): Promise<void> {
    this.#close();
    try {
      await Deno.remove(this.#target.partPath);
    } catch {
      // Gone already or not removable: the next run replaces it.
    }
  }

  async #complete(): Promise<void> {
    const mtime = new Date(this.#target.mtimeMs);
    await this.#file.utime(mtime, mtime);
    this.#close();
  }

  async #move(): Promise<PlaceResult> {
    const { path, partPath, overwrite } = this.#target;
    if (!overwrite) return await this.#placeNew(path, partPath);
    await Deno.rename(partPath, path);
    return "placed";
  }

  /** A second name and removal of the first: unlike a rename, it cannot replace anything. */
  async #placeNew(path: string, partPath: string): Promise<PlaceResult> {
    try {
      await Deno.link(partPath, path);
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) {
        await Deno.remove(partPath);
        return "exists";
      }
      // File systems without hard links (FAT, some network drives). Between this look and the
      // rename another program could put something there, which would be lost [DISK-4].
      if (await isThere(path)) {
        await Deno.remove(partPath);
        return "exists";
      }
      await Deno.rename(partPath, path);
      return "placed";
    }
    await Deno.remove(partPath);
    return "placed";
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#file.close();
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function assertSame(path: string, identity: Deno.FileInfo): Promise<void> {
  const seen = await attempt(`look at ${path}`, () => Deno.lstat(path));
  if (!seen.isFile || !isSame(seen, identity)) throw replacedError(path);
}
