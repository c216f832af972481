/**
 * The one door to files. `deno_storage.ts` is the disk; tests hand in one in memory. Paths are those
 * of the machine. Nothing here trusts or checks names of a peer: they become paths in `names.ts`
 * only.
 *
 * Every method that fails rejects with a {@linkcode StorageError}, or throws it where it may answer at
 * once.
 */

/** Why a storage call failed, as far as it matters to a transfer. */
export type StorageErrorKind =
  /** There is nothing at the path. */
  | "not_found"
  /** The system's permissions forbid it. */
  | "denied"
  /** Deno's permissions forbid it. */
  | "permission_missing"
  /** The disk or the quota is full. */
  | "no_space"
  /** The file system cannot store this name. */
  | "bad_name"
  /** What was opened is not what was looked at before, or not a file: a link or a swap in between. */
  | "replaced"
  | "other";

/** A storage call that failed. */
export class StorageError extends Error {
  /** Why. */
  readonly kind: StorageErrorKind;

  /**
   * Makes an error for a storage call that failed.
   *
   * @param kind Why it failed.
   * @param message What was attempted and why it failed; holds paths of this machine.
   * @param options The system's own error as `cause`.
   */
  constructor(kind: StorageErrorKind, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "StorageError";
    this.kind = kind;
  }
}

/** What is at a path, the last link not followed. */
export interface FileInfo {
  /** `other` is anything that is not a plain file, folder or symbolic link. */
  readonly kind: "file" | "directory" | "symlink" | "other";
  /** Size of a file. */
  readonly sizeBytes: number;
  /** Modification time in whole milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Whether the owner may execute it; always false on Windows. */
  readonly executable: boolean;
}

/** A file read at once. */
export interface WholeRead {
  /** How many bytes of the buffer were filled; fewer than its length when the file is shorter. */
  readonly length: number;
  /** The file before the first byte was read. */
  readonly before: FileInfo;
  /** The file after the last. */
  readonly after: FileInfo;
}

/** A file open for reading. Calls do not overlap. */
export interface SourceFile {
  /** The file when it was opened. */
  readonly info: FileInfo;
  /** Fills `into` from `offset` on; gives how many bytes there were. */
  read(offset: number, into: Uint8Array): Promise<number>;
  /** The file now. */
  inspect(): Promise<FileInfo>;
  /** Closes it; never fails. */
  close(): void;
}

/** A file to be put in its place, through a part file beside it. */
export interface TargetFile {
  /** Where it goes. */
  readonly path: string;
  /** Where it is put together: the same folder. */
  readonly partPath: string;
  /** That folder, which must not be a link; undefined for the target folder, which may be one. */
  readonly folder: string | undefined;
  /** Its modification time. */
  readonly mtimeMs: number;
  /** Whether it may be executed. */
  readonly executable: boolean;
  /** Whether to replace a file or link that is at `path`; a folder is never replaced. */
  readonly overwrite: boolean;
}

/** `exists`: something is at the path that may not be replaced; the part file is gone. */
export type PlaceResult = "placed" | "exists";

/** A part file. Calls do not overlap. */
export interface PartFile {
  /** Writes all of `bytes` at `offset`. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Sets the time, closes, and moves the file into its place. */
  place(): Promise<PlaceResult>;
  /** Closes and removes the part file; never fails. */
  discard(): Promise<void>;
}

/** The files of a machine. */
export interface Storage {
  /** Which names the system cannot store. */
  readonly nameRules: "posix" | "windows";
  /** Whether names that differ only in case or in Unicode normal form mean the same file. */
  readonly foldsNames: boolean;
  /** The path of `name` in `folder`. */
  join(folder: string, name: string): string;
  /** The last component of a path, slashes at its end ignored; `""`, `"."` or `".."` perhaps. */
  baseName(path: string): string;

  /**
   * What is at `path`, not following a link; undefined when there is nothing. At once as
   * {@linkcode Storage.readWhole}.
   */
  inspect(path: string): FileInfo | undefined | Promise<FileInfo | undefined>;
  /** The absolute path of something that exists, all links followed. */
  resolve(path: string): Promise<string>;
  /** The names in a folder, in any order. */
  list(folder: string): Promise<string[]>;
  /**
   * Reads a plain file of at most 1 MiB into `into`, which is as long as the file is thought to be.
   * Where that takes a few microseconds it is done before this returns, and fails by throwing.
   */
  readWhole(path: string, into: Uint8Array): WholeRead | Promise<WholeRead>;
  /** Opens a plain file for reading. */
  openSource(path: string): Promise<SourceFile>;

  /** Bytes free where `folder` is or will be; undefined when that cannot be told. */
  freeBytes(folder: string): Promise<number | undefined>;
  /** Makes a folder and those above it; nothing happens when it is there. For the user's own path. */
  makeFolders(path: string): Promise<void>;
  /** Makes one folder; false when something is there. */
  makeFolder(path: string): Promise<boolean>;
  /** Sets the modification time of a folder. */
  setFolderTime(path: string, mtimeMs: number): Promise<void>;
  /** Writes and places a file of at most 1 MiB; at once as {@linkcode Storage.readWhole}. */
  writeWhole(target: TargetFile, bytes: Uint8Array): PlaceResult | Promise<PlaceResult>;
  /** Makes a part file, replacing one that was left behind. */
  createPart(target: TargetFile): Promise<PartFile>;
}

/** What `writeWhole` does where it has no shorter way: a part file that is written and placed. */
export async function writeThroughPart(
  storage: Pick<Storage, "createPart">,
  target: TargetFile,
  bytes: Uint8Array,
): Promise<PlaceResult> {
  const part = await storage.createPart(target);
  try {
    await part.write(0, bytes);
    return await part.place();
  } catch (error) {
    await part.discard();
    throw error;
  }
}
