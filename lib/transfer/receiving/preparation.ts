/**
 * Turns a plan and a decision into work: which files to ask for, which links to make, and the folders
 * they go into. What is not taken is counted and reported here.
 */
import type { OfferDecision } from "../../options.ts";
import type { Outcome } from "../outcome.ts";
import { type Chosen, OverwriteDecision } from "./overwrite_decision.ts";
import type { OwnNaming } from "../own_names.ts";
import type {
  Placeable,
  Plan,
  PlannedEntry,
  PlannedFile,
  PlannedFolder,
  PlannedLink,
  RefusalCode,
} from "./plan.ts";
import type { Half } from "../half.ts";
import { spaceError } from "./space_watch.ts";
import { type Storage, StorageError } from "../../storage/storage.ts";

/** A folder that was made, whose time is set at the end. */
export interface MadeFolder {
  readonly path: string;
  /** The folder it is in. */
  readonly parent: string;
  readonly mtimeMs: number;
}

/** What {@linkcode Preparation.run} works with. */
export interface PreparationOptions {
  readonly half: Half;
  readonly storage: Storage;
  readonly names: OwnNaming;
  /** The target folder. */
  readonly directory: string;
  /** Where what is not taken is counted. */
  readonly outcome: Outcome;
  readonly plan: Plan;
  readonly decision: OfferDecision;
  /** Paths of folders that this run has made, in earlier sessions too. */
  readonly foldersMade: Set<string>;
}

/** What is to be done, and what is done already. */
export class Preparation {
  /** Files to ask for, in manifest order. */
  wanted: readonly PlannedFile[] = [];
  /** Links to make once all files are in their place, in manifest order. */
  links: readonly PlannedLink[] = [];
  /** Folders that this run has made, each before what is in it. */
  readonly madeFolders: MadeFolder[] = [];
  /** Entries that are in their place: folders, and files and links that are the same. */
  itemsInPlace = 0;
  readonly #options: PreparationOptions;
  readonly #overwriting: OverwriteDecision;
  readonly #takesDotNames: boolean;
  /** Paths of folders that could not be made. */
  readonly #blocked = new Set<string>();

