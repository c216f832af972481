/**
 * Puts verified groups on the disk and finished files into their places, a few files at a time; what
 * is done with one file happens in order. Buffers and credit go back as soon as their bytes are
 * written or dropped. Small files are the matter of `whole_files.ts`, what of a large one is known to
 * survive that of `journaled_part.ts`.
 */
import type { GroupMemory } from "./group_memory.ts";
import type { TransferCrypto } from "../hash_tree.ts";
import type { IncomingFile } from "./incoming_file.ts";
import { JournaledPart, type LeftGroups, type PartPlan } from "./journaled_part.ts";
import { Lanes } from "../../storage/lanes.ts";
import { FILE_LANES, GROUP_BYTES } from "../limits.ts";
import type { PlaceResult, Storage } from "../../storage/storage.ts";
import { WholeFiles } from "./whole_files.ts";

/** A verified group. */
export interface LentGroup {
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly length: number;
  /** Whether it was read here, so that neither memory nor credit are to be given back. */
  readonly isLocal?: true;
}

/** What a {@linkcode FileWriter} works with. */
export interface FileWriterOptions {
  readonly storage: Storage;
  readonly crypto: TransferCrypto;
  /** Where groups go back to. */
  readonly memory: GroupMemory;
  /** Bytes of a part file that are written between two syncs. */
  readonly syncBytes: number;
  /** Told what happens. */
  readonly handler: FileWriterHandler;
}

/** What a {@linkcode FileWriter} tells. */
export interface FileWriterHandler {
  /** Bytes were written or dropped. */
  readonly onConsumed: (bytes: number) => void;
  /** A file is in its place, or its place is taken. */
  readonly onPlaced: (file: IncomingFile, result: PlaceResult) => void;
  /** A group is on the disk. */
  readonly onWritten: (file: IncomingFile) => void;
  /** A group waits for those before it, which are not verified yet. */
  readonly onHeldUp: (file: IncomingFile) => void;
  /** Writing failed; the file is still as it was. */
  readonly onFailed: (file: IncomingFile, error: unknown) => void;
}

/** The disk side of a receiver. */
export class FileWriter {
  readonly #options: FileWriterOptions;
  readonly #handler: FileWriterHandler;
  readonly #wholeFiles: WholeFiles;
  readonly #lanes = new Lanes(FILE_LANES);
  /** Files that have a part file. */
  readonly #open = new Set<IncomingFile>();
  #isStopped = false;

