/**
 * The manifest: what a share offers, built from the paths a person gives. A folder is offered under
 * its own name, whatever follows it in the path (`photos`, `photos/` and `./photos` are the same).
 * How folders are looked through is in `folder_walk.ts`; what is shared and no path, in
 * `single_source.ts`.
 */
import { TransferError } from "../../errors.ts";
import type { ManifestEntry } from "./entry.ts";
import { EntryList } from "./entry_list.ts";
import { FolderWalk, type OnWarning, type SymlinkPolicy, type WalkStorage } from "./folder_walk.ts";
import type { IgnoreRules } from "./ignore_rules.ts";
import { foldName } from "../names.ts";
import { type FileInfo, type Storage, StorageError } from "../../storage/storage.ts";

/** What a share offers. The same object serves every client. */
export interface Manifest {
  /** Entries, each folder before what is in it. */
  readonly entries: readonly ManifestEntry[];
  /** Where an entry is on this machine; put together anew, to keep a million strings less. */
  readonly sourceOf: (entry: ManifestEntry) => string;
  /** How many entries are files or streams. */
  readonly files: number;
  /** How many are folders. */
  readonly directories: number;
  /** How many are symbolic links. */
  readonly links: number;
  /** Sum of the file sizes. */
  readonly bytes: number;
  /** How many files and folders could not be offered; links and special files do not count. */
  readonly leftOut: number;
}

/** What a manifest is made from, on this machine. */
export type ManifestStorage = WalkStorage & Pick<Storage, "baseName">;

/** Options of {@linkcode buildManifest}. */
export interface ManifestOptions {
  /** Told of what is left out. */
  readonly onWarning: OnWarning;
  /** Patterns of what is left out of each folder, in the syntax of `.gitignore`. */
  readonly exclude?: readonly string[];
  /** Leave out what `.gitignore` files in the folders say, and `.git` (default false). */
  readonly gitignore?: boolean;
  /** What becomes of links further in (default `skip`). */
  readonly symlinks?: SymlinkPolicy;
  /** Ends the building. */
  readonly signal?: AbortSignal;
}

/**
 * Looks at everything under the given paths. The order is that of the paths, then of the names by
 * their UTF-16 units, so it does not depend on the machine's language.
 *
 * @param storage Where the files are.
 * @param paths Files and folders; a link given here is followed. A folder given here is never left
 * out by a pattern, a file is when its name fits one.
 * @throws {TransferError} `usage` when there is no path, two have the same name, one has none, or
 * patterns leave nothing; `read_failed` when one cannot be looked at; `limit_exceeded`;
 * `interrupted`.
 */
export async function buildManifest(
  storage: ManifestStorage,
  paths: readonly string[],
  options: ManifestOptions,
): Promise<Manifest> {
  if (paths.length === 0) throw new TransferError("usage", "Cannot share nothing: no path given");
  const builder = new ManifestBuilder(storage, options, await rulesOf(storage, options));
  for (const path of paths) await builder.addTop(path);
  return builder.finish();
}

/** The patterns that hold everywhere; what reads them is loaded only where there are any. */
async function rulesOf(
  { foldsNames }: ManifestStorage,
  { exclude = [], gitignore = false }: ManifestOptions,
): Promise<IgnoreRules | undefined> {
  if (exclude.length === 0 && !gitignore) return undefined;
  const { IgnoreRules } = await import("./ignore_rules.ts");
  return IgnoreRules.of({ exclude, gitignore, foldsNames });
}

/** A path that was given. */
interface Top {
  /** Its name within the share. */
  readonly name: string;
  /** As it was given. */
  readonly path: string;
  /** Absolute, all links followed. */
  readonly real: string;
}

class ManifestBuilder {
  readonly #storage: ManifestStorage;
  readonly #onWarning: OnWarning;
  readonly #rules: IgnoreRules | undefined;
  readonly #list = new EntryList();
  readonly #walk: FolderWalk;
  /** What was given, by folded top-level name. */
  readonly #tops = new Map<string, Top>();
  /** Why the first of what is left out is. */
  #firstReason: string | undefined;

