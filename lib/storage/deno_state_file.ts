/** Journals on the disk: read as a whole, replaced as a whole. */
import { attempt } from "./deno_errors.ts";
import { readSmallFile, removeQuietly } from "./deno_small_files.ts";
import { nextStatePath, type StatePlace, StorageError } from "./storage.ts";

/** Reads a journal; see {@linkcode Storage.readState}. */
export async function readState(
  { journalPath }: StatePlace,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const info = await attempt(`look at ${journalPath}`, async () => {
    try {
      return await Deno.lstat(journalPath);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  });
  if (info === undefined || !info.isFile || info.size > maxBytes) return undefined;
  const bytes = new Uint8Array(info.size);
  try {
    const { length, after } = readSmallFile(journalPath, bytes);
    return length === info.size && after.sizeBytes === length ? bytes : undefined;
  } catch (error) {
    // Swapped or removed since the look.
    if (error instanceof StorageError && /^(?:replaced|not_found)$/.test(error.kind)) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Replaces a journal; see {@linkcode Storage.replaceState}. Whoever calls it has looked at the folder
 * [DISK-2].
 */
export async function replaceState(place: StatePlace, bytes: Uint8Array): Promise<void> {
  const path = nextStatePath(place);
  await attempt(`write ${path}`, async () => {
    // Left behind by a run that was killed. A link is removed, not what it points to.
    removeQuietly(path);
    const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    try {
      try {
        let written = 0;
        while (written < bytes.length) written += await file.write(bytes.subarray(written));
        await file.sync();
      } finally {
        file.close();
      }
      await Deno.rename(path, place.journalPath);
    } catch (error) {
      // On a full disk, for instance, where its room is wanted.
      removeQuietly(path);
      throw error;
    }
  });
}

/** Removes a journal, and what a run that was killed while it wrote one left behind. */
export function removeState(place: StatePlace): void {
  removeQuietly(place.journalPath);
  removeQuietly(nextStatePath(place));
}
