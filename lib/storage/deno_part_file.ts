/**
 * A part file on the disk: made anew or taken up again, filled, and moved into its place
 * (docs/transfer.md, "Files") [DISK-3].
 */
import { closeSync, constants, fchmodSync, fdatasync, fstatSync, openSync } from "node:fs";
import { loadFileCalls } from "./file_calls.ts";
import { attempt, storageError } from "./deno_errors.ts";
import { type FileIdentity, IS_WINDOWS, isSame, replacedError } from "./deno_file_info.ts";
import type { FolderLooks } from "./deno_folder_looks.ts";
import { assertSame, move } from "./deno_place.ts";
import { lookAt, openPlainFile, readFully } from "./deno_plain_file.ts";
import { HOLE_BYTES, isZero, zeroChunks } from "./sparse.ts";
import type { PartFile, PlaceResult, TargetFile } from "./storage.ts";

/** To open the same file a second time; see `deno_small_files.ts` about the flags. */
const AGAIN = constants.O_RDWR | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);
const EXEC_BITS = 0o111;

/**
 * A file that is larger than this leaves the page cache as it is written to the disk: it would push
 * out what other programs read. And a virtual machine that gave its free memory back to its host pays
 * 2 s of processor time to have a GB of it again, for pages that nobody reads.
 */
const CACHED_BYTES = 256 * 1024 * 1024;

/** A part file. */
export class DenoPartFile implements PartFile {
  readonly #target: TargetFile;
  readonly #looks: FolderLooks;
  readonly #file: Deno.FsFile;
  readonly #identity: FileIdentity;
  #sizeBytes: number;
  #position = 0;
  /** The same file, opened when it is needed: calls on one `FsFile` wait for each other. */
  #descriptor: number | undefined;
  #isOpen = true;

  private constructor(
    target: TargetFile,
    looks: FolderLooks,
    file: Deno.FsFile,
    info: Deno.FileInfo,
  ) {
    this.#target = target;
    this.#looks = looks;
    this.#file = file;
    this.#identity = info;
    this.#sizeBytes = info.size;
  }

