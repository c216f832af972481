/**
 * The last steps in the target, once every file is in its place or given up: links, what earlier runs
 * left behind, the times of folders, and then all names on the disk, because whoever gets a RECEIPT
 * may delete what was sent [DISK-6].
 */
import type { Leftovers } from "./leftovers.ts";
import { type LinkWorld, makeLinks } from "./link_maker.ts";
import { FILE_LANES } from "../limits.ts";
import type { Preparation } from "./preparation.ts";
import { Lanes } from "../../storage/lanes.ts";
import { type Storage, StorageError } from "../../storage/storage.ts";

/** What {@linkcode finishTarget} works with. */
export interface FinishingOptions extends LinkWorld {
  /** What was decided, and which folders were made. */
  readonly preparation: Preparation;
  readonly leftovers: Leftovers;
  /** Folders with something in its place; an earlier run that was killed may not have synced it. */
  readonly foldersInUse: ReadonlySet<string>;
}

/**
 * Takes the last steps.
 *
 * @returns How many links are in their place.
 * @throws {StorageError} When the disk is full or broken.
 */
export async function finishTarget(options: FinishingOptions): Promise<number> {
  const { preparation: { links, madeFolders }, leftovers, storage } = options;
  const placedLinks = await makeLinks(links, options);
  await leftovers.remove();
  // From the inside out, and after all that is placed: each changes the time of its folder.
  for (const { path, mtimeMs } of madeFolders.toReversed()) {
    try {
      await storage.setFolderTime(path, mtimeMs);
    } catch (error) {
      // Some file systems keep no times for folders; nothing is lost.
      if (!(error instanceof StorageError)) throw error;
    }
  }
  const folders = new Set(options.foldersInUse);
  for (const { path, parent } of madeFolders) folders.add(path).add(parent);
  // What leads to them was made, too, or may be.
  if (folders.size > 0) await syncFolders(storage, folders.add(options.directory));
  return placedLinks;
}

async function syncFolders(storage: Storage, folders: ReadonlySet<string>): Promise<void> {
  const lanes = new Lanes(FILE_LANES);
  const syncing = Array.from(folders, (folder) => lanes.run(() => storage.syncFolder(folder)));
  await Promise.all(syncing);
}
