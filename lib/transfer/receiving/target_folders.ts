/**
 * What is in the folders of the target, each listed once: tens of thousands of files that are not
 * here yet cost no look each. Names only; what they are names of is for others to look at.
 */
import { foldName } from "../names.ts";
import { type Storage, StorageError } from "../../storage/storage.ts";

/** The folders of the target that are there. */
export class TargetFolders {
  readonly #storage: Storage;
  /** By path here, each name as the system tells it apart and as it is written. */
  readonly #folders = new Map<string, Map<string, string>>();

  /** @param storage Where the target is. */
  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Lists a folder that is there. */
  async list(folder: string): Promise<void> {
    let names: readonly string[];
    try {
      names = await this.#storage.list(folder);
    } catch (error) {
      // May be written and not listed: then each path is looked at.
      if (!(error instanceof StorageError) || error.kind === "permission_missing") throw error;
      return;
    }
    const spellings = new Map<string, string>();
    for (const name of names) spellings.set(this.#keyOf(name), name);
    this.#folders.set(folder, spellings);
  }

  /** Whether a folder was listed. */
  isListed(folder: string): boolean {
    return this.#folders.has(folder);
  }

  /** A name as it is written in a folder; undefined when it is not there or the folder not listed. */
  spelling(folder: string, name: string): string | undefined {
    return this.#folders.get(folder)?.get(this.#keyOf(name));
  }

  /**
   * Takes a name of the share out of those that are here.
   *
   * @returns Whether there may be something of that name: always in a folder that is not listed.
   */
  take(folder: string, name: string): boolean {
    const names = this.#folders.get(folder);
    return names === undefined || names.delete(this.#keyOf(name));
  }

  /** The folders that were listed, each with the names in it that were not taken. */
  *remaining(): Generator<readonly [folder: string, names: Iterable<string>]> {
    for (const [folder, names] of this.#folders) {
      if (names.size > 0) yield [folder, names.values()];
    }
  }

  #keyOf(name: string): string {
    return this.#storage.foldsNames ? foldName(name) : name;
  }
}
