/** A file of the disk that is read group by group, through the runtime's thread pool. */
import { attempt } from "./deno_errors.ts";
import { fileInfo } from "./deno_file_info.ts";
import { openPlainFile, readFully } from "./deno_plain_file.ts";
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

  /** Opens a plain file. */
  static async open(path: string): Promise<DenoSourceFile> {
    const { file, info } = await openPlainFile(path, { read: true });
    return new DenoSourceFile(path, file, fileInfo(info));
  }

  /** See {@linkcode SourceFile.read}. */
  async read(offset: number, into: Uint8Array): Promise<number> {
    return await attempt(`read ${this.#path}`, async () => {
      if (offset !== this.#position) this.#file.seekSync(offset, Deno.SeekMode.Start);
      const length = await readFully(this.#file, into);
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