  /** @param options What it works with. */
  constructor(options: PreparationOptions) {
    this.#options = options;
    const { storage, names, plan, decision } = options;
    this.#overwriting = new OverwriteDecision(decision.overwrite ?? "never", {
      storage,
      names,
      plan,
    });
    this.#takesDotNames = decision.takeDotNames === true;
  }

  /**
   * Chooses, checks that there is room, and makes the folders. Nothing is written before the check.
   *
   * @throws {TransferError} `disk_full`.
   * @throws {StorageError} When a folder cannot be made.
   */
  async run(): Promise<void> {
    const { half, plan } = this.#options;
    this.#reportRefused();
    const files = await this.#chooseAll(plan.files, (file) => this.#overwriting.chooseFile(file));
    const links = await this.#chooseAll(plan.links, (link) => this.#overwriting.chooseLink(link));
    if (half.hasEnded) return;
    await this.#checkSpace(files);
    if (half.hasEnded) return;
    await this.#makeFolders();
    this.wanted = files.filter((file) => !this.#isBlocked(file));
    this.links = links.filter((link) => !this.#isBlocked(link));
  }

  #reportRefused(): void {
    const { half, plan, outcome } = this.#options;
    for (const { code, path, reason } of plan.refused) {
      const what = code === "unsafe_name" ? "its name " : "";
      half.warn(code, path, `Left out ${path}: ${what}${reason}`);
    }
    const counts: Readonly<Record<RefusalCode, number>> = plan.refusedCounts;
    outcome.refused += counts.unsafe_name;
    // Links that the person does not want are not missed.
    outcome.kept += counts.blocked + counts.unsafe_link + counts.symlink_unsupported;
    for (const planned of [plan.folders, plan.files, plan.links]) {
      for (const entry of planned) this.#reportRenamed(entry);
    }
    this.#reportDotNames();
  }

  #reportRenamed({ entry: { path }, storedAs }: PlannedEntry): void {
    if (storedAs === path) return;
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (name === storedAs.slice(storedAs.lastIndexOf("/") + 1)) return;
    const message = `Stored ${path} as ${storedAs}: this system has one name for both`;
    this.#options.half.warn("renamed", path, message);
  }

  #reportDotNames(): void {
    if (this.#takesDotNames) return;
    const { half, plan } = this.#options;
    const tops = new Set<string>();
    for (const planned of [plan.folders, plan.files, plan.links]) {
      for (const { isDotName, entry } of planned) {
        if (isDotName) tops.add(entry.path.split("/", 1)[0]!);
      }
    }
    for (const top of tops) {
      half.warn("dot_name", top, `Skipped ${top}: its name begins with a dot`);
    }
  }

  /** Those that are to be taken, as they are to be taken. */
  async #chooseAll<Item extends Placeable>(
    items: readonly Item[],
    choose: (item: Item) => Promise<Chosen<Item>>,
  ): Promise<Item[]> {
    const { half, outcome } = this.#options;
    const taken: Item[] = [];
    for (const item of items) {
      if (item.isDotName && !this.#takesDotNames) outcome.kept++;
      else if (item.state === "new") taken.push(item);
      else if (item.state === "same") this.#countInPlace(item);
      else this.#takeChosen(item, await choose(item), taken);
      if (half.hasEnded) break;
    }
    return taken;
  }

  #takeChosen<Item extends Placeable>(item: Item, chosen: Chosen<Item>, taken: Item[]): void {
    const { half, outcome } = this.#options;
    const { path } = item.entry;
    if (chosen === "same") {
      this.#countInPlace(item);
    } else if (chosen === "kept") {
      outcome.kept++;
      half.warn("kept", path, `Kept ${path}: what is here differs`);
    } else {
      taken.push(chosen);
      if (chosen.storedAs === item.storedAs) return;
      const message = `Stored ${path} as ${chosen.storedAs}: what is here differs`;
      half.warn("renamed", path, message);
    }
  }

  #countInPlace(planned: PlannedEntry): void {
    this.itemsInPlace++;
    this.#options.outcome.onInPlace(planned);
  }

  /** Whether what is still missing fits; what is only compared needs no room. */
  async #checkSpace(files: readonly PlannedFile[]): Promise<void> {
    const { storage, directory } = this.#options;
    let neededBytes = 0;
    for (const file of files) {
      if (file.state === "differ" && !file.overwrite) continue;
      neededBytes += file.entry.sizeBytes - (file.hasPart ? await this.#partBytes(file) : 0);
    }
    if (neededBytes === 0) return;
    const freeBytes = await storage.freeBytes(directory);
    if (freeBytes === undefined || freeBytes >= neededBytes) return;
    throw spaceError(directory, neededBytes, freeBytes);
  }

  /** How much of a file is in its part file, at most. */
  async #partBytes({ parent, storedAs, entry }: PlannedFile): Promise<number> {
    const { storage, names } = this.#options;
    const path = storage.join(parent, names.of(storedAs).part);
    const info = await storage.inspect(path);
    return info?.kind === "file" ? Math.min(info.sizeBytes, entry.sizeBytes) : 0;
  }

  async #makeFolders(): Promise<void> {
    const { half, storage, directory, plan, outcome, foldersMade } = this.#options;
    if (!plan.isRootThere) await storage.makeFolders(directory);
    for (const folder of plan.folders) {
      if (half.hasEnded) return;
      if (folder.isDotName && !this.#takesDotNames) continue;
      const { path, parent, entry } = folder;
      if (this.#blocked.has(parent)) {
        this.#blocked.add(path);
        continue;
      }
      const result = folder.isThere ? "there" : await this.#makeFolder(folder);
      if (result === "there") {
        if (foldersMade.has(path)) this.madeFolders.push({ path, parent, mtimeMs: entry.mtimeMs });
        this.#countInPlace(folder);
        continue;
      }
      this.#blocked.add(path);
      if (result === "bad_name") {
        outcome.refused++;
        const message = `Left out ${entry.path}: this system cannot store its name`;
        half.warn("unsafe_name", entry.path, message);
      } else {
        outcome.kept++;
        half.warn("blocked", entry.path, `Left out ${entry.path}: something is in its way`);
      }
    }
  }

  /** Whether it is there now, as a folder, or why not. */
  async #makeFolder({ path }: PlannedFolder): Promise<"there" | "blocked" | "bad_name"> {
    const { storage, foldersMade } = this.#options;
    try {
      if (await storage.makeFolder(path)) {
        foldersMade.add(path);
        return "there";
      }
    } catch (error) {
      if (error instanceof StorageError && error.kind === "bad_name") return "bad_name";
      throw error;
    }
    // Someone else made it since the plan was made; a link would lead out of the target [DISK-1].
    return (await storage.inspect(path))?.kind === "directory" ? "there" : "blocked";
  }

  #isBlocked({ parent, entry: { path } }: PlannedEntry): boolean {
    if (!this.#blocked.has(parent)) return false;
    this.#options.outcome.kept++;
    this.#options.half.warn("blocked", path, `Left out ${path}: its folder could not be made`);
    return true;
  }
}
