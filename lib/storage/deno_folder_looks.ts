/**
 * Looks at folders before something is put into them: one that was swapped for a link since the
 * offer was compared would lead out of the target [DISK-2]. A look counts for a few milliseconds, so
 * that a folder of many small files costs one, not one for each.
 */
import { storageError } from "./deno_errors.ts";
import { noFolderError } from "./deno_file_info.ts";

/** How long a look counts: what swaps folders every few milliseconds is faster than any look. */
const LOOK_MS = 10;

/** Remembers which folders were looked at just now. */
export class FolderLooks {
  readonly #now: () => number;
  readonly #seen = new Set<string>();
  #since = -Infinity;

  /** @param now The clock, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Makes sure that a folder is a folder and no link; blocks for a few microseconds.
   *
   * @param folder Undefined for the target folder itself, which may be a link.
   * @throws {StorageError} `replaced` when it is not.
   */
  check(folder: string | undefined): void {
    if (folder === undefined) return;
    const now = this.#now();
    if (now - this.#since > LOOK_MS) {
      this.#seen.clear();
      this.#since = now;
    }
    if (this.#seen.has(folder)) return;
    let info: Deno.FileInfo;
    try {
      info = Deno.lstatSync(folder);
    } catch (error) {
      throw storageError(`look at ${folder}`, error);
    }
    if (!info.isDirectory) throw noFolderError(folder);
    this.#seen.add(folder);
  }
}
