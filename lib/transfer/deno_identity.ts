/** Tells whether two looks at a file saw the same one [DISK-2]. */
import { StorageError } from "./storage.ts";

/** Whether device and inode are the same. */
export function isSame(a: Deno.FileInfo, b: Deno.FileInfo): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

/** The error when they are not. */
export function replacedError(path: string): StorageError {
  return new StorageError("replaced", `Cannot use ${path}: another file took its place`);
}
