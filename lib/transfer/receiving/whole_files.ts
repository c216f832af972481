/**
 * Small files on their way to the disk: written one by one, at once where the storage is quick, and
 * then put into their places many at a time. One sync for a thousand files costs little more than
 * one for a single file, so while a batch is placed the next one gathers [DISK-6].
 */
import { Fifo } from "../../protocol/fifo.ts";
import type { IncomingFile } from "./incoming_file.ts";
import { FILE_LANES, PLACE_BATCH } from "../limits.ts";
import type { PlaceResult, Storage } from "../../storage/storage.ts";
import { StorageError } from "../../storage/storage.ts";
import type { LentGroup } from "./file_writer.ts";

/** What {@linkcode WholeFiles} tells. */
export interface WholeFilesHandler {
  /** The bytes of a file were written or dropped. */
  readonly onWritten: (group: LentGroup) => void;
  /** A file is in its place, or its place is taken. */
  readonly onPlaced: (file: IncomingFile, result: PlaceResult) => void;
  /** Writing or placing failed; nothing of the file is left. */
  readonly onFailed: (file: IncomingFile, error: unknown) => void;
}

/** A file of one group or none. */
interface WholeFile {
  readonly file: IncomingFile;
  readonly group: LentGroup | undefined;
}

const NO_BYTES = new Uint8Array(0);

/** The small files of one transfer. */
export class WholeFiles {
  readonly #storage: Storage;
  readonly #handler: WholeFilesHandler;
  /** Verified and not written. */
  readonly #waiting = new Fifo<WholeFile>();
  /** Written and not in their places. */
  #written: IncomingFile[] = [];
  readonly #goOn = (): void => this.#writeWaiting();
  #isWriting = false;
  /** Files that the storage takes its time to write. */
  #slowFiles = 0;
  #placing: Promise<void> | undefined;
  #isStopped = false;
  #onIdle = (): void => {};

  /**
   * @param storage Where files are written.
   * @param handler Told what happens.
   */
  constructor(storage: Storage, handler: WholeFilesHandler) {
    this.#storage = storage;
    this.#handler = handler;
  }

  /** Writes and places a file; never before this returns. */
  write(file: IncomingFile, group: LentGroup | undefined): void {
    this.#waiting.push({ file, group });
    if (this.#isWriting) return;
    this.#isWriting = true;
    queueMicrotask(this.#goOn);
  }

  /** Begins nothing more, waits for what is under way, and removes what was not placed. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#giveBack(next.group);
    }
    if (this.#slowFiles > 0) await new Promise<void>((resolve) => this.#onIdle = resolve);
    await this.#placing;
    for (const { target } of this.#written.splice(0)) await this.#storage.discardWhole(target);
  }

  /**
   * Writes what waits, until the storage is slow with as many files as it may be, or so many are
   * written that the next batch is full.
   */
  #writeWaiting(): void {
    this.#isWriting = true;
    while (
      this.#slowFiles < FILE_LANES && this.#written.length + this.#slowFiles < PLACE_BATCH
    ) {
      const whole = this.#waiting.shift();
      if (whole === undefined) break;
      const writing = this.#startWrite(whole);
      if (writing === undefined) continue;
      this.#slowFiles++;
      void this.#awaitWrite(whole, writing);
    }
    this.#isWriting = false;
    this.#placeWritten();
  }

  /** Gives a promise only where the storage takes its time. */
  #startWrite(whole: WholeFile): Promise<void> | undefined {
    const { file, group } = whole;
    if (this.#isStopped || file.isSettled) return this.#giveBack(group);
    const bytes = group?.buffer.subarray(0, group.length) ?? NO_BYTES;
    try {
      const writing = this.#storage.writeWhole(file.target, bytes);
      if (writing !== undefined) return writing;
      this.#written.push(file);
    } catch (error) {
      this.#handler.onFailed(file, error);
    }
    this.#giveBack(group);
  }

  async #awaitWrite({ file, group }: WholeFile, writing: Promise<void>): Promise<void> {
    try {
      await writing;
      this.#written.push(file);
    } catch (error) {
      this.#handler.onFailed(file, error);
    }
    this.#slowFiles--;
    this.#giveBack(group);
    if (this.#slowFiles === 0) this.#onIdle();
    if (!this.#isWriting) this.#writeWaiting();
  }

  #giveBack(group: LentGroup | undefined): undefined {
    if (group !== undefined) this.#handler.onWritten(group);
  }

  #placeWritten(): void {
    if (this.#placing !== undefined || this.#written.length === 0 || this.#isStopped) return;
    const batch = this.#written;
    this.#written = [];
    this.#placing = this.#place(batch).finally(() => {
      this.#placing = undefined;
      if (!this.#isWriting) this.#writeWaiting();
    });
  }

  async #place(batch: readonly IncomingFile[]): Promise<void> {
    let results: readonly (PlaceResult | StorageError)[];
    try {
      results = await this.#storage.placeWhole(batch.map(({ target }) => target));
    } catch (error) {
      return this.#handler.onFailed(batch[0]!, error);
    }
    for (let index = 0; index < batch.length; index++) {
      const file = batch[index]!;
      const result = results[index]!;
      if (result instanceof StorageError) this.#handler.onFailed(file, result);
      else this.#handler.onPlaced(file, result);
    }
  }
}
