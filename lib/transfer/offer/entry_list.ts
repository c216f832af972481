/** Entries of a share while they are put together: counted, and kept within the bounds of a share. */
import { TransferError } from "../../errors.ts";
import type { ManifestEntry } from "./entry.ts";
import { MAX_ENTRIES, MAX_MANIFEST_BYTES } from "../limits.ts";
import { utf8Length } from "../utf8.ts";

/** Entries in order, and how many there are of each kind. */
export class EntryList {
  /** Those that were added. */
  readonly entries: ManifestEntry[] = [];
  /** How many are files or streams. */
  files = 0;
  /** How many are folders. */
  directories = 0;
  /** How many are symbolic links. */
  links = 0;
  /** Sum of the file sizes. */
  bytes = 0;
  #pathBytes = 0;

  /**
   * Adds an entry.
   *
   * @throws {TransferError} `limit_exceeded` when no receiver would take so many, or such long paths.
   */
  add(entry: ManifestEntry): void {
    this.#pathBytes += utf8Length(entry.path);
    if (entry.linkTarget !== undefined) this.#pathBytes += utf8Length(entry.linkTarget);
    if (this.entries.length === MAX_ENTRIES || this.#pathBytes > MAX_MANIFEST_BYTES) {
      throw new TransferError(
        "limit_exceeded",
        `Cannot share this: more than ${MAX_ENTRIES} entries, or their paths are too long`,
      );
    }
    if (entry.kind === "directory") this.directories++;
    else if (entry.kind === "symlink") this.links++;
    else this.files++;
    this.bytes += entry.sizeBytes;
    this.entries.push(entry);
  }
}
