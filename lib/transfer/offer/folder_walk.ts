/**
 * Looks at everything in a folder that is to be shared, and lists it. Files are looked at, not
 * opened. What cannot or shall not be offered is named, one warning each, and the rest goes on; only
 * what patterns leave out is counted instead.
 *
 * Order of work below: one place, folders, symbolic links, what is left out.
 */
import { TransferError } from "../../errors.ts";
import type { EntryKind, ManifestEntry } from "./entry.ts";
import type { EntryList } from "./entry_list.ts";
import type { IgnoreRules } from "./ignore_rules.ts";
import {
  GROUP_BYTES,
  MAX_DEPTH,
  MAX_LINK_TARGET_BYTES,
  MAX_MTIME_MS,
  MAX_PATH_BYTES,
} from "../limits.ts";
import { refusalOf } from "../names.ts";
import { type FileInfo, type Storage, StorageError } from "../../storage/storage.ts";
import type { TransferNotice } from "../transfer_notice.ts";
import { utf8Length } from "../utf8.ts";

/** What a walk needs of the machine's files: to look, never to write. */
export type WalkStorage = Pick<
  Storage,
  "nameRules" | "foldsNames" | "join" | "inspect" | "resolve" | "list" | "readWhole" | "readLink"
>;

/**
 * What becomes of symbolic links in folders: *skip* leaves them out, *follow* sends what they lead
 * to, in the share's folders or not, *keep* sends them as the text they hold.
 */
export type SymlinkPolicy = "skip" | "follow" | "keep";

/** Told of something that is left out. */
export type OnWarning = (warning: TransferNotice & { readonly event: "warning" }) => void;

/** How a {@linkcode FolderWalk} works. */
export interface FolderWalkOptions {
  readonly symlinks: SymlinkPolicy;
  readonly onWarning: OnWarning;
  /** Ends the walk. */
  readonly signal?: AbortSignal | undefined;
}

/** Where something to share is. */
export interface Place {
  /** Path within the share. */
  readonly path: string;
  /** The last component of it. */
  readonly name: string;
  /** Where it is on this machine; no link is on the way to it. */
  readonly source: string;
  /** How many components the path has. */
  readonly depth: number;
  /** The patterns of the folder it is in; undefined where there are none anywhere. */
  readonly rules: IgnoreRules | undefined;
}

/** Lists what is in folders. One walk serves all paths of a share. */
export class FolderWalk {
  /** Where what links lead to really is, by their path within the share. */
  readonly followed: Map<string, string> = new Map();
  /** How many files and folders could not be offered; links and special files do not count. */
  leftOut = 0;
  /** How many files, folders and links patterns left out; what is in such a folder is not looked at. */
  excluded = 0;
  readonly #storage: WalkStorage;
  readonly #list: EntryList;
  readonly #options: FolderWalkOptions;
  /** Where the folders really are that the walk is in; kept when links could lead back to one. */
  readonly #open = new Set<string>();

  /**
   * @param storage Where the files are.
   * @param list Where entries are added.
   */
  constructor(storage: WalkStorage, list: EntryList, options: FolderWalkOptions) {
    this.#storage = storage;
    this.#list = list;
    this.#options = options;
  }

  // ---- one place ----

  /** Adds what is at a place, with all inside; gives a promise only when that takes its time. */
  add(place: Place, info: FileInfo): Promise<void> | undefined {
    const { path, name, depth, rules } = place;
    if (rules?.leavesOut(path, info.kind === "directory")) return this.#exclude();
    const { symlinks } = this.#options;
    if (info.kind === "symlink" && symlinks === "skip") {
      return this.#leaveOut("symlink_skipped", path, "symbolic links are not sent");
    }
    if (info.kind === "other") {
      return this.#leaveOut("special_skipped", path, "not a file or folder");
    }
    // Half a surrogate pair cannot be written in UTF-8.
    const refusal = name.isWellFormed() ? refusalOf(name, "posix") : "is not valid Unicode";
    if (refusal !== undefined) {
      return this.#leaveOut("unsafe_name", path, `its name ${refusal}`);
    }
    if (depth > MAX_DEPTH || utf8Length(path) > MAX_PATH_BYTES) {
      return this.#leaveOut("unsafe_name", path, "more than 64 folders deep");
    }
    if (info.kind === "directory") return this.#addFolder(place, info);
    if (info.kind === "file") this.#list.add(entryOf("file", path, info));
    else return symlinks === "keep" ? this.#keepLink(place, info) : this.#followLink(place);
  }

  // ---- folders ----

