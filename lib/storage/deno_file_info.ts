/** What Deno tells of a file, in the words of a storage. */
import { type FileInfo, StorageError } from "./storage.ts";

/** Whether this is Windows, which has no exec bits and other names. */
export const IS_WINDOWS: boolean = Deno.build.os === "windows";

/** What a look at a file saw. */
export function fileInfo(info: Deno.FileInfo): FileInfo {
  return {
    kind: info.isFile
      ? "file"
      : info.isDirectory
      ? "directory"
      : info.isSymlink
      ? "symlink"
      : "other",
    sizeBytes: info.size,
    mtimeMs: Math.floor(info.mtime?.getTime() ?? 0),
    executable: !IS_WINDOWS && ((info.mode ?? 0) & 0o100) !== 0,
    inode: info.ino ?? 0,
    changedMs: info.ctime?.getTime() ?? 0,
  };
}

/** What tells files apart: device and inode, where the system has them. */
export type FileIdentity = Pick<Deno.FileInfo, "dev" | "ino">;

/** Whether two looks at a file saw the same one [DISK-2]. */
export function isSame(a: FileIdentity, b: FileIdentity): boolean {
  // Without inodes `Deno` says null and `node:fs` 0.
  return a.dev === b.dev && (a.ino ?? 0) === (b.ino ?? 0);
}

/** The error when they did not. */
export function replacedError(path: string): StorageError {
  return new StorageError("replaced", `Cannot use ${path}: another file took its place`);
}

/** The error when a folder is a link, or no folder at all. */
export function noFolderError(path: string): StorageError {
  return new StorageError("replaced", `Cannot write into ${path}: it is no folder any more`);
}

/** The error for what is not a plain file: opening a pipe would wait, a link would be followed. */
export function noPlainFileError(path: string): StorageError {
  return new StorageError("replaced", `Cannot open ${path}: not a plain file`);
}
