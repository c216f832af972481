/**
 * What a transfer comes to on this machine, as `planner.ts` finds it: which files are new, the same,
 * or differ; which cannot be written at all.
 */
import type { ManifestEntry } from "../offer/entry.ts";
import type { NamesGate } from "../names.ts";
import { routeOfLink } from "../offer/link_target.ts";
import type { FileInfo } from "../../storage/storage.ts";
import type { TargetFolders } from "./target_folders.ts";

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

/** An entry with one place that something else may be in. */
export interface Placeable extends PlannedEntry {
  readonly state: FileState;
  /** What is in its place when it differs. */
  readonly here: FileInfo | undefined;
  /** Whether that may be replaced; nothing may before the decision. */
  readonly overwrite: boolean;
}

/** A file here that may hold bytes of one that is offered: none counts before it was hashed. */
export interface ReusableFile {
  /** Where it is on this machine; a plain file when it was looked at. */
  readonly path: string;
  /**
   * Whether it is in the very place of the file that is offered: when it is identical it stays as it
   * is, and only its time is set, where it may be replaced.
   */
  readonly isInPlace: boolean;
}

/**
 * A file or stream that can be written; where it goes is made of it by `placeOf` of `names.ts` when
 * needed. Where `reuse.isInPlace` is set and `overwrite` is not, the file is only compared: it is
 * identical, or what is here is kept.
 */
export interface PlannedFile extends Placeable {
  /** Whether there may be a part file of an earlier run. */
  readonly hasPart: boolean;
  /** What may spare sending some of it. */
  readonly reuse: ReusableFile | undefined;
}

/** A folder that is there or can be made. */
export interface PlannedFolder extends PlannedEntry {
  /** Where it goes on this machine. */
  readonly path: string;
  readonly isThere: boolean;
}

/** A symbolic link that leads nowhere it must not, as far as its text says. */
export type PlannedLink = Placeable;

/** What a link passes, as `LinkRoute.passed`: made when it is needed, as it is long. */
export function pathsPassed(
  { entry: { path, linkTarget = "" }, storedAs }: Pick<PlannedLink, "entry" | "storedAs">,
): readonly string[] {
  const route = routeOfLink(storedAs, linkTarget);
  if ("refusal" in route) throw new Error(`${path} was planned, but ${route.refusal}`);
  return route.passed;
}

/**
 * Why an entry cannot be written:
 * - `unsafe_name`: its name;
 * - `blocked`: something in the target folder is in its way;
 * - `unsafe_link`: a link that leads where it must not;
 * - `symlink_skipped`: a link, and the person wants none; `symlink_unsupported`: the system has none.
 */
export type RefusalCode =
  | "unsafe_name"
  | "blocked"
  | "unsafe_link"
  | "symlink_skipped"
  | "symlink_unsupported";

/** An entry that cannot be written. */
export interface RefusedEntry {
  readonly code: RefusalCode;
  /** Path within the share. */
  readonly path: string;
  /** Why, to follow the path in a sentence. */
  readonly reason: string;
}

/** What there is to do. */
export interface Plan {
  /** Folders, each before what is in it. */
  readonly folders: readonly PlannedFolder[];
  /** Files and streams, in manifest order. */
  readonly files: readonly PlannedFile[];
  /** Links, in manifest order. */
  readonly links: readonly PlannedLink[];
  /** What cannot be written; of what is inside a refused folder only the folder is named. */
  readonly refused: readonly RefusedEntry[];
  /** How many entries that is, what is inside refused folders included, but for folders. */
  readonly refusedCounts: Readonly<Record<RefusalCode, number>>;
  /** Whether the target folder itself is there. */
  readonly isRootThere: boolean;
  /** The gate that all names passed, for other names. */
  readonly gate: NamesGate;
  /** What is here and not named by the share. */
  readonly here: TargetFolders;
}