  async #addFolder(place: Place, info: FileInfo): Promise<void> {
    const { path, source } = place;
    if (this.#open.has(source)) {
      return this.#leaveOut("symlink_skipped", path, "a link leads back to a folder it is in");
    }
    let names: string[];
    let rules: IgnoreRules | undefined;
    try {
      names = await this.#storage.list(source);
      rules = await this.#rulesIn(place, names);
    } catch (error) {
      return this.#leaveOutFailed(path, error);
    }
    this.#list.add(entryOf("directory", path, info));
    if (this.#options.symlinks === "follow") this.#open.add(source);
    for (const name of names.sort()) {
      if (this.#options.signal?.aborted) {
        throw new TransferError("interrupted", "Cannot share: interrupted while looking at files");
      }
      const adding = this.#addChild({
        path: `${path}/${name}`,
        name,
        source: this.#storage.join(source, name),
        depth: place.depth + 1,
        rules,
      });
      if (adding !== undefined) await adding;
    }
    this.#open.delete(source);
  }

  /**
   * The patterns for what is in a folder.
   *
   * @throws {StorageError} When its `.gitignore` cannot be read: what it would have left out, perhaps
   * secrets, must not be sent instead.
   */
  async #rulesIn(
    { path, source, rules }: Place,
    names: readonly string[],
  ): Promise<IgnoreRules | undefined> {
    if (rules === undefined) return undefined;
    if (!rules.readsGitignore || !names.includes(".gitignore")) {
      return rules.inside(path, undefined);
    }
    const storage = this.#storage;
    const file = storage.join(source, ".gitignore");
    const info = await storage.inspect(file);
    // As git has it, a link is none; whoever can plant one would choose the patterns.
    if (info?.kind !== "file") return rules.inside(path, undefined);
    if (info.sizeBytes > GROUP_BYTES) {
      throw new StorageError("other", `Cannot use ${file}: longer than 1 MiB`);
    }
    const bytes = new Uint8Array(info.sizeBytes);
    const { length } = await storage.readWhole(file, bytes);
    return rules.inside(path, new TextDecoder().decode(bytes.subarray(0, length)));
  }

  /** Looks at a place and adds what is there; gives a promise only when that takes its time. */
  #addChild(place: Place): Promise<void> | undefined {
    let found: ReturnType<Storage["inspect"]>;
    try {
      found = this.#storage.inspect(place.source);
    } catch (error) {
      return this.#leaveOutFailed(place.path, error);
    }
    if (!(found instanceof Promise)) return this.#addFound(place, found);
    return found.then(
      (info) => this.#addFound(place, info),
      (error) => this.#leaveOutFailed(place.path, error),
    );
  }

  #addFound(place: Place, info: FileInfo | undefined): Promise<void> | undefined {
    if (info !== undefined) return this.add(place, info);
    // Gone since it was listed, or its name is not Unicode and so not the one on the disk.
    this.#leaveOut("unreadable", place.path, "not found");
  }

  // ---- symbolic links ----

  /** Sends a link as the text it holds [XFER-20]. */
  async #keepLink({ path, source }: Place, info: FileInfo): Promise<void> {
    const { nameRules } = this.#storage;
    let text: string;
    try {
      text = await this.#storage.readLink(source);
    } catch (error) {
      return this.#leaveOutFailed(path, error);
    }
    // Components are joined by "/" wherever they come from.
    const linkTarget = nameRules === "windows" ? text.replaceAll("\\", "/") : text;
    const isSendable = linkTarget !== "" && linkTarget.isWellFormed() &&
      !linkTarget.includes("\0") && utf8Length(linkTarget) <= MAX_LINK_TARGET_BYTES;
    if (!isSendable) return this.#leaveOut("unsafe_name", path, "what it links to cannot be sent");
    this.#list.add({ ...entryOf("symlink", path, info), linkTarget });
  }

  /** Sends what a link leads to, wherever that is: the person asked for it. */
  async #followLink(place: Place): Promise<void> {
    const { path, rules } = place;
    let source: string;
    let info: FileInfo | undefined;
    try {
      source = await this.#storage.resolve(place.source);
      info = await this.#storage.inspect(source);
    } catch (error) {
      return this.#leaveOutFailed(path, error);
    }
    if (info === undefined || info.kind === "symlink") {
      return this.#leaveOut("unreadable", path, "what it links to has changed");
    }
    if (info.kind === "other") {
      return this.#leaveOut("special_skipped", path, "it links to no file or folder");
    }
    this.followed.set(path, source);
    if (info.kind === "file") return this.#list.add(entryOf("file", path, info));
    // It was looked at as a link; patterns for folders mean it, too.
    if (rules?.leavesOut(path, true)) return this.#exclude();
    await this.#addFolder({ ...place, source }, info);
  }

  // ---- what is left out ----

  #exclude(): undefined {
    this.excluded++;
  }

  #leaveOutFailed(path: string, error: unknown): undefined {
    if (!(error instanceof StorageError)) throw error;
    this.#leaveOut("unreadable", path, error.message);
  }

  #leaveOut(code: string, path: string, reason: string): undefined {
    if (code !== "symlink_skipped" && code !== "special_skipped") this.leftOut++;
    this.#options.onWarning({
      event: "warning",
      code,
      message: `Left out ${path}: ${reason}`,
      path,
    });
  }
}

function entryOf(kind: EntryKind, path: string, info: FileInfo): ManifestEntry {
  const isFile = kind === "file";
  return {
    kind,
    path,
    sizeBytes: isFile ? info.sizeBytes : 0,
    mtimeMs: Math.max(-MAX_MTIME_MS, Math.min(MAX_MTIME_MS, info.mtimeMs)),
    executable: isFile && info.executable,
  };
}
