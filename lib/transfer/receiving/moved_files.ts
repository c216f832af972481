/**
 * Looks for files that were received before and have another name in the share now: in the folders of
 * the share that are here, what the share does not name itself and has size and time of a new file.
 * That is a guess worth one look; only equal hashes count.
 */
import type { PlannedFile } from "./plan.ts";
import { type FileInfo, type Storage, StorageError } from "../../storage/storage.ts";
import type { TargetFolders } from "./target_folders.ts";

/** Most files that are looked at: more than most folders have, and a second of a slow disk. */
const MAX_LOOKS = 100_000;
/** So many are looked at for any new file: a few milliseconds. */
const FREE_LOOKS = 1000;
/** Bytes that are sent in the time of a look, and more of them on a slow line. */
const BYTES_PER_LOOK = 4096;

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
  let wanted: Map<string, number[]> | undefined;
  let looksLeft = 0;
  for (const [folder, names] of here.remaining()) {
    if (folder === root && !files.some(({ parent }) => parent === root)) continue;
    // Made only where something is left over: mostly nothing is.
    if (wanted === undefined) {
      wanted = newFiles(files);
      looksLeft = worthwhileLooks(files);
    }
    for (const name of names) {
      if (wanted.size === 0) return;
      // What is hidden was not received under a name without a dot.
      if (name.startsWith(".")) continue;
      if (looksLeft-- === 0) return;
      const path = storage.join(folder, name);
      const looked = look(storage, path);
      const info = looked instanceof Promise ? await looked : looked;
      if (info?.kind !== "file") continue;
      const key = keyOf(info);
      for (const index of wanted.get(key) ?? []) {
        files[index] = { ...files[index]!, reuse: { path, isInPlace: false } };
      }
      wanted.delete(key);
    }
  }
}

/** What a file and the one it may be have in common. */
function keyOf({ sizeBytes, mtimeMs }: Pick<FileInfo, "sizeBytes" | "mtimeMs">): string {
  return `${sizeBytes} ${mtimeMs}`;
}

/** Which files are new and not empty, by their size and time. */
function newFiles(files: readonly PlannedFile[]): Map<string, number[]> {
  const byKey = new Map<string, number[]>();
  files.forEach(({ state, entry }, index) => {
    if (state !== "new" || entry.kind !== "file" || entry.sizeBytes === 0) return;
    const key = keyOf(entry);
    const others = byKey.get(key);
    if (others === undefined) byKey.set(key, [index]);
    else others.push(index);
  });
  return byKey;
}

/** How many looks may spare more than they cost. */
function worthwhileLooks(files: readonly PlannedFile[]): number {
  let newBytes = 0;
  for (const { state, entry } of files) if (state === "new") newBytes += entry.sizeBytes;
  return Math.min(MAX_LOOKS, FREE_LOOKS + Math.ceil(newBytes / BYTES_PER_LOOK));
}

type Look = FileInfo | undefined;

/** Undefined also for what cannot be looked at: nothing depends on it. */
function look(storage: Storage, path: string): Look | Promise<Look> {
  try {
    const looked = storage.inspect(path);
    return looked instanceof Promise ? looked.catch(asNothing) : looked;
  } catch (error) {
    return asNothing(error);
  }
}

function asNothing(error: unknown): undefined {
  if (!(error instanceof StorageError)) throw error;
}