  /** @param options What it works with. */
  constructor(options: FileWriterOptions) {
    const { storage, handler } = options;
    this.#options = options;
    this.#handler = handler;
    this.#wholeFiles = new WholeFiles(storage, {
      onWritten: (group) => this.#giveBack(group),
      onPlaced: handler.onPlaced,
      onFailed: handler.onFailed,
    });
  }

  /** Writes and places a file of one group, or an empty one; never before this returns. */
  writeWhole(file: IncomingFile, group: LentGroup | undefined): void {
    this.#wholeFiles.write(file, group);
  }

  /** Writes a group of a larger file. */
  writeGroup(file: IncomingFile, index: number, group: LentGroup): void {
    void this.#inOrder(file, () => this.#writeGroup(file, index, group));
  }

  /** Writes a group that was found here; resolves when its bytes are not needed any more. */
  async copyGroup(
    file: IncomingFile,
    index: number,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const group = { buffer: bytes, length: bytes.length, isLocal: true } as const;
    await this.#inOrder(file, () => this.#writeGroup(file, index, group));
  }

  /**
   * Opens the part file that an earlier run left behind; nothing else was done with the file.
   *
   * @returns The groups that may be in it; undefined when there is none.
   */
  async resume(file: IncomingFile): Promise<LeftGroups | undefined> {
    return await this.#inOrder(file, async () => {
      if (this.#isDropped(file)) return undefined;
      const found = await JournaledPart.resume(this.#planOf(file));
      if (found === undefined) return undefined;
      file.part = found.part;
      this.#open.add(file);
      return found.left;
    });
  }

  /** Reads bytes of the part file back; gives how many there were, 0 when the file was dropped. */
  async read(file: IncomingFile, offset: number, into: Uint8Array): Promise<number> {
    return await this.#inOrder(file, async () => {
      if (this.#isDropped(file)) return 0;
      return await file.part?.read(offset, into) ?? 0;
    });
  }

  /** Puts a file whose groups are all written into its place. */
  place(file: IncomingFile): void {
    void this.#inOrder(file, async () => {
      const { part } = file;
      if (this.#isDropped(file) || part === undefined) return;
      try {
        const result = await part.place(file.sizeBytes);
        this.#forget(file);
        this.#handler.onPlaced(file, result);
      } catch (error) {
        this.#handler.onFailed(file, error);
      }
    });
  }

  /**
   * Ends the work on a file that was given up, once nothing is being written to it: its part file is
   * left for a later run, or removed when `file.isBad`.
   */
  close(file: IncomingFile): void {
    void this.#inOrder(file, () => this.#close(file));
  }

  /** Begins nothing more, waits for what is under way, and closes every file. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    // First, because on a full disk their room is what a journal needs.
    await this.#wholeFiles.stop();
    await this.#lanes.idle();
    await Promise.all(Array.from(this.#open, (file) => this.#close(file)));
  }

  #isDropped(file: IncomingFile): boolean {
    return this.#isStopped || file.isSettled;
  }

  /** Runs a task in a lane, after those about the same file. */
  async #inOrder<Result>(file: IncomingFile, task: () => Promise<Result>): Promise<Result> {
    const previous = file.lastAccess;
    const running = this.#lanes.run(async () => {
      await previous;
      return await task();
    });
    file.lastAccess = running.catch(() => {});
    return await running;
  }

  async #create(file: IncomingFile): Promise<JournaledPart> {
    const part = await JournaledPart.create(this.#planOf(file));
    this.#open.add(file);
    return part;
  }

  #planOf({ target, planned: { entry } }: IncomingFile): PartPlan {
    const { storage, crypto, syncBytes } = this.#options;
    const isResumable = entry.kind === "file" && entry.sizeBytes > GROUP_BYTES;
    return { storage, crypto, target, sizeBytes: entry.sizeBytes, isResumable, syncBytes };
  }

  async #writeGroup(file: IncomingFile, index: number, group: LentGroup): Promise<void> {
    if (this.#isDropped(file)) return this.#giveBack(group);
    try {
      const part = file.part ??= await this.#create(file);
      if (part.isOrdered && index !== file.writtenGroups) {
        (file.heldGroups ??= new Map()).set(index, group);
        return this.#handler.onHeldUp(file);
      }
      await part.write(index, group.buffer.subarray(0, group.length));
    } catch (error) {
      this.#giveBack(group);
      return this.#handler.onFailed(file, error);
    }
    file.writtenGroups++;
    this.#giveBack(group);
    this.#handler.onWritten(file);
    const next = file.heldGroups?.get(file.writtenGroups);
    if (next === undefined) return;
    file.heldGroups!.delete(file.writtenGroups);
    await this.#writeGroup(file, file.writtenGroups, next);
  }

  async #close(file: IncomingFile): Promise<void> {
    for (const group of file.heldGroups?.values() ?? []) this.#giveBack(group);
    file.heldGroups = undefined;
    const { part } = file;
    this.#forget(file);
    await (file.isBad ? part?.discard() : part?.leave());
  }

  #forget(file: IncomingFile): void {
    file.part = undefined;
    this.#open.delete(file);
  }

  #giveBack({ buffer, length, isLocal }: LentGroup): void {
    if (isLocal) return;
    this.#options.memory.give(buffer, length);
    this.#handler.onConsumed(length);
  }
}
