/** Folders on the disk: made so that they survive a power cut, and synced [DISK-6]. */
import { dirname, resolve } from "node:path";
import { attempt, isUnsupported, storageError } from "./deno_errors.ts";
import { IS_WINDOWS } from "./deno_file_info.ts";
import { lookAt } from "./deno_plain_file.ts";

/** Makes a folder and those above it; see {@linkcode Storage.makeFolders}. */
export async function makeFolders(path: string): Promise<void> {
  const changed: string[] = [];
  for (let folder = resolve(path); await isMissing(folder);) {
    folder = dirname(folder);
    changed.push(folder);
  }
  await attempt(`create folder ${path}`, () => Deno.mkdir(path, { recursive: true }));
  for (const folder of changed) {
    if (await mayRead(folder)) await syncFolder(folder);
  }
}

/** Makes names in a folder survive a power cut; see {@linkcode Storage.syncFolder}. */
export async function syncFolder(path: string): Promise<void> {
  if (IS_WINDOWS) return;
  try {
    const folder = await Deno.open(path, { read: true });
    try {
      await folder.sync();
    } finally {
      folder.close();
    }
  } catch (error) {
    const known = storageError(`sync ${path}`, error);
    // One that may be written and not read cannot be opened.
    if (known.kind !== "denied" && !isUnsupported(error)) throw known;
  }
}

/** Whether there is nothing at a path; false also for what may not be looked at. */
async function isMissing(path: string): Promise<boolean> {
  return await mayRead(path) && await lookAt(path) === undefined;
}

/** Asking without the permission would stop and ask the person; it may end at the target folder. */
async function mayRead(path: string): Promise<boolean> {
  const { state } = await Deno.permissions.query({ name: "read", path });
  return state === "granted";
}