  /** Makes a part file, replacing one that was left behind. */
  static async create(target: TargetFile, looks: FolderLooks): Promise<DenoPartFile> {
    const path = target.partPath;
    looks.check(target.folder);
    const options: Deno.OpenOptions = {
      read: true,
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
      const info = await attempt(`create ${path}`, () => file.stat());
      await assertSame(path, info);
      claim(file);
      return new DenoPartFile(target, looks, file, info);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Opens a part file that was left behind; see {@linkcode Storage.resumePart}. */
  static async resume(target: TargetFile, looks: FolderLooks): Promise<DenoPartFile | undefined> {
    const path = target.partPath;
    looks.check(target.folder);
    const seen = await lookAt(path);
    // What has another name too is in its place already, or somebody's own file.
    if (seen === undefined || !seen.isFile || (seen.nlink ?? 1) !== 1) return undefined;
    if (!makeOwn(path, seen, target.executable)) return undefined;
    const { file, info } = await openPlainFile(path, { read: true, write: true });
    if (claim(file)) return new DenoPartFile(target, looks, file, info);
    file.close();
    return undefined;
  }

  /** See {@linkcode PartFile.write}. */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    await attempt(`write ${this.#target.partPath}`, async () => {
      let start = 0;
      for (const hole of zeroChunks(offset, bytes)) {
        if (!(await this.#isEmptyAt(offset + hole))) continue;
        if (hole > start) await this.#write(offset + start, bytes.subarray(start, hole));
        start = hole + HOLE_BYTES;
      }
      if (start === 0) await this.#write(offset, bytes);
      else if (start < bytes.length) await this.#write(offset + start, bytes.subarray(start));
      const end = offset + bytes.length;
      if (end <= this.#sizeBytes) return;
      await this.#file.truncate(end);
      this.#sizeBytes = end;
    });
  }

  /** See {@linkcode PartFile.read}. */
  async read(offset: number, into: Uint8Array): Promise<number> {
    return await attempt(`read ${this.#target.partPath}`, () => this.#read(offset, into));
  }

  /** See {@linkcode PartFile.sync}. */
  async sync(): Promise<void> {
    const path = this.#target.partPath;
    const descriptor = this.#descriptor ??= openAgain(path, this.#identity);
    await attempt(`write ${path} to the disk`, () => syncData(descriptor));
    if (this.#sizeBytes > CACHED_BYTES) await loadFileCalls()?.dropFromCache(descriptor);
  }

  /** Ends a small file that is placed later, together with others; what tells it apart. */
  async finish(): Promise<FileIdentity> {
    await attempt(`write ${this.#target.partPath}`, () => this.#setTime());
    this.#close();
    return this.#identity;
  }

  /** See {@linkcode PartFile.place}. */
  async place(sizeBytes: number): Promise<PlaceResult> {
    const { path, partPath, folder } = this.#target;
    return await attempt(`put ${path} in its place`, async () => {
      if (sizeBytes !== this.#sizeBytes) await this.#file.truncate(sizeBytes);
      await this.#setTime();
      await this.#file.sync();
      this.#close();
      this.#looks.check(folder);
      // Long enough open for another program to have put its own part file there [DISK-2].
      await assertSame(partPath, this.#identity);
      return await move(this.#target);
    });
  }

  /** See {@linkcode PartFile.keep}. */
  keep(): void {
    this.#close();
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

  async #write(offset: number, bytes: Uint8Array): Promise<void> {
    this.#seek(offset);
    let written = 0;
    while (written < bytes.length) {
      written += await this.#file.write(written === 0 ? bytes : bytes.subarray(written));
    }
    this.#position = offset + written;
    if (this.#position > this.#sizeBytes) this.#sizeBytes = this.#position;
  }

  async #read(offset: number, into: Uint8Array): Promise<number> {
    this.#seek(offset);
    const length = await readFully(this.#file, into);
    this.#position = offset + length;
    return length;
  }

  #seek(offset: number): void {
    if (offset !== this.#position) this.#file.seekSync(offset, Deno.SeekMode.Start);
    // Not known any more until the call that follows went well.
    this.#position = -1;
  }

  /** Whether a chunk reads as zeros as it is: what another run left there may not. */
  async #isEmptyAt(offset: number): Promise<boolean> {
    if (offset >= this.#sizeBytes) return true;
    const old = new Uint8Array(HOLE_BYTES);
    // What lies behind the end of the file is left as it is here: zeros.
    await this.#read(offset, old);
    return isZero(old);
  }

  async #setTime(): Promise<void> {
    const mtime = new Date(this.#target.mtimeMs);
    await this.#file.utime(mtime, mtime);
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#file.close();
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }
}

/**
 * Gives a file that was left behind its exec bits, which only its owner can: the file of another user
 * could be changed after it was verified. False when it is not ours.
 */
function makeOwn(path: string, seen: Deno.FileInfo, executable: boolean): boolean {
  if (IS_WINDOWS) return true;
  let descriptor: number;
  try {
    descriptor = openAgain(path, seen);
  } catch {
    return false;
  }
  try {
    const mode = (seen.mode ?? 0o600) & 0o777;
    // Who may read it may execute it.
    fchmodSync(descriptor, executable ? mode | (mode >> 2 & EXEC_BITS) : mode & ~EXEC_BITS);
    return true;
  } catch {
    return false;
  } finally {
    closeSync(descriptor);
  }
}

/** Opens a file of ours again, following no link and waiting for no pipe. */
function openAgain(path: string, identity: FileIdentity): number {
  let descriptor: number;
  try {
    descriptor = openSync(path, AGAIN);
  } catch (error) {
    throw storageError(`open ${path}`, error);
  }
  if (isSame(fstatSync(descriptor), identity)) return descriptor;
  closeSync(descriptor);
  throw replacedError(path);
}

async function syncData(descriptor: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    fdatasync(descriptor, (error) => error ? reject(error) : resolve());
  });
}

/**
 * Says of a part file that it is being filled, until it is closed: what another run writes meanwhile
 * would be mixed with what this one verified [DISK-8].
 *
 * @returns False when another run has it.
 */
function claim(file: Deno.FsFile): boolean {
  try {
    return file.tryLockSync(true);
  } catch {
    // Some network drives have no locks; then nobody can tell.
    return true;
  }
}
