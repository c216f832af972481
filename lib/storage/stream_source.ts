/**
 * The bytes of a stream on their way out, read as a file is, but in order and once: what was read is
 * gone. Nothing is read before it is asked for, so whoever writes waits for the line.
 */
import { type FileInfo, type SourceFile, type SourceStorage, StorageError } from "./storage.ts";

const NOTHING = new Uint8Array(0);

/** Serves one stream, once. */
export class StreamSource implements SourceStorage, SourceFile {
  /** See {@linkcode SourceFile.info}; a stream has neither size nor time. */
  readonly info: FileInfo = { kind: "file", sizeBytes: 0, mtimeMs: 0, executable: false };
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  /** What was read of the stream and not asked for yet. */
  #rest: Uint8Array = NOTHING;
  #position = 0;
  #isBegun = false;
  #isClosed = false;

  /**
   * @param stream Locked from now on.
   * @throws {TypeError} If someone else reads it.
   */
  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** Whether reading has begun: nobody else can have it from its beginning. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** Never the way for a stream: fails. */
  readWhole(): never {
    throw new StorageError("other", "Cannot read a stream at once");
  }

  /** Begins to read; fails the second time. */
  openSource(): Promise<SourceFile> {
    if (this.#isBegun) {
      return Promise.reject(new StorageError("other", "Cannot read a stream a second time"));
    }
    this.#isBegun = true;
    return Promise.resolve(this);
  }

  /**
   * Fills `into`, waiting for bytes as long as it takes.
   *
   * @param offset Where the read before ended.
   * @returns How many bytes there were: fewer than asked for at the end of the stream only.
   * @throws {StorageError} When whoever writes failed, and after {@linkcode StreamSource.close}.
   */
  async read(offset: number, into: Uint8Array): Promise<number> {
    if (offset !== this.#position) {
      throw new RangeError(`Cannot read a stream at ${offset}: it is at ${this.#position}`);
    }
    let length = 0;
    while (length < into.length) {
      if (this.#rest.length === 0) {
        const next = await this.#next();
        if (next === undefined) break;
        this.#rest = next;
      }
      const part = this.#rest.subarray(0, into.length - length);
      into.set(part, length);
      length += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    this.#position += length;
    return length;
  }

  /** See {@linkcode SourceFile.inspect}. */
  inspect(): Promise<FileInfo> {
    return Promise.resolve(this.info);
  }

  /** Ends the reading, also one that waits: whoever writes is told that nobody reads any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // A stream that has failed says so again.
    this.#reader.cancel().catch(() => {});
  }

  async #next(): Promise<Uint8Array | undefined> {
    let next: ReadableStreamReadResult<Uint8Array>;
    try {
      next = await this.#reader.read();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new StorageError("other", `Cannot read the stream: ${reason}`, { cause });
    }
    // To the reader that looks like the end of the stream.
    if (this.#isClosed) throw new StorageError("other", "Cannot read the stream: it was closed");
    return next.done ? undefined : next.value;
  }
}
