/**
 * A {@linkcode Storage} that holds one file and nothing else, and passes it on as it comes: for a
 * program behind a pipe, or a stream of the library. Nothing is kept here, so whoever reads it slowly
 * makes the sharer slow; what ends early ends the stream with an error, and cannot be resumed.
 */
import {
  type FileInfo,
  type PartFile,
  type PlaceResult,
  type Storage,
  StorageError,
  type TargetFile,
} from "./storage.ts";

/** The folder that everything goes into: there is no other. */
export const OUTPUT_ROOT = "/";

const ROOT_INFO: FileInfo = { kind: "directory", sizeBytes: 0, mtimeMs: 0, executable: false };

/** Writes one file into a stream. */
export class OutputStorage implements Storage, PartFile {
  /** See {@linkcode PartFile.isOrdered}. */
  readonly isOrdered = true;
  /** Any name will do: it is not used. */
  readonly nameRules = "posix";
  /** There is one name. */
  readonly foldsNames = false;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  /** Rejects when the transfer ends early: a write may wait for a reader that never comes. */
  readonly #ended = Promise.withResolvers<never>();
  #position = 0;
  #isOver = false;

  /**
   * @param stream Locked from now on; closed when the file is complete, aborted when it will not be.
   * @throws {TypeError} If someone else writes to it.
   */
  constructor(stream: WritableStream<Uint8Array>) {
    this.#writer = stream.getWriter();
    this.#ended.promise.catch(() => {});
    // Told by the next write or by closing as well.
    this.#writer.closed.catch(() => {});
  }

  /** See {@linkcode Storage.abort}: ends the stream with an error, unless it is complete; never fails. */
  abort(reason: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ended.reject(new StorageError("other", reason.message, { cause: reason }));
    this.#writer.abort(reason).catch(() => {});
  }

  // ---- the one file ----

  /** See {@linkcode Storage.createPart}. */
  createPart(): Promise<PartFile> {
    return Promise.resolve(this);
  }

  /** See {@linkcode PartFile.write}; waits until the bytes were taken. */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (offset !== this.#position) {
      throw new RangeError(`Cannot write at ${offset}: the stream is at ${this.#position}`);
    }
    this.#position += bytes.length;
    // Whoever takes the bytes may keep them, and the buffer is used again.
    await this.#attempt(this.#writer.write(bytes.slice()));
  }

  /** See {@linkcode PartFile.place}: the stream ends. */
  async place(): Promise<PlaceResult> {
    await this.#attempt(this.#writer.close());
    this.#isOver = true;
    return "placed";
  }

  /** See {@linkcode Storage.writeWhole}. */
  async writeWhole(_target: TargetFile, bytes: Uint8Array): Promise<void> {
    if (bytes.length > 0) await this.write(0, bytes);
  }

  /** See {@linkcode Storage.placeWhole}. */
  async placeWhole(targets: readonly TargetFile[]): Promise<(PlaceResult | StorageError)[]> {
    const results: (PlaceResult | StorageError)[] = [];
    for (const _target of targets) results.push(await this.place());
    return results;
  }

  /** See {@linkcode PartFile.keep}: there is no later run. */
  keep(): void {
    this.abort(new Error("The transfer ended before all was there"));
  }

  /** See {@linkcode PartFile.discard}. */
  discard(): Promise<void> {
    this.keep();
    return Promise.resolve();
  }

  /** See {@linkcode Storage.discardWhole}. */
  discardWhole(): Promise<void> {
    return this.discard();
  }

  /** See {@linkcode PartFile.sync}: what was taken is out of our hands. */
  sync(): Promise<void> {
    return Promise.resolve();
  }

  async #attempt(taking: Promise<void>): Promise<void> {
    try {
      await Promise.race([taking, this.#ended.promise]);
    } catch (error) {
      if (error instanceof StorageError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new StorageError("other", `Cannot write the output: ${reason}`, { cause: error });
    }
  }

  // ---- the folder it is in ----

  /** See {@linkcode Storage.join}. */
  join(folder: string, name: string): string {
    return folder === OUTPUT_ROOT ? `/${name}` : `${folder}/${name}`;
  }

  /** See {@linkcode Storage.baseName}. */
  baseName(path: string): string {
    return path.slice(path.lastIndexOf("/") + 1);
  }

  /** See {@linkcode Storage.inspect}: nothing is there but the folder. */
  inspect(path: string): FileInfo | undefined {
    return path === OUTPUT_ROOT ? ROOT_INFO : undefined;
  }

  /** See {@linkcode Storage.list}. */
  list(): Promise<string[]> {
    return Promise.resolve([]);
  }

  /** See {@linkcode Storage.freeBytes}: nobody knows. */
  freeBytes(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** See {@linkcode Storage.makeFolders}. */
  makeFolders(): Promise<void> {
    return Promise.resolve();
  }

  /** See {@linkcode Storage.syncFolder}. */
  syncFolder(): Promise<void> {
    return Promise.resolve();
  }

  /** See {@linkcode Storage.resumePart}: there never is one. */
  resumePart(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** See {@linkcode Storage.readState}: there never is one. */
  readState(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** See {@linkcode Storage.replaceState}: nothing is kept. */
  replaceState(): Promise<void> {
    return Promise.resolve();
  }

  /** See {@linkcode Storage.removeState}. */
  removeState(): Promise<void> {
    return Promise.resolve();
  }

  // ---- what one file in a stream cannot be asked for ----

  /** See {@linkcode PartFile.read}: fails. */
  read(): Promise<number> {
    return missing("read back");
  }

  /** See {@linkcode Storage.resolve}: fails. */
  resolve(): Promise<string> {
    return missing("look for files");
  }

  /** See {@linkcode Storage.readWhole}: fails. */
  readWhole(): Promise<never> {
    return missing("read files");
  }

  /** See {@linkcode Storage.openSource}: fails. */
  openSource(): Promise<never> {
    return missing("read files");
  }

  /** See {@linkcode Storage.makeFolder}: fails. */
  makeFolder(): Promise<boolean> {
    return missing("make folders");
  }

  /** See {@linkcode Storage.setFolderTime}: fails. */
  setFolderTime(): Promise<void> {
    return missing("set times");
  }

  /** See {@linkcode Storage.setFileTime}: fails. */
  setFileTime(): Promise<void> {
    return missing("set times");
  }

  /** See {@linkcode Storage.readLink}: fails. */
  readLink(): Promise<string> {
    return missing("read links");
  }

  /** See {@linkcode Storage.makeLink}: fails. */
  makeLink(): Promise<PlaceResult> {
    return missing("make links");
  }
}

function missing(what: string): Promise<never> {
  return Promise.reject(new StorageError("other", `Cannot ${what} in a stream`));
}
