/** A file of the disk that is read group by group, through the runtime's thread pool. */
import { attempt } from "./deno_errors.ts";
import { fileInfo, isSame, noPlainFileError, replacedError } from "./deno_file_info.ts";
import type { FileInfo, SourceFile, WholeRead } from "./storage.ts";

/** A file open for reading. */
export class DenoSourceFile implements SourceFile {
  /** See {@linkcode SourceFile.info}. */
  readonly info: FileInfo;
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #position = 0;

  private constructor(path: string, file: Deno.FsFile, info: FileInfo) {
    this.#path = path;
    this.#file = file;
    this.info = info;
  }

  /** Opens a plain file, and makes sure that it is the one that was looked at [DISK-2]. */
  static async open(path: string): Promise<DenoSourceFile> {
    const seen = await attempt(`look at ${path}`, () => Deno.lstat(path));
    if (!seen.isFile) throw noPlainFileError(path);
    const file = await attempt(`open ${path}`, () => Deno.open(path, { read: true }));
    try {
      const opened = await attempt(`look at ${path}`, () => file.stat());
      if (!isSame(seen, opened)) throw replacedError(path);
      return new DenoSourceFile(path, file, fileInfo(opened));
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** See {@linkcode SourceFile.read}. */
  async read(offset: number, into: Uint8Array): Promise<number> {
    return await attempt(`read ${this.#path}`, async () => {
      if (offset !== this.#position) this.#file.seekSync(offset, Deno.SeekMode.Start);
      let length = 0;
      while (length < into.length) {
        const read = await this.#file.read(length === 0 ? into : into.subarray(length));
        if (read === null) break;
        length += read;
      }
      this.#position = offset + length;
      return length;
    });
  }

  /** Reads all of it; see {@linkcode WholeRead}. */
  async readWhole(into: Uint8Array): Promise<WholeRead> {
    const length = await this.read(0, into);
    return { length, before: this.info, after: await this.inspect() };
  }

  /** See {@linkcode SourceFile.inspect}. */
  async inspect(): Promise<FileInfo> {
    return fileInfo(await attempt(`look at ${this.#path}`, () => this.#file.stat()));
  }

  /** See {@linkcode SourceFile.close}. */
  close(): void {
    this.#file.close();
  }
}
