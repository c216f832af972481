/**
 * Looks for files that were received before and have another name in the share now: in the folders of
 * the share that are here, what the share does not name itself and has size and time of a new file.
 * That is a guess worth one look; only equal hashes count.
 */
import type { PlannedFile } from "./plan.ts";
import { type FileInfo, type Storage, StorageError } from "../../storage/storage.ts";
import type { TargetFolders } from "./target_folders.ts";

/** Most files that are looked at: more than most folders have, and a second of a slow disk. */
export const MAX_LOOKS = 100_000;

/** Where {@linkcode findMoved} looks. */
export interface MovedFilesOptions {
  readonly storage: Storage;
  /** What is here and not named by the share. */
  readonly here: TargetFolders;
  /** The target folder: looked through only when the share has files right in it. */
  readonly root: string;
}

/**
 * Notes for new files which file here may be the same under another name; of several the first.
 *
 * @param files Those of a plan, in which new ones are replaced.
 */
export async function findMoved(files: PlannedFile[], options: MovedFilesOptions): Promise<void> {
  const { storage, here, root } = options;
  let bySize: ReadonlyMap<number, readonly number[]> | undefined;
  let looksLeft = MAX_LOOKS;
  for (const [folder, names] of here.remaining()) {
    // Made only where something is left over: mostly nothing is.
    bySize ??= newFilesBySize(files);
    if (bySize.size === 0) return;
    if (folder === root && !files.some(({ parent }) => parent === root)) continue;
    for (const name of names) {
      // What is hidden was not received under a name without a dot.
      if (name.startsWith(".")) continue;
      if (looksLeft-- === 0) return;
      const path = storage.join(folder, name);
      const info = await look(storage, path);
      if (info?.kind !== "file") continue;
      for (const index of bySize.get(info.sizeBytes) ?? []) {
        const file = files[index]!;
        if (file.reuse !== undefined || file.entry.mtimeMs !== info.mtimeMs) continue;
        files[index] = { ...file, reuse: { path, isInPlace: false } };
      }
    }
  }
}

/** Which files are new and not empty, by their size. */
function newFilesBySize(files: readonly PlannedFile[]): ReadonlyMap<number, number[]> {
  const bySize = new Map<number, number[]>();
  files.forEach(({ state, entry }, index) => {
    if (state !== "new" || entry.kind !== "file" || entry.sizeBytes === 0) return;
    const others = bySize.get(entry.sizeBytes);
    if (others === undefined) bySize.set(entry.sizeBytes, [index]);
    else others.push(index);
  });
  return bySize;
}

/** Undefined also for what cannot be looked at: nothing depends on it. */
async function look(storage: Storage, path: string): Promise<FileInfo | undefined> {
  try {
    return await storage.inspect(path);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return undefined;
  }
}
