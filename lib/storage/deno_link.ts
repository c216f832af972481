/** Symbolic links on the disk, made without following or replacing what was not meant to be. */
import { lutimes } from "node:fs/promises";
import { attempt } from "./deno_errors.ts";
import { removeQuietly } from "./deno_small_files.ts";
import { type PlaceResult, StorageError, type TargetLink } from "./storage.ts";

/** Half a millionth of a second: times go through `node:fs` as seconds with a fraction, cut off. */
const ROUNDING_MS = 0.0005;

/**
 * Makes a symbolic link; see {@linkcode Storage.makeLink}. Whoever calls it has looked at the folder
 * [DISK-2].
 */
export async function makeLink(text: string, target: TargetLink): Promise<PlaceResult> {
  const { path, partPath, overwrite } = target;
  await assertAllowed(path);
  return await attempt(`create the link ${path}`, async () => {
    if (!overwrite) {
      try {
        // Fails on whatever is there, and follows nothing [DISK-4].
        await Deno.symlink(text, path);
      } catch (error) {
        if (error instanceof Deno.errors.AlreadyExists) return "exists";
        throw error;
      }
      await setTime(path, target.mtimeMs);
      return "placed";
    }
    removeQuietly(partPath);
    await Deno.symlink(text, partPath);
    try {
      await setTime(partPath, target.mtimeMs);
      await Deno.rename(partPath, path);
      return "placed";
    } catch (error) {
      removeQuietly(partPath);
      throw error;
    }
  });
}

/** Deno lets only those make links who may read and write everywhere; it would stop and ask. */
async function assertAllowed(path: string): Promise<void> {
  for (const name of ["read", "write"] as const) {
    const { state } = await Deno.permissions.query({ name });
    if (state === "granted") continue;
    throw new StorageError(
      "permission_missing",
      `Cannot create the link ${path}: Deno allows links only with --allow-read and --allow-write ` +
        "for all paths; leave links out with --symlinks skip",
    );
  }
}

/** Sets the time of a link itself. Best effort, and not before 1970: nothing is decided by it. */
async function setTime(path: string, mtimeMs: number): Promise<void> {
  if (mtimeMs < 0) return;
  const seconds = (mtimeMs + ROUNDING_MS) / 1000;
  try {
    await lutimes(path, seconds, seconds);
  } catch {
    // Not on this file system: the link keeps the time it was made at.
  }
}
