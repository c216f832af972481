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
  /** The file system was mounted so that nothing can be written, or became so after an error. */
  | "read_only"
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
  /** Its number in the file system, where it has one. */
  readonly inode?: number;
  /**
   * When anything of it was changed last, its times included, in milliseconds since 1970; where the
   * file system tells. Other than the modification time nobody can set it.
   */
  readonly changedMs?: number;
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
  /** Closes it; never fails. A stream may be closed while it is read, which ends the read. */
  close(): void;
}

/** A file to be put in its place, through a part file beside it. */
export interface TargetFile {
  /** Where it goes. */
  readonly path: string;
  /** Where it is put together: the same folder. */
  readonly partPath: string;
  /** Where is written what of the part file can be trusted: the same folder. */
  readonly journalPath: string;
  /** That folder, which must not be a link; undefined for the target folder, which may be one. */
  readonly folder: string | undefined;
  /** Its modification time. */
  readonly mtimeMs: number;
  /** Whether it may be executed. */
  readonly executable: boolean;
  /** Whether to replace a file or link that is at `path`; a folder is never replaced. */
  readonly overwrite: boolean;
}

/** Where a symbolic link goes; as in {@linkcode TargetFile}. */
export type TargetLink = Pick<TargetFile, "path" | "partPath" | "folder" | "mtimeMs" | "overwrite">;

/** Where a journal is; as in {@linkcode TargetFile}. */
export type StatePlace = Pick<TargetFile, "journalPath" | "folder">;

/** `exists`: something is at the path that may not be replaced; the part file is gone. */
export type PlaceResult = "placed" | "exists";

/**
 * A part file. Calls do not overlap, but for {@linkcode PartFile.sync}, which may overlap with reading
 * and writing.
 */
export interface PartFile {
  /** Whether it takes groups in their order only, each once: a pipe, for instance. Default false. */
  readonly isOrdered?: boolean;
  /**
   * Writes all of `bytes` at `offset`. Chunks of 64 KiB that lie at multiples of 64 KiB and hold
   * nothing but zeros take no room on the disk where its file system can leave them out.
   */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Fills `into` from `offset` on; gives how many bytes there were: fewer at the end of the file. */
  read(offset: number, into: Uint8Array): Promise<number>;
  /** What was written before the call survives a power cut once it resolves. */
  sync(): Promise<void>;
  /**
   * Sets size and time, makes all of it survive a power cut, closes, and moves the file into its
   * place. When it fails the part file is still there.
   */
  place(sizeBytes: number): Promise<PlaceResult>;
  /** Closes it and leaves it for a later run; never fails. */
  keep(): void;
  /** Closes and removes it; never fails. */
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

  /** Lets other things of the program happen; missing where nothing waits for that. */
  breathe?(): Promise<void>;

  /** Bytes free where `folder` is or will be; undefined when that cannot be told. */
  freeBytes(folder: string): Promise<number | undefined>;
  /**
   * Makes a folder and those above it, so that a power cut does not take them away, where the system
   * can; nothing happens when it is there. For the user's own path.
   */
  makeFolders(path: string): Promise<void>;
  /** Makes one folder; false when something is there. */
  makeFolder(path: string): Promise<boolean>;
  /** Sets the modification time of a folder. */
  setFolderTime(path: string, mtimeMs: number): Promise<void>;
  /** Sets the modification time of a plain file that is there; follows no link. */
  setFileTime(path: string, mtimeMs: number): Promise<void>;

  /** Makes a part file, replacing one that was left behind. */
  createPart(target: TargetFile): Promise<PartFile>;
  /**
   * Opens a part file that was left behind; undefined when there is none, or something that a run of
   * ours did not leave there: no plain file, or one that has another name too.
   */
  resumePart(target: TargetFile): Promise<PartFile | undefined>;
  /**
   * Writes a file of at most 1 MiB into its part file, replacing one that was left behind; at once as
   * {@linkcode Storage.readWhole}. {@linkcode Storage.placeWhole} or
   * {@linkcode Storage.discardWhole} follows; when it fails the part file is gone.
   */
  writeWhole(target: TargetFile, bytes: Uint8Array): void | Promise<void>;
  /**
   * Makes files of {@linkcode Storage.writeWhole} survive a power cut, all together, and moves each
   * into its place. The part file of one that fails is gone.
   *
   * @returns What became of each, in the same order.
   */
  placeWhole(targets: readonly TargetFile[]): Promise<(PlaceResult | StorageError)[]>;
  /** Removes the part file of a file that was written and not placed; never fails. */
  discardWhole(target: TargetFile): Promise<void>;
  /** Makes names that were placed in a folder survive a power cut, where the system can. */
  syncFolder(path: string): Promise<void>;

  /**
   * Nothing more will be written: ends calls that wait for somebody who reads, for ever perhaps. They
   * fail. Missing where nothing waits for anybody.
   */
  abort?(reason: Error): void;

  /** What a symbolic link points to, as it is written in it. */
  readLink(path: string): Promise<string>;
  /** Makes a symbolic link with `text` in it. */
  makeLink(text: string, target: TargetLink): Promise<PlaceResult>;

  /** Reads a journal; undefined when there is none, or no plain file, or one of more bytes. */
  readState(place: StatePlace, maxBytes: number): Promise<Uint8Array | undefined>;
  /**
   * Writes a journal, replacing one that is there: after a power cut, during the call too, either all
   * of the old one is there or all of this one. Uses a file beside it, {@linkcode nextStatePath}.
   */
  replaceState(place: StatePlace, bytes: Uint8Array): Promise<void>;
  /** Removes a journal; never fails. */
  removeState(place: StatePlace): Promise<void>;
}

/** What a running share needs of the files of a machine, or of what stands for them. */
export type SourceStorage = Pick<Storage, "inspect" | "readWhole" | "openSource" | "breathe">;

/** Where a journal is written before it replaces the one that is there. */
export function nextStatePath({ journalPath }: StatePlace): string {
  return journalPath.replace(/\.journal$/, ".next");
}
