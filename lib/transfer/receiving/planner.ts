/**
 * Compares what is offered with what is in the target folder. Looks, and changes nothing [KEEP-1].
 */
import { TransferError } from "../../errors.ts";
import type { ManifestEntry } from "../offer/entry.ts";
import { GROUP_BYTES } from "../limits.ts";
import { routeOfLink } from "../offer/link_target.ts";
import { findMoved } from "./moved_files.ts";
import { type AdmittedName, foldName, NamesGate } from "../names.ts";
import type { OwnNaming } from "../own_names.ts";
import {
  type FileState,
  pathsPassed,
  type Plan,
  type PlannedEntry,
  type PlannedFile,
  type PlannedFolder,
  type PlannedLink,
  type RefusalCode,
  type RefusedEntry,
} from "./plan.ts";
import { type FileInfo, type Storage, StorageError } from "../../storage/storage.ts";
import { TargetFolders } from "./target_folders.ts";

/** What a {@linkcode makePlan} works with. */
export interface PlanOptions {
  /** Where the target folder is. */
  readonly storage: Storage;
  /** Where SHA-256 comes from. */
  readonly names: OwnNaming;
  /** The target folder; may be missing. */
  readonly directory: string;
  /** Whether links are wanted; by default those that stay inside are. */
  readonly symlinks?: "skip" | "keep" | undefined;
  /** Whether texts are shown rather than stored, so that no place has to be free. */
  readonly showsTexts?: boolean | undefined;
}

/** Entries that are planned without a pause: an offer may have a million, and others wait. */
const ENTRIES_PER_TURN = 4096;

/**
 * Plans a transfer.
 *
 * @param entries The whole manifest, as the peer sent it.
 * @throws {TransferError} `write_failed` when the target is not a folder.
 * @throws {StorageError} When something cannot be looked at.
 */
export async function makePlan(
  entries: readonly ManifestEntry[],
  options: PlanOptions,
): Promise<Plan> {
  const { storage, directory } = options;
  const rootInfo = await storage.inspect(directory);
  // The user's own path may lead through links.
  if (rootInfo !== undefined && rootInfo.kind !== "directory" && rootInfo.kind !== "symlink") {
    throw new TransferError("write_failed", `Cannot write into ${directory}: it is not a folder`);
  }
  const isRootThere = rootInfo !== undefined;
  const planner = new Planner(options, isRootThere);
  if (isRootThere) await planner.here.list(directory);
  for (let index = 0; index < entries.length; index++) {
    const looking = planner.add(index, entries[index]!);
    if (looking !== undefined) await looking;
    else if (index % ENTRIES_PER_TURN === ENTRIES_PER_TURN - 1) await storage.breathe?.();
  }
  planner.checkLinks();
  const { files, folders, links, refused, refusedCounts, gate, here } = planner;
  await findMoved(files, { storage, here, root: directory });
  return { folders, files, links, refused, refusedCounts, isRootThere, gate, here };
}

/** Whether a part file of an earlier run may be there for a file, in a folder that is there. */
export function mayHavePart(
  { parent, storedAs, entry }: Pick<PlannedEntry, "parent" | "storedAs" | "entry">,
  here: TargetFolders,
  names: OwnNaming,
): boolean {
  // Smaller files are not resumed, and what a stream was cannot be had again.
  if (entry.sizeBytes <= GROUP_BYTES || entry.kind !== "file") return false;
  if (!here.isListed(parent)) return true;
  return here.spelling(parent, names.of(storedAs).part) !== undefined;
}

/** What is in the place of an entry, or that nothing can be. */
type Look = FileInfo | "bad_name" | undefined;

class Planner {
  readonly folders: PlannedFolder[] = [];
  readonly files: PlannedFile[] = [];
  links: PlannedLink[] = [];
  readonly refused: RefusedEntry[] = [];
  readonly refusedCounts: Record<RefusalCode, number> = {
    unsafe_name: 0,
    blocked: 0,
    unsafe_link: 0,
    symlink_skipped: 0,
    symlink_unsupported: 0,
  };
  readonly gate: NamesGate;
  readonly here: TargetFolders;
  readonly #options: PlanOptions;
  readonly #storage: Storage;
  /** Whether a folder is there, by its path here; undefined when something else is in its way. */
  readonly #isThere = new Map<string, boolean | undefined>();

  constructor(options: PlanOptions, isRootThere: boolean) {
    const { storage, directory } = options;
    this.#options = options;
    this.#storage = storage;
    this.here = new TargetFolders(storage);
    this.gate = new NamesGate(
      storage,
      directory,
      (folder, name) => this.here.spelling(folder, name),
    );
    this.#isThere.set(directory, isRootThere);
  }

