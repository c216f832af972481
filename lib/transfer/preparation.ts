/**
 * Turns a plan and a decision into work: which files to ask for, and the folders they go into. What
 * is not taken is counted and reported here.
 */
import { TransferError } from "../errors.ts";
import type { OfferDecision } from "../options.ts";
import type { Outcome } from "./outcome.ts";
import type { Plan, PlannedEntry, PlannedFile, PlannedFolder } from "./plan.ts";
import type { Session } from "./session.ts";
import { type Storage, StorageError } from "./storage.ts";

/** A folder that was made, whose time is set at the end. */
export interface MadeFolder {
  readonly path: string;
  readonly mtimeMs: number;
}

/** What {@linkcode Preparation.run} works with. */
export interface PreparationOptions {
  readonly session: Session;
  readonly storage: Storage;
  /** The target folder. */
  readonly directory: string;
  /** Where what is not taken is counted. */
  readonly outcome: Outcome;
  readonly plan: Plan;
  readonly decision: OfferDecision;
}

/** What is to be done, and what is done already. */
export class Preparation {
  /** Files to ask for, in manifest order. */
  wanted: readonly PlannedFile[] = [];
  /** Folders that were made, each before what is in it. */
  readonly madeFolders: MadeFolder[] = [];
  /** Entries that are in their place: folders, and files that are the same. */
  itemsInPlace = 0;
  readonly #options: PreparationOptions;
  readonly #takesDotNames: boolean;
  /** Paths of folders that could not be made. */
  readonly #blocked = new Set<string>();

  /** @param options What it works with. */
  constructor(options: PreparationOptions) {
    this.#options = options;
    this.#takesDotNames = options.decision.takeDotNames === true;
  }

  /**
   * Chooses, checks that there is room, and makes the folders. Nothing is written before the check.
   *
   * @throws {TransferError} `disk_full`.
   * @throws {StorageError} When a folder cannot be made.
   */
  async run(): Promise<void> {
    const { session, plan } = this.#options;
    this.#reportRefused();
    const wanted = plan.files.filter((file) => this.#isWanted(file));
    await this.#checkSpace(wanted);
    if (session.hasEnded) return;
    await this.#makeFolders();
    this.wanted = wanted.filter((file) => !this.#isBlocked(file));
  }

  #reportRefused(): void {
    const { session, plan, outcome } = this.#options;
    for (const { code, path, reason } of plan.refused) {
      const what = code === "unsafe_name" ? "its name " : "";
      session.warn(code, path, `Left out ${path}: ${what}${reason}`);
    }
    outcome.refused += plan.refusedCounts.unsafe_name;
    outcome.kept += plan.refusedCounts.blocked;
    for (const folder of plan.folders) this.#reportRenamed(folder);
    for (const file of plan.files) this.#reportRenamed(file);
    this.#reportDotNames();
  }

  #reportRenamed({ entry: { path }, storedAs }: PlannedEntry): void {
    if (storedAs === path) return;
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (name === storedAs.slice(storedAs.lastIndexOf("/") + 1)) return;
    const message = `Stored ${path} as ${storedAs}: this system has one name for both`;
    this.#options.session.warn("renamed", path, message);
  }

  #reportDotNames(): void {
    if (this.#takesDotNames) return;
    const { session, plan } = this.#options;
    const tops = new Set<string>();
    for (const planned of [plan.folders, plan.files]) {
      for (const { isDotName, entry } of planned) {
        if (isDotName) tops.add(entry.path.split("/", 1)[0]!);
      }
    }
    for (const top of tops) {
      session.warn("dot_name", top, `Skipped ${top}: its name begins with a dot`);
    }
  }

  #isWanted(file: PlannedFile): boolean {
    const { session, outcome, decision } = this.#options;
    if (file.isDotName && !this.#takesDotNames) {
      outcome.kept++;
      return false;
    }
    if (file.state === "same") {
      this.itemsInPlace++;
      return false;
    }
    if (file.state === "new" || decision.overwrite === "always") return true;
    const { path } = file.entry;
    outcome.kept++;
    session.warn("kept", path, `Kept ${path}: what is here differs`);
    return false;
  }

  async #checkSpace(wanted: readonly PlannedFile[]): Promise<void> {
    const { storage, directory } = this.#options;
    let neededBytes = 0;
    for (const file of wanted) neededBytes += file.entry.sizeBytes;
    if (neededBytes === 0) return;
    const freeBytes = await storage.freeBytes(directory);
    if (freeBytes === undefined || freeBytes >= neededBytes) return;
    throw new TransferError(
      "disk_full",
      `Cannot write into ${directory}: ${neededBytes} bytes are needed, ${freeBytes} are free`,
    );
  }

  async #makeFolders(): Promise<void> {
    const { session, storage, directory, plan, outcome } = this.#options;
    if (!plan.isRootThere) await storage.makeFolders(directory);
    for (const folder of plan.folders) {
      if (session.hasEnded) return;
      if (folder.isDotName && !this.#takesDotNames) continue;
      const { path, parent, entry } = folder;
      if (this.#blocked.has(parent)) {
        this.#blocked.add(path);
        continue;
      }
      const result = folder.isThere ? "there" : await this.#makeFolder(folder);
      if (result === "there") {
        this.itemsInPlace++;
        continue;
      }
      this.#blocked.add(path);
      if (result === "bad_name") {
        outcome.refused++;
        const message = `Left out ${entry.path}: this system cannot store its name`;
        session.warn("unsafe_name", entry.path, message);
      } else {
        outcome.kept++;
        session.warn("blocked", entry.path, `Left out ${entry.path}: something is in its way`);
      }
    }
  }

  /** Whether it is there now, as a folder, or why not. */
  async #makeFolder({ path, entry }: PlannedFolder): Promise<"there" | "blocked" | "bad_name"> {
    const { storage } = this.#options;
    try {
      if (await storage.makeFolder(path)) {
        this.madeFolders.push({ path, mtimeMs: entry.mtimeMs });
        return "there";
      }
    } catch (error) {
      if (error instanceof StorageError && error.kind === "bad_name") return "bad_name";
      throw error;
    }
    // Someone else made it since the plan was made; a link would lead out of the target [DISK-1].
    return (await storage.inspect(path))?.kind === "directory" ? "there" : "blocked";
  }

  #isBlocked(file: PlannedFile): boolean {
    if (!this.#blocked.has(file.parent)) return false;
    const { path } = file.entry;
    this.#options.outcome.kept++;
    this.#options.session.warn("blocked", path, `Left out ${path}: its folder could not be made`);
    return true;
  }
}
