/**
 * Moves part files into their places without replacing anything that was not meant to be [DISK-4]:
 * blocking, for small files, and through the runtime's thread pool.
 */
import { loadFileCalls } from "./file_calls.ts";
import { attempt } from "./deno_errors.ts";
import { type FileIdentity, isSame, replacedError } from "./deno_file_info.ts";
import { lookAt } from "./deno_plain_file.ts";
import type { PlaceResult, TargetFile } from "./storage.ts";

/** From where to where. */
type Move = Pick<TargetFile, "path" | "partPath" | "overwrite">;

/** Moves a part file into its place. */
export async function move({ path, partPath, overwrite }: Move): Promise<PlaceResult> {
  if (overwrite) {
    await Deno.rename(partPath, path);
    return "placed";
  }
  if (await loadFileCalls()?.renameNewLater(partPath, path)) return "placed";
  try {
    await Deno.link(partPath, path);
  } catch (error) {
    // File systems without hard links (FAT, some network drives) get a look and a rename. Between
    // the two another program could put something there, which would be lost.
    if (!(error instanceof Deno.errors.AlreadyExists) && await lookAt(path) === undefined) {
      await Deno.rename(partPath, path);
      return "placed";
    }
    await Deno.remove(partPath);
    return "exists";
  }
  await Deno.remove(partPath);
  return "placed";
}

/** The same with calls that block. */
export function moveNow({ path, partPath, overwrite }: Move): PlaceResult {
  if (overwrite) {
    Deno.renameSync(partPath, path);
    return "placed";
  }
  if (loadFileCalls()?.renameNew(partPath, path)) return "placed";
  try {
    Deno.linkSync(partPath, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists) && !isThere(path)) {
      Deno.renameSync(partPath, path);
      return "placed";
    }
    Deno.removeSync(partPath);
    return "exists";
  }
  Deno.removeSync(partPath);
  return "placed";
}

/**
 * Makes sure that a path still leads to the file it led to before [DISK-2].
 *
 * @param identity Undefined when it led to none.
 * @throws {StorageError} `replaced` when it does not.
 */
export async function assertSame(path: string, identity: FileIdentity | undefined): Promise<void> {
  const seen = await attempt(`look at ${path}`, () => Deno.lstat(path));
  if (!seen.isFile || identity === undefined || !isSame(seen, identity)) throw replacedError(path);
}

/** The same with calls that block. */
export function assertSameNow(path: string, identity: FileIdentity | undefined): void {
  const seen = Deno.lstatSync(path);
  if (!seen.isFile || identity === undefined || !isSame(seen, identity)) throw replacedError(path);
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
