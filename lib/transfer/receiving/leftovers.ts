/**
 * What earlier runs left beside files that are complete now: a program that is killed between the two
 * halves of a move leaves the part file too, and a journal may outlive its file. Part files and
 * journals of anything else stay: they may be wanted [DISK-3].
 */
import type { OwnNaming } from "../own_names.ts";
import type { PlannedEntry } from "./plan.ts";
import {
  nextStatePath,
  type Storage,
  StorageError,
  type TargetFile,
} from "../../storage/storage.ts";
import type { TargetFolders } from "./target_folders.ts";

const OWN_NAME = /^\.p2pft-[0-9a-f]{16}\.(?:part|journal|next)$/;

/** Beside one entry. */
interface Left {
  readonly target: TargetFile;
  readonly hasPart: boolean;
}

/** What there may be to remove in one target. */
export class Leftovers {
  readonly #storage: Storage;
  readonly #own: OwnNaming;
  /** Names of ours, by folder; mostly there are none. */
  readonly #names = new Map<string, Set<string>>();
  readonly #left: Left[] = [];

  /**
   * @param storage Where the target is.
   * @param own What the names are.
   * @param here What was in the target before anything was written.
   */
  constructor(storage: Storage, own: OwnNaming, here: TargetFolders) {
    this.#storage = storage;
    this.#own = own;
    for (const [folder, names] of here.remaining()) {
      const own = Array.from(names).filter((name) => OWN_NAME.test(name));
      if (own.length > 0) this.#names.set(folder, new Set(own));
    }
  }

  /** Notes an entry that is in its place. */
  note({ parent, storedAs, entry: { mtimeMs } }: PlannedEntry): void {
    const names = this.#names.get(parent);
    if (names === undefined) return;
    const { part, journal } = this.#own.of(storedAs);
    const partPath = this.#storage.join(parent, part);
    const journalPath = this.#storage.join(parent, journal);
    const next = nextStatePath({ journalPath: journal, folder: undefined });
    if (![part, journal, next].some((name) => names.has(name))) return;
    const folder = storedAs.includes("/") ? parent : undefined;
    // Nothing is placed: of the target only the names beside it are used.
    const path = partPath;
    const place = { path, partPath, journalPath, folder };
    const target = { ...place, mtimeMs, executable: false, overwrite: false };
    this.#left.push({ target, hasPart: names.has(part) });
  }

  /** Removes what lies beside the entries that were noted; what cannot be removed stays. */
  async remove(): Promise<void> {
    for (const { target, hasPart } of this.#left) {
      try {
        // Made anew and removed: whatever is there goes, and no link is followed.
        if (hasPart) await (await this.#storage.createPart(target)).discard();
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
      }
      await this.#storage.removeState(target);
    }
  }
}
