/**
 * Puts verified groups on the disk and finished files into their place, a few files at a time; the
 * groups of one file one after another. Buffers and credit go back as soon as their bytes are
 * written or dropped. Where the storage answers at once, a small file costs no promise.
 */
import { Fifo } from "../protocol/fifo.ts";
import type { GroupMemory } from "./group_memory.ts";
import type { IncomingFile } from "./incoming_file.ts";
import { Lanes } from "./lanes.ts";
import { FILE_LANES, GROUP_BYTES } from "./limits.ts";
import type { PlaceResult, Storage } from "./storage.ts";

/** A verified group, lent by the memory. */
export interface LentGroup {
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly length: number;
}

/** A file of one group or none, to be written and placed. */
interface WholeFile {
  readonly file: IncomingFile;
  readonly group: LentGroup | undefined;
}

const NO_BYTES = new Uint8Array(0);

/** What a {@linkcode FileWriter} tells. */
export interface FileWriterHandler {
  /** Bytes were written or dropped. */
  readonly onConsumed: (bytes: number) => void;
  /** A file is in its place, or its place is taken. */
  readonly onPlaced: (file: IncomingFile, result: PlaceResult) => void;
  /** A group is on the disk. */
  readonly onWritten: (file: IncomingFile) => void;
  /** Writing failed; the file is still as it was. */
  readonly onFailed: (file: IncomingFile, error: unknown) => void;
}

/** The disk side of a receiver. */
export class FileWriter {
  readonly #storage: Storage;
  readonly #memory: GroupMemory;
  readonly #handler: FileWriterHandler;
  readonly #lanes = new Lanes(FILE_LANES);
  /** Files that have a part file. */
  readonly #open = new Set<IncomingFile>();
  readonly #whole = new Fifo<WholeFile>();
  readonly #writeWaiting = (): void => this.#writeWholeFiles();
  #isWriting = false;
  /** Whole files that the storage takes its time for. */
  #slowFiles = 0;
  #isStopped = false;

  /**
   * @param storage Where files are written.
   * @param memory Where groups go back to.
   * @param handler Told what happens.
   */
  constructor(storage: Storage, memory: GroupMemory, handler: FileWriterHandler) {
    this.#storage = storage;
    this.#memory = memory;
    this.#handler = handler;
  }

  /** Writes and places a file of one group, or an empty one; never before this returns. */
  writeWhole(file: IncomingFile, group: LentGroup | undefined): void {
    this.#whole.push({ file, group });
    if (this.#isWriting) return;
    this.#isWriting = true;
    queueMicrotask(this.#writeWaiting);
  }

  /** Writes what waits, until the storage is slow with as many files as it may be. */
  #writeWholeFiles(): void {
    this.#isWriting = true;
    while (this.#slowFiles < FILE_LANES) {
      const whole = this.#whole.shift();
      if (whole === undefined) break;
      const result = this.#startWhole(whole);
      if (result instanceof Promise) {
        const ending = this.#awaitWhole(whole, result);
        void this.#lanes.run(() => ending);
      } else {
        this.#endWhole(whole, result);
      }
    }
    this.#isWriting = false;
  }

  #startWhole({ file, group }: WholeFile): PlaceResult | Promise<PlaceResult> | undefined {
    if (this.#isDropped(file)) return undefined;
    const bytes = group?.buffer.subarray(0, group.length) ?? NO_BYTES;
    try {
      const result = this.#storage.writeWhole(file.target, bytes);
      if (result instanceof Promise) this.#slowFiles++;
      return result;
    } catch (error) {
      this.#handler.onFailed(file, error);
      return undefined;
    }
  }

  async #awaitWhole(whole: WholeFile, placing: Promise<PlaceResult>): Promise<void> {
    let result: PlaceResult | undefined;
    try {
      result = await placing;
    } catch (error) {
      this.#handler.onFailed(whole.file, error);
    }
    this.#slowFiles--;
    this.#endWhole(whole, result);
    if (!this.#isWriting) this.#writeWholeFiles();
  }

  #endWhole({ file, group }: WholeFile, result: PlaceResult | undefined): void {
    if (group !== undefined) this.#giveBack(group);
    if (result !== undefined) this.#handler.onPlaced(file, result);
  }

  /** Writes a group of a larger file. */
  writeGroup(file: IncomingFile, index: number, group: LentGroup): void {
    const previous = file.lastWrite;
    file.lastWrite = this.#lanes.run(async () => {
      await previous;
      try {
        if (!this.#isDropped(file)) {
          file.part ??= await this.#createPart(file);
          await file.part.write(index * GROUP_BYTES, group.buffer.subarray(0, group.length));
          file.writtenGroups++;
        }
      } catch (error) {
        this.#handler.onFailed(file, error);
      }
      this.#giveBack(group);
      this.#handler.onWritten(file);
    });
  }

  /** Puts a file whose groups are all written into its place. */
  place(file: IncomingFile): void {
    void this.#lanes.run(async () => {
      const { part } = file;
      if (this.#isDropped(file) || part === undefined) return;
      try {
        const result = await part.place();
        this.#forget(file);
        this.#handler.onPlaced(file, result);
      } catch (error) {
        this.#handler.onFailed(file, error);
      }
    });
  }

  /** Removes the part file of a file that was given up, once nothing is being written to it. */
  discard(file: IncomingFile): void {
    void this.#lanes.run(() => this.#discardPart(file));
  }

  /** Begins nothing more, waits for what is under way, and removes every part file. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#lanes.idle();
    for (const file of this.#open) await this.#discardPart(file);
  }

  #isDropped(file: IncomingFile): boolean {
    return this.#isStopped || file.isSettled;
  }

  async #createPart(file: IncomingFile): ReturnType<Storage["createPart"]> {
    const part = await this.#storage.createPart(file.target);
    this.#open.add(file);
    return part;
  }

  async #discardPart(file: IncomingFile): Promise<void> {
    await file.lastWrite;
    await file.part?.discard();
    this.#forget(file);
  }

  #forget(file: IncomingFile): void {
    file.part = undefined;
    this.#open.delete(file);
  }

  #giveBack({ buffer, length }: LentGroup): void {
    this.#memory.give(buffer, length);
    this.#handler.onConsumed(length);
  }
}
