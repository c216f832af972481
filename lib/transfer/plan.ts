/**
 * Compares what is offered with what is in the target folder: which files are new, the same, or
 * differ; which cannot be written at all. Looks, and changes nothing.
 */
import { TransferError } from "../errors.ts";
import type { OfferEvent } from "../events.ts";
import type { ManifestEntry } from "./entry.ts";
import { type AdmittedName, NamesGate } from "./names.ts";
import { type FileInfo, type Storage, StorageError } from "./storage.ts";

/** How many top-level names an offer shows, and how many of those that begin with a dot. */
export const MAX_SHOWN_NAMES = 100;

/** How a file compares with what is here: `same` is the same size and time to the millisecond. */
export type FileState = "new" | "same" | "differ";

/** An entry that can be written. */
export interface PlannedEntry {
  /** Its place in the manifest. */
  readonly index: number;
  readonly entry: ManifestEntry;
  /** The folder it goes into, on this machine. */
  readonly parent: string;
  /** Path within the share as it is stored here. */
  readonly storedAs: string;
  /** Whether its top-level name begins with a dot. */
  readonly isDotName: boolean;
}

/** A file that can be written; where it goes is made of it by `placeOf` of `names.ts` when needed. */
export interface PlannedFile extends PlannedEntry {
  readonly state: FileState;
}

/** A folder that is there or can be made. */
export interface PlannedFolder extends PlannedEntry {
  /** Where it goes on this machine. */
  readonly path: string;
  readonly isThere: boolean;
}

/** An entry that cannot be written. */
export interface RefusedEntry {
  /** `unsafe_name`: its name; `blocked`: something in the target folder is in its way. */
  readonly code: "unsafe_name" | "blocked";
  /** Path within the share. */
  readonly path: string;
  /** Why, to follow the path in a sentence. */
  readonly reason: string;
}

/** What there is to do. */
export interface Plan {
  /** Folders, each before what is in it. */
  readonly folders: readonly PlannedFolder[];
  /** Files, in manifest order. */
  readonly files: readonly PlannedFile[];
  /** What cannot be written; of what is inside a refused folder only the folder is named. */
  readonly refused: readonly RefusedEntry[];
  /** How many entries that is, files inside refused folders included. */
  readonly refusedCounts: Readonly<Record<RefusedEntry["code"], number>>;
  /** Whether the target folder itself is there. */
  readonly isRootThere: boolean;
}

/**
 * Plans a transfer.
 *
 * @param storage Where the target folder is.
 * @param root The target folder; may be missing.
 * @param entries The whole manifest, as the peer sent it.
 * @throws {TransferError} `write_failed` when the target is not a folder.
 * @throws {StorageError} When something cannot be looked at.
 */
export async function makePlan(
  storage: Storage,
  root: string,
  entries: readonly ManifestEntry[],
): Promise<Plan> {
  const rootInfo = await storage.inspect(root);
  // The user's own path may lead through links.
  if (rootInfo !== undefined && rootInfo.kind !== "directory" && rootInfo.kind !== "symlink") {
    throw new TransferError("write_failed", `Cannot write into ${root}: it is not a folder`);
  }
  const isRootThere = rootInfo !== undefined;
  const planner = new Planner(storage, root, isRootThere);
  for (let index = 0; index < entries.length; index++) {
    const looking = planner.add(index, entries[index]!);
    if (looking !== undefined) await looking;
  }
  return {
    folders: planner.folders,
    files: planner.files,
    refused: planner.refused,
    refusedCounts: planner.refusedCounts,
    isRootThere,
  };
}

class Planner {
  readonly folders: PlannedFolder[] = [];
  readonly files: PlannedFile[] = [];
  readonly refused: RefusedEntry[] = [];
  readonly refusedCounts = { unsafe_name: 0, blocked: 0 };
  readonly #storage: Storage;
  readonly #gate: NamesGate;
  /** Whether a folder is there, by its path here; undefined when something else is in its way. */
  readonly #isThere = new Map<string, boolean | undefined>();

  constructor(storage: Storage, root: string, isRootThere: boolean) {
    this.#storage = storage;
    this.#gate = new NamesGate(storage, root);
    this.#isThere.set(root, isRootThere);
  }

