/** A stream in memory: what a program behind a pipe gives, or does not. */
import assert from "node:assert/strict";
import { type SourceFile, type SourceStorage, StorageError } from "../../lib/storage/storage.ts";

/** What comes when the bytes of a {@linkcode FakeStream} are used up. */
export type StreamEnd =
  | "ends"
  /** Zeros without end. */
  | "endless"
  /** Nothing, for ever. */
  | "waits"
  /** An error. */
  | "fails";

/** Serves one stream. Checks that it is read as a pipe can be: in order, once, not past its end. */
export class FakeStream implements SourceStorage {
  /** How often it was opened. */
  opened = 0;
  /** Whether it is open. */
  isOpen = false;
  /** Bytes that were read of it. */
  readBytes = 0;
  readonly #bytes: Uint8Array;
  readonly #end: StreamEnd;
  #hasEnded = false;
  #endRead = (_bytes: number) => {};

  constructor(bytes: Uint8Array, end: StreamEnd = "ends") {
    this.#bytes = bytes;
    this.#end = end;
  }

  inspect(): never {
    throw new Error("A stream has nothing to look at");
  }

  readWhole(): never {
    throw new Error("A stream has no size and cannot be read at once");
  }

  openSource(): Promise<SourceFile> {
    this.opened++;
    this.isOpen = true;
    return Promise.resolve({
      info: { kind: "other", sizeBytes: 0, mtimeMs: 0, executable: false },
      read: (offset, into) => this.#read(offset, into),
      inspect: () => Promise.reject(new Error("A stream has nothing to look at")),
      close: () => {
        assert.ok(this.isOpen, "closed twice");
        this.isOpen = false;
        this.#endRead(0);
      },
    });
  }

  async #read(offset: number, into: Uint8Array): Promise<number> {
    assert.ok(this.isOpen && !this.#hasEnded, "read behind the end");
    assert.equal(offset, this.readBytes, "read out of order");
    const part = this.#bytes.subarray(offset, offset + into.length);
    into.set(part);
    this.readBytes += part.length;
    if (part.length === into.length) return part.length;
    switch (this.#end) {
      case "ends":
        this.#hasEnded = true;
        return part.length;
      case "endless":
        into.fill(0, part.length);
        this.readBytes += into.length - part.length;
        return into.length;
      case "waits":
        return await new Promise<number>((resolve) => this.#endRead = resolve);
      case "fails":
        this.#hasEnded = true;
        throw new StorageError("other", "Cannot read the stream");
    }
  }
}
