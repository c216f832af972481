/**
 * Small files of the disk, with calls that block: each takes a few microseconds on a local disk, and
 * five times as long through the runtime's thread pool. When it is better to wait is decided in
 * `disk_pace.ts`.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { storageError } from "./deno_errors.ts";
import { fileInfo, isSame, noPlainFileError, replacedError } from "./deno_file_info.ts";
import type { PlaceResult, TargetFile, WholeRead } from "./storage.ts";

/**
 * With these, which `Deno.openSync` does not have, a pipe or link that was put there after the look is
 * opened without waiting for a writer, or not at all: a call that blocks would hold up everything.
 * Windows knows neither.
 */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);
// Fails on whatever is there, a link included, and follows nothing.
const CREATE: Deno.OpenOptions = { write: true, createNew: true, mode: 0o666 };
const CREATE_EXECUTABLE: Deno.OpenOptions = { ...CREATE, mode: 0o777 };

/** Reads a plain file; see {@linkcode Storage.readWhole}. */
export function readSmallFile(path: string, into: Uint8Array): WholeRead {
  try {
    const seen = Deno.lstatSync(path);
    if (!seen.isFile) throw noPlainFileError(path);
    const file = openSync(path, READ);
    try {
      if (!isSame(seen, fstatSync(file))) throw replacedError(path);
      let length = 0;
      while (length < into.length) {
        const read = readSync(file, length === 0 ? into : into.subarray(length));
        if (read === 0) break;
        length += read;
      }
      const after = Deno.lstatSync(path);
      if (!isSame(seen, after)) throw replacedError(path);
      return { length, before: fileInfo(seen), after: fileInfo(after) };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw storageError(`read ${path}`, error);
  }
}

/**
 * Writes a file and puts it into its place; see {@linkcode Storage.writeWhole}. Whoever calls it has
 * looked at the folder [DISK-2]. The part file is made by this call and gone or in its place when
 * the call ends, so nobody gets to swap it unseen who could not swap the finished file as well.
 */
export function writeSmallFile(target: TargetFile, bytes: Uint8Array): PlaceResult {
  const { path, partPath, overwrite } = target;
  let isMade = false;
  try {
    const file = createPart(target);
    isMade = true;
    try {
      let written = 0;
      while (written < bytes.length) {
        written += file.writeSync(written === 0 ? bytes : bytes.subarray(written));
      }
      const mtime = new Date(target.mtimeMs);
      file.utimeSync(mtime, mtime);
    } finally {
      file.close();
    }
    if (!overwrite) return placeNew(path, partPath);
    Deno.renameSync(partPath, path);
    return "placed";
  } catch (error) {
    if (isMade) removeQuietly(partPath);
    throw storageError(`write ${path}`, error);
  }
}

function createPart({ partPath, executable }: TargetFile): Deno.FsFile {
  const options = executable ? CREATE_EXECUTABLE : CREATE;
  try {
    return Deno.openSync(partPath, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    // Left behind by a run that was killed. A link is removed, not what it points to.
    Deno.removeSync(partPath);
    return Deno.openSync(partPath, options);
  }
}

/** A second name and removal of the first: unlike a rename, it cannot replace anything [DISK-4]. */
function placeNew(path: string, partPath: string): PlaceResult {
  try {
    Deno.linkSync(partPath, path);
  } catch (error) {
    // File systems without hard links (FAT, some network drives) get a look and a rename. Between
    // the two another program could put something there, which would be lost.
    if (!(error instanceof Deno.errors.AlreadyExists) && !isThere(path)) {
      Deno.renameSync(partPath, path);
      return "placed";
    }
    Deno.removeSync(partPath);
    return "exists";
  }
  Deno.removeSync(partPath);
  return "placed";
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Gone already or not removable: the next run replaces it.
  }
}