  constructor(
    storage: ManifestStorage,
    options: ManifestOptions,
    rules: IgnoreRules | undefined,
  ) {
    const { symlinks = "skip", signal } = options;
    this.#storage = storage;
    this.#onWarning = (warning) => {
      this.#firstReason ??= warning.message;
      options.onWarning(warning);
    };
    this.#rules = rules;
    const onWarning = this.#onWarning;
    this.#walk = new FolderWalk(storage, this.#list, { symlinks, onWarning, signal });
  }

  async addTop(path: string): Promise<void> {
    const storage = this.#storage;
    let real: string;
    let info: FileInfo | undefined;
    try {
      real = await storage.resolve(path);
      info = await storage.inspect(real);
    } catch (error) {
      throw shareError(path, error);
    }
    let name = storage.baseName(path);
    if (name === "" || name === "." || name === "..") name = storage.baseName(real);
    if (name === "" || name === "." || name === "..") {
      throw new TransferError("usage", `Cannot share ${path}: it has no name to be stored under`);
    }
    // Folded: the receiver's system may not tell `A` from `a`.
    const other = this.#tops.get(foldName(name));
    if (other?.real === real) return;
    if (other !== undefined) {
      throw new TransferError(
        "usage",
        `Cannot share ${other.path} and ${path} together: both would arrive as ${name}`,
        { hint: "Rename one of them, or share the folder they are in" },
      );
    }
    this.#tops.set(foldName(name), { name, path, real });
    if (info === undefined || (info.kind !== "file" && info.kind !== "directory")) {
      throw new TransferError("read_failed", `Cannot share ${path}: not a file or folder`);
    }
    const rules = info.kind === "directory" ? this.#rules?.under(name) : this.#rules;
    await this.#walk.add({ path: name, name, source: real, depth: 1, rules }, info);
  }

  finish(): Manifest {
    const { entries, files, directories, links, bytes } = this.#list;
    const { excluded, leftOut } = this.#walk;
    if (excluded > 0) {
      if (files + links === 0) {
        throw new TransferError("usage", "Cannot share: patterns leave out all there is to send", {
          hint: "Look at --exclude and at the .gitignore files in the folders",
        });
      }
      const what = excluded === 1 ? "1 item" : `${excluded} items`;
      this.#onWarning({
        event: "warning",
        code: "excluded",
        message: `Left out ${what} that patterns of --exclude or .gitignore name`,
      });
    }
    if (entries.length === 0) {
      const reason = this.#firstReason === undefined ? "" : `. ${this.#firstReason}`;
      const message = `Cannot share: nothing was found that can be sent${reason}`;
      throw new TransferError("read_failed", message);
    }
    return { entries, sourceOf: this.#sourceOf(), files, directories, links, bytes, leftOut };
  }

  #sourceOf(): Manifest["sourceOf"] {
    const storage = this.#storage;
    const { followed } = this.#walk;
    const realOfTop = new Map<string, string>();
    for (const { name, real } of this.#tops.values()) realOfTop.set(name, real);
    return ({ path }) => {
      const root = lastLinkIn(path, followed) ?? topOf(path);
      const real = followed.get(root) ?? realOfTop.get(root)!;
      return root === path ? real : storage.join(real, path.slice(root.length + 1));
    };
  }
}

/** The longest part of a path that is a link that was followed. */
function lastLinkIn(path: string, followed: ReadonlyMap<string, string>): string | undefined {
  if (followed.size === 0) return undefined;
  for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
    const part = path.slice(0, end);
    if (followed.has(part)) return part;
  }
  return undefined;
}

function topOf(path: string): string {
  const slash = path.indexOf("/");
  return slash < 0 ? path : path.slice(0, slash);
}

function shareError(path: string, error: unknown): unknown {
  if (!(error instanceof StorageError)) return error;
  if (error.kind === "permission_missing") {
    return new TransferError("permission_missing", `Cannot share ${path}: reading is not allowed`, {
      cause: error,
      hint: `Run with --allow-read=${path}`,
    });
  }
  const reason = error.kind === "not_found" ? "there is nothing at that path" : error.message;
  return new TransferError("read_failed", `Cannot share ${path}: ${reason}`, { cause: error });
}
