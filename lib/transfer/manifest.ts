/**
 * The manifest: what a share offers, built from the paths a person gives. A folder is offered under
 * its own name, whatever follows it in the path (`photos`, `photos/` and `./photos` are the same).
 * Files are looked at here, not opened.
 */
import { TransferError } from "../errors.ts";
import type { ManifestEntry } from "./entry.ts";
import {
  MAX_DEPTH,
  MAX_ENTRIES,
  MAX_MANIFEST_BYTES,
  MAX_MTIME_MS,
  MAX_PATH_BYTES,
} from "./limits.ts";
import { foldName, refusalOf } from "./names.ts";
import { type FileInfo, type Storage, StorageError } from "./storage.ts";
import type { TransferNotice } from "./transfer_notice.ts";
import { utf8Length } from "./utf8.ts";

/** What a share offers. The same object serves every client. */
export interface Manifest {
  /** Entries, each folder before what is in it. */
  readonly entries: readonly ManifestEntry[];
  /** Where an entry is on this machine; put together anew, to keep a million strings less. */
  readonly sourceOf: (entry: ManifestEntry) => string;
  /** How many entries are files. */
  readonly files: number;
  /** How many are folders. */
  readonly directories: number;
  /** Sum of the file sizes. */
  readonly bytes: number;
  /** How many files and folders could not be offered; links and special files do not count. */
  readonly leftOut: number;
}

/** Options of {@linkcode buildManifest}. */
export interface ManifestOptions {
  /** Told of what is left out. */
  readonly onWarning: (warning: TransferNotice & { readonly event: "warning" }) => void;
  /** Ends the building. */
  readonly signal?: AbortSignal;
}

/**
 * Looks at everything under the given paths. The order is that of the paths, then of the names by
 * their UTF-16 units, so it does not depend on the machine's language.
 *
 * @param storage Where the files are.
 * @param paths Files and folders; a link given here is followed, links further in are left out.
 * @throws {TransferError} `usage` when there is no path, two have the same name, or one has none;
 * `read_failed` when one cannot be looked at; `limit_exceeded`; `interrupted`.
 */
export async function buildManifest(
  storage: Storage,
  paths: readonly string[],
  options: ManifestOptions,
): Promise<Manifest> {
  if (paths.length === 0) throw new TransferError("usage", "Cannot share nothing: no path given");
  const builder = new ManifestBuilder(storage, options);
  for (const path of paths) await builder.addTop(path);
  return builder.finish();
}

/** Where something to share is. */
interface Place {
  /** Path within the share. */
  readonly path: string;
  /** The last component of it. */
  readonly name: string;
  /** Where it is on this machine. */
  readonly source: string;
  /** How many components the path has. */
  readonly depth: number;
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
  readonly #storage: Storage;
  readonly #options: ManifestOptions;
  readonly #entries: ManifestEntry[] = [];
  /** What was given, by folded top-level name. */
  readonly #tops = new Map<string, Top>();
  #files = 0;
  #bytes = 0;
  #pathBytes = 0;
  #leftOut = 0;

  constructor(storage: Storage, options: ManifestOptions) {
    this.#storage = storage;
    this.#options = options;
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
    await this.#add({ path: name, name, source: real, depth: 1 }, info);
  }

  finish(): Manifest {
    if (this.#entries.length === 0) {
      throw new TransferError("read_failed", "Cannot share: nothing was found that can be sent");
    }
    return {
      entries: this.#entries,
      sourceOf: this.#sourceOf(),
      files: this.#files,
      directories: this.#entries.length - this.#files,
      bytes: this.#bytes,
      leftOut: this.#leftOut,
    };
  }

  #sourceOf(): Manifest["sourceOf"] {
    const storage = this.#storage;
    const realOfTop = new Map<string, string>();
    for (const { name, real } of this.#tops.values()) realOfTop.set(name, real);
    return ({ path }) => {
      const slash = path.indexOf("/");
      if (slash < 0) return realOfTop.get(path)!;
      return storage.join(realOfTop.get(path.slice(0, slash))!, path.slice(slash + 1));
    };
  }

  /** Adds what is at a place; gives a promise only when it is a folder. */
  #add({ path, name, source, depth }: Place, info: FileInfo): Promise<void> | undefined {
    if (info.kind === "symlink") {
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
    const pathBytes = utf8Length(path);
    if (depth > MAX_DEPTH || pathBytes > MAX_PATH_BYTES) {
      return this.#leaveOut("unsafe_name", path, "more than 64 folders deep");
    }
    if (info.kind === "directory") return this.#addFolder(path, source, { info, pathBytes, depth });
    this.#push(path, info, pathBytes);
  }

  async #addFolder(
    path: string,
    source: string,
    { info, pathBytes, depth }: {
      readonly info: FileInfo;
      readonly pathBytes: number;
      readonly depth: number;
    },
  ): Promise<void> {
    let names: string[];
    try {
      names = await this.#storage.list(source);
    } catch (error) {
      return this.#leaveOutFailed(path, error);
    }
    this.#push(path, info, pathBytes);
    for (const name of names.sort()) {
      if (this.#options.signal?.aborted) {
        throw new TransferError("interrupted", "Cannot share: interrupted while looking at files");
      }
      const adding = this.#addChild({
        path: `${path}/${name}`,
        name,
        source: this.#storage.join(source, name),
        depth: depth + 1,
      });
      if (adding !== undefined) await adding;
    }
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
    if (info !== undefined) return this.#add(place, info);
    // Gone since it was listed, or its name is not Unicode and so not the one on the disk.
    this.#leaveOut("unreadable", place.path, "not found");
  }

  #push(path: string, info: FileInfo, pathBytes: number): void {
    this.#pathBytes += pathBytes;
    if (this.#entries.length === MAX_ENTRIES || this.#pathBytes > MAX_MANIFEST_BYTES) {
      throw new TransferError(
        "limit_exceeded",
        `Cannot share this: more than ${MAX_ENTRIES} entries, or their paths are too long`,
      );
    }
    const isFile = info.kind === "file";
    const sizeBytes = isFile ? info.sizeBytes : 0;
    if (isFile) this.#files++;
    this.#bytes += sizeBytes;
    this.#entries.push({
      kind: isFile ? "file" : "directory",
      path,
      sizeBytes,
      mtimeMs: Math.max(-MAX_MTIME_MS, Math.min(MAX_MTIME_MS, info.mtimeMs)),
      executable: isFile && info.executable,
    });
  }

  #leaveOutFailed(path: string, error: unknown): undefined {
    if (!(error instanceof StorageError)) throw error;
    this.#leaveOut("unreadable", path, error.message);
  }

  #leaveOut(code: string, path: string, reason: string): undefined {
    if (code !== "symlink_skipped" && code !== "special_skipped") this.#leftOut++;
    this.#options.onWarning({
      event: "warning",
      code,
      message: `Left out ${path}: ${reason}`,
      path,
    });
  }
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