  /** Adds the next entry; gives a promise only when it has to be looked for. */
  add(index: number, entry: ManifestEntry): Promise<void> | undefined {
    const verdict = this.gate.admit(entry);
    if (!verdict.isAdmitted) return this.#refuse(entry, "unsafe_name", verdict.reason);
    const { parent } = verdict;
    const isParentThere = this.#isThere.get(parent);
    if (isParentThere === undefined) {
      if (entry.kind === "directory") this.#isThere.set(verdict.path, undefined);
      return this.#refuse(entry, "blocked", "inside");
    }
    const isShown = entry.isText === true && this.#options.showsTexts === true;
    // What is in a folder that is not there need not be looked for, nor what is not in its list.
    // Folders are few, and their names may be more than the system can store.
    const isNew = isShown || !isParentThere ||
      (!this.here.take(parent, nameOf(verdict.storedAs)) && entry.kind !== "directory");
    if (isNew) return this.#place(index, entry, verdict, undefined);
    const looked = this.#look(verdict.path);
    // Tens of thousands that are here already are looked at without a promise for each.
    if (!(looked instanceof Promise)) return this.#place(index, entry, verdict, looked);
    return looked.then((info) => this.#place(index, entry, verdict, info));
  }

  /** Leaves out links that lead where they must not [LINK-1] [LINK-2] [LINK-3]. */
  checkLinks(): void {
    const { symlinks } = this.#options;
    const { nameRules, foldsNames } = this.#storage;
    const fold = (path: string) => foldsNames ? foldName(path) : path;
    const paths = new Set(this.links.map(({ storedAs }) => fold(storedAs)));
    this.links = this.links.filter((link) => {
      const { entry } = link;
      if (symlinks === "skip") this.#refuse(entry, "symlink_skipped", "links are not wanted");
      else if (nameRules === "windows") {
        this.#refuse(entry, "symlink_unsupported", "links are not made on Windows");
      } else if (pathsPassed(link).some((path) => paths.has(fold(path)))) {
        this.#refuse(entry, "unsafe_link", "it leads through another link");
      } else return true;
      return false;
    });
  }

  /** Adds an entry whose name is admitted, by what is in its place. */
  #place(
    index: number,
    entry: ManifestEntry,
    name: AdmittedName,
    info: Look,
  ): Promise<void> | undefined {
    if (info === "bad_name") {
      if (entry.kind === "directory") this.#isThere.set(name.path, undefined);
      return this.#refuse(entry, "unsafe_name", "cannot be stored by this system");
    }
    if (entry.kind === "directory") return this.#placeFolder(index, entry, name, info);
    if (info?.kind === "directory" || info?.kind === "other") {
      return this.#refuse(entry, "blocked", blockedReason(info.kind));
    }
    if (entry.kind === "symlink") return this.#placeLink(index, entry, name, info);
    const isSame = info?.kind === "file" && entry.kind === "file" &&
      info.sizeBytes === entry.sizeBytes && info.mtimeMs === entry.mtimeMs;
    const state = info === undefined ? "new" : isSame ? "same" : "differ";
    const { parent, storedAs, isDotName } = name;
    this.files.push({
      index,
      entry,
      parent,
      storedAs,
      isDotName,
      state,
      here: state === "differ" ? info : undefined,
      overwrite: false,
      hasPart: state !== "same" && this.#isThere.get(parent) === true &&
        mayHavePart({ parent, storedAs, entry }, this.here, this.#options.names),
      reuse: undefined,
    });
  }

  #placeFolder(
    index: number,
    entry: ManifestEntry,
    { path, parent, storedAs, isDotName }: AdmittedName,
    info: FileInfo | undefined,
  ): Promise<void> | undefined {
    const isThere = info !== undefined;
    const isBlocked = isThere && info.kind !== "directory";
    this.#isThere.set(path, isBlocked ? undefined : isThere);
    if (isBlocked) return this.#refuse(entry, "blocked", blockedReason(info.kind));
    this.folders.push({ index, entry, path, parent, storedAs, isDotName, isThere });
    return isThere ? this.here.list(path) : undefined;
  }

  #placeLink(
    index: number,
    entry: ManifestEntry,
    { path, parent, storedAs, isDotName }: AdmittedName,
    info: FileInfo | undefined,
  ): Promise<void> | undefined {
    const { linkTarget = "" } = entry;
    const route = routeOfLink(storedAs, linkTarget);
    if ("refusal" in route) return this.#refuse(entry, "unsafe_link", route.refusal);
    const push = (state: FileState): undefined => {
      const here = state === "differ" ? info : undefined;
      this.links.push({ index, entry, parent, storedAs, isDotName, state, here, overwrite: false });
    };
    if (info === undefined) return push("new");
    if (info.kind !== "symlink") return push("differ");
    return this.#storage.readLink(path).then((text) =>
      push(text === linkTarget ? "same" : "differ")
    );
  }

  /** Gives a promise only where the storage takes its time. */
  #look(path: string): Look | Promise<Look> {
    try {
      const looked = this.#storage.inspect(path);
      return looked instanceof Promise ? looked.catch(asBadName) : looked;
    } catch (error) {
      return asBadName(error);
    }
  }

  #refuse(entry: ManifestEntry, code: RefusalCode, reason: string): undefined {
    const isNamed = reason !== "inside";
    if (isNamed || entry.kind !== "directory") this.refusedCounts[code]++;
    if (isNamed) this.refused.push({ code, path: entry.path, reason });
  }
}

/** Paths grow longer here than they were at the sharer: that is one entry's trouble, not all. */
function asBadName(error: unknown): "bad_name" {
  if (error instanceof StorageError && error.kind === "bad_name") return "bad_name";
  throw error;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function blockedReason(kind: FileInfo["kind"]): string {
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
