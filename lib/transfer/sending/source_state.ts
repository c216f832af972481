/** Whether what is read is still what was listed, and how a request ends that cannot be [XFER-13]. */
import type { ManifestEntry } from "../offer/entry.ts";
import { type FileInfo, StorageError, type WholeRead } from "../../storage/storage.ts";

/** What becomes of a file that was read. */
export type ReadStatus = "intact" | "changed" | "unreadable";

/** Whether size and time of a file are those of its entry. */
export function isUnchanged(entry: ManifestEntry, info: FileInfo): boolean {
  return info.kind === "file" && info.sizeBytes === entry.sizeBytes &&
    info.mtimeMs === entry.mtimeMs;
}

/** Whether two looks at a path saw the same file, and nothing written to it in between. */
export function isSameState(a: FileInfo, b: FileInfo): boolean {
  return a.kind === b.kind && a.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs &&
    a.inode === b.inode && a.changedMs === b.changedMs;
}

/** What became of a file that was read at once. */
export function wholeReadStatus(entry: ManifestEntry, read: WholeRead): ReadStatus {
  const isIntact = read.length === entry.sizeBytes && isUnchanged(entry, read.before) &&
    isUnchanged(entry, read.after);
  return isIntact ? "intact" : "changed";
}

/**
 * What became of a file when a call of the storage failed.
 *
 * @throws What it is given, when that is no {@linkcode StorageError}.
 */
export function failedReadStatus(error: unknown): "changed" | "unreadable" {
  if (!(error instanceof StorageError)) throw error;
  return error.kind === "replaced" ? "changed" : "unreadable";
}
