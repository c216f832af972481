/** Opens files that are there, and only plain ones that were looked at before [DISK-2]. */
import { attempt, storageError } from "./deno_errors.ts";
import { isSame, noPlainFileError, replacedError } from "./deno_file_info.ts";

/** An open file, and what it was when it was opened. */
export interface PlainFile {
  readonly file: Deno.FsFile;
  readonly info: Deno.FileInfo;
}

/**
 * Opens a plain file, and makes sure that it is the one that was looked at.
 *
 * @throws {StorageError} `replaced` when it is not, or no plain file.
 */
export async function openPlainFile(path: string, options: Deno.OpenOptions): Promise<PlainFile> {
  const seen = await attempt(`look at ${path}`, () => Deno.lstat(path));
  if (!seen.isFile) throw noPlainFileError(path);
  const file = await attempt(`open ${path}`, () => Deno.open(path, options));
  try {
    const info = await attempt(`look at ${path}`, () => file.stat());
    if (!isSame(seen, info)) throw replacedError(path);
    return { file, info };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** What is at a path, the last link not followed; undefined when there is nothing. */
export async function lookAt(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw storageError(`look at ${path}`, error);
  }
}

/** Reads on until `into` is full or the file ends; gives how many bytes there were. */
export async function readFully(file: Deno.FsFile, into: Uint8Array): Promise<number> {
  let length = 0;
  while (length < into.length) {
    const read = await file.read(length === 0 ? into : into.subarray(length));
    if (read === null) break;
    length += read;
  }
  return length;
}