  /** Adds the next entry; gives a promise only when it has to be looked for. */
  add(index: number, entry: ManifestEntry): Promise<void> | undefined {
    const verdict = this.#gate.admit(entry);
    if (!verdict.isAdmitted) return this.#refuse(entry, "unsafe_name", verdict.reason);
    const isParentThere = this.#isThere.get(verdict.parent);
    if (isParentThere === undefined) {
      if (entry.kind === "directory") this.#isThere.set(verdict.path, undefined);
      return this.#refuse(entry, "blocked", "inside");
    }
    // What is in a folder that is not there need not be looked for.
    if (!isParentThere) return this.#place(index, entry, verdict, undefined);
    return this.#look(verdict.path).then((info) => this.#place(index, entry, verdict, info));
  }

  /** Adds an entry whose name is admitted, by what is in its place. */
  #place(
    index: number,
    entry: ManifestEntry,
    { path, parent, storedAs, isDotName }: AdmittedName,
    info: FileInfo | "bad_name" | undefined,
  ): undefined {
    if (info === "bad_name") {
      if (entry.kind === "directory") this.#isThere.set(path, undefined);
      return this.#refuse(entry, "unsafe_name", "cannot be stored by this system");
    }
    if (entry.kind === "directory") {
      const isBlocked = info !== undefined && info.kind !== "directory";
      this.#isThere.set(path, isBlocked ? undefined : info !== undefined);
      if (isBlocked) return this.#refuse(entry, "blocked", blockedReason(info.kind));
      const isThere = info !== undefined;
      this.folders.push({ index, entry, path, parent, storedAs, isDotName, isThere });
      return;
    }
    if (info?.kind === "directory" || info?.kind === "other") {
      return this.#refuse(entry, "blocked", blockedReason(info.kind));
    }
    const isSame = info?.kind === "file" && info.sizeBytes === entry.sizeBytes &&
      info.mtimeMs === entry.mtimeMs;
    const state = info === undefined ? "new" : isSame ? "same" : "differ";
    this.files.push({ index, entry, parent, storedAs, isDotName, state });
  }

  /** Paths grow longer here than they were at the sharer: that is one entry's trouble, not all. */
  async #look(path: string): Promise<FileInfo | "bad_name" | undefined> {
    try {
      return await this.#storage.inspect(path);
    } catch (error) {
      if (error instanceof StorageError && error.kind === "bad_name") return "bad_name";
      throw error;
    }
  }

  #refuse(entry: ManifestEntry, code: RefusedEntry["code"], reason: string): undefined {
    const isNamed = reason !== "inside";
    if (isNamed || entry.kind === "file") this.refusedCounts[code]++;
    if (isNamed) this.refused.push({ code, path: entry.path, reason });
  }
}

function blockedReason(kind: "file" | "directory" | "symlink" | "other"): string {
  switch (kind) {
    case "symlink":
      return "a symbolic link is in its way";
    case "directory":
      return "a folder is in its way";
    case "file":
      return "a file is in its way";
    case "other":
      return "something that is neither file nor folder is in its way";
    default:
      return kind satisfies never;
  }
}

/** What an offer comes to, for the person who decides. */
export function summarizePlan(
  plan: Plan,
  entries: readonly ManifestEntry[],
): Omit<OfferEvent, "session"> {
  const counts = { new: 0, same: 0, differ: 0 };
  for (const file of plan.files) counts[file.state]++;
  const dotNames = new Set<string>();
  for (const planned of [plan.folders, plan.files]) {
    for (const { isDotName, entry } of planned) {
      if (isDotName && dotNames.size < MAX_SHOWN_NAMES) dotNames.add(topName(entry));
    }
  }
  return {
    ...summarizeEntries(entries),
    newItems: counts.new,
    sameItems: counts.same,
    differItems: counts.differ,
    dotNames: Array.from(dotNames),
  };
}

/** What a share comes to, without anything to compare it with. */
export function summarizeEntries(
  entries: readonly ManifestEntry[],
): Omit<OfferEvent, "session"> {
  let files = 0;
  let bytes = 0;
  const names = new Set<string>();
  for (const entry of entries) {
    if (entry.kind === "file") files++;
    bytes += entry.sizeBytes;
    if (names.size < MAX_SHOWN_NAMES) names.add(topName(entry));
  }
  return {
    event: "offer",
    items: entries.length,
    files,
    directories: entries.length - files,
    bytes,
    names: Array.from(names),
    newItems: 0,
    sameItems: 0,
    differItems: 0,
    dotNames: [],
  };
}

function topName(entry: ManifestEntry): string {
  const slash = entry.path.indexOf("/");
  return slash < 0 ? entry.path : entry.path.slice(0, slash);
}
