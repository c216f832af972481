/**
 * Small files of the disk, with calls that block: each takes a few microseconds on a local disk, and
 * five times as long through the runtime's thread pool. When it is better to wait is decided in
 * `disk_pace.ts`.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { storageError } from "./deno_errors.ts";
import {
  type FileIdentity,
  fileInfo,
  isSame,
  noPlainFileError,
  replacedError,
} from "./deno_file_info.ts";
import { assertSameNow, moveNow } from "./deno_place.ts";
import { loadFileCalls } from "./file_calls.ts";
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
      if (!isSame(seen, loadFileCalls()?.identityOf(file) ?? fstatSync(file))) {
        throw replacedError(path);
      }
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
 * Makes the part file of a file; see {@linkcode Storage.writeWhole}. Whoever calls it has looked at the
 * folder [DISK-2].
 */
export function createSmallFile({ path, partPath, executable }: TargetFile): Deno.FsFile {
  const options = executable ? CREATE_EXECUTABLE : CREATE;
  try {
    return Deno.openSync(partPath, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw storageError(`write ${path}`, error);
  }
  try {
    // Left behind by a run that was killed. A link is removed, not what it points to.
    Deno.removeSync(partPath);
    return Deno.openSync(partPath, options);
  } catch (error) {
    throw storageError(`write ${path}`, error);
  }
}

/**
 * Writes a file into its part file.
 *
 * @param file What {@linkcode createSmallFile} gave; stays open, unless this fails: then it is removed.
 */
export function fillSmallFile(
  file: Deno.FsFile,
  { path, partPath, mtimeMs }: TargetFile,
  bytes: Uint8Array,
): FileIdentity {
  try {
    let written = 0;
    while (written < bytes.length) {
      written += file.writeSync(written === 0 ? bytes : bytes.subarray(written));
    }
    const mtime = new Date(mtimeMs);
    file.utimeSync(mtime, mtime);
    return file.statSync();
  } catch (error) {
    file.close();
    removeQuietly(partPath);
    throw storageError(`write ${path}`, error);
  }
}

/**
 * Moves a part file into its place, if it is still the one that was written [DISK-2]. Whoever calls it
 * has looked at the folder.
 *
 * @param identity What {@linkcode fillSmallFile} gave.
 */
export function placeSmallFile(
  target: TargetFile,
  identity: FileIdentity | undefined,
): PlaceResult {
  assertSameNow(target.partPath, identity);
  return moveNow(target);
}

/** Removes a file; one that is not there or cannot be removed stays as it is. */
export function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Gone already or not removable: the next run replaces it.
  }
}
