/**
 * Compares what is here of one file with the sharer's hashes (docs/transfer.md, "Files that are partly
 * here") [DISK-8]. What is right counts as if it had come, what is wrong is asked for. Which files
 * those are, and when, is decided in `resumption.ts`.
 */
import type { BufferPool } from "../buffer_pool.ts";
import type { FileWriter } from "./file_writer.ts";
import { hashGroup, sameHash, type TransferCrypto } from "../hash_tree.ts";
import type { IncomingCheck } from "./incoming_check.ts";
import type { IncomingFile } from "./incoming_file.ts";
import { type GroupRanges, type KeptGroups, proveGroups, type ProvenGroup } from "./kept_groups.ts";
import { GROUP_BYTES } from "../limits.ts";
import type { RequestWindow } from "./request_window.ts";
import type { Half } from "../half.ts";
import { type SourceFile, type Storage, StorageError } from "../../storage/storage.ts";

/** A file that is to be compared. */
export interface Candidate {
  readonly file: IncomingFile;
  readonly check: IncomingCheck;
  /** Groups of its part file that were synced. */
  readonly synced: GroupRanges;
  /** Groups of its part file that were not. */
  readonly unsynced: GroupRanges;
  /** Another file here, when it is larger than a group. */
  readonly source: SourceFile | undefined;
  /** Groups of that, as far as the part file has them not. */
  readonly reusable: GroupRanges;
}

/** What a comparison works with. */
export interface ComparisonOptions {
  readonly half: Half;
  readonly storage: Storage;
  readonly crypto: TransferCrypto;
  /** Where buffers come from. */
  readonly pool: BufferPool;
  readonly requests: RequestWindow;
  readonly writer: FileWriter;
  readonly handler: ComparisonHandler;
}

/** What a comparison tells. */
export interface ComparisonHandler {
  /** Bytes that were here are right. */
  readonly onKept: (file: IncomingFile, bytes: number) => void;
  /** Groups of a file are in its part file: it may be complete. */
  readonly onProgress: (file: IncomingFile) => void;
  /** The file in its place is the very one that is offered. */
  readonly onIdentical: (file: IncomingFile) => void;
  /** The file in its place is another one, and may not be replaced. */
  readonly onDiffering: (file: IncomingFile) => void;
}

/** Groups that were wrong and lie side by side are asked for together, as soon as there are so many. */
const RUN_GROUPS = 64;

/** The comparing of one file. */
export class Comparison {
  readonly #options: ComparisonOptions;
  readonly #candidate: Candidate;
  readonly #file: IncomingFile;

  /**
   * @param options What it works with.
   * @param candidate What is compared.
   */
  constructor(options: ComparisonOptions, candidate: Candidate) {
    this.#options = options;
    this.#candidate = candidate;
    this.#file = candidate.file;
  }

  /** Compares everything; ends early with the session, or when the file is settled. */
  async run(): Promise<void> {
    if (this.#file.groupCount <= 1) await this.#compareSmall();
    else await this.#compareLarge();
  }

  get #isWanted(): boolean {
    return !this.#options.half.hasEnded && !this.#file.isSettled;
  }

  // ---- small files ----

  async #compareSmall(): Promise<void> {
    const { requests, writer, crypto, handler } = this.#options;
    const file = this.#file;
    const { reuse, overwrite } = file.planned;
    const length = file.sizeBytes;
    const buffer = new Uint8Array(length);
    const own = await this.#readSmall(reuse!.path, buffer) ? hashGroup(crypto, buffer) : undefined;
    const expected = await this.#candidate.check.hashOf(0);
    if (expected === undefined || !this.#isWanted) return;
    if (own !== undefined && sameHash(own, expected)) {
      handler.onKept(file, length);
      if (reuse!.isInPlace) return handler.onIdentical(file);
      return writer.writeWhole(file, { buffer, length, isLocal: true });
    }
    if (reuse!.isInPlace && !overwrite) return handler.onDiffering(file);
    requests.addRange(file, { start: 0, end: length });
  }

  /** Whether there are exactly as many bytes. */
  async #readSmall(path: string, into: Uint8Array): Promise<boolean> {
    try {
      const { length, after } = await this.#options.storage.readWhole(path, into);
      return length === into.length && after.sizeBytes === length;
    } catch (error) {
      if (error instanceof StorageError) return false;
      throw error;
    }
  }

  // ---- large files ----

  async #compareLarge(): Promise<void> {
    const { writer, handler } = this.#options;
    const { synced, unsynced, source, reusable, check } = this.#candidate;
    const file = this.#file;
    const { reuse, overwrite } = file.planned;
    // Looked at first and not copied: nearly always such a file is all right or not at all.
    const mayBeIdentical = source !== undefined && reuse!.isInPlace &&
      synced.length + unsynced.length === 0 && source.info.sizeBytes === file.sizeBytes;
    if (mayBeIdentical && await this.#isIdentical(source)) {
      const root = await check.root();
      if (root === undefined || !this.#isWanted) return;
      handler.onKept(file, file.sizeBytes);
      return handler.onIdentical(file);
    }
    if (!this.#isWanted) return;
    if (reuse?.isInPlace && !overwrite) return handler.onDiffering(file);
    const part = { read: (offset: number, into: Uint8Array) => writer.read(file, offset, into) };
    await this.#proveAll({ source: part, groups: synced }, () => {
      file.writtenGroups++;
      handler.onProgress(file);
    });
    const copy = ({ group, bytes }: ProvenGroup) => writer.copyGroup(file, group, bytes);
    await this.#proveAll({ source: part, groups: unsynced }, copy);
    if (source !== undefined) await this.#proveAll({ source, groups: reusable }, copy);
  }

  /** Whether every group of a file is the sharer's. */
  async #isIdentical(source: SourceFile): Promise<boolean> {
    const { crypto, pool } = this.#options;
    const { groupCount } = this.#file;
    let rightGroups = 0;
    let isRight = true;
    await proveGroups({ source, groups: [0, groupCount] }, {
      crypto,
      pool,
      check: this.#candidate.check,
      isWanted: () => isRight && this.#isWanted,
      onGroup: ({ hash }) => {
        if (hash === undefined) isRight = false;
        else rightGroups++;
      },
    });
    return rightGroups === groupCount;
  }

  /** Takes every group that is right, and asks for the others. */
  async #proveAll(
    groups: KeptGroups,
    onRight: (proven: ProvenGroup) => void | Promise<void>,
  ): Promise<void> {
    const { crypto, pool, requests, handler } = this.#options;
    const file = this.#file;
    const wrong = new WrongRuns(file, requests);
    await proveGroups(groups, {
      crypto,
      pool,
      check: this.#candidate.check,
      isWanted: () => this.#isWanted,
      onGroup: (proven) => {
        const { group, bytes, hash } = proven;
        if (hash === undefined) return wrong.add(group);
        file.acceptHash(group, hash);
        handler.onKept(file, bytes.length);
        return onRight(proven);
      },
    });
    if (this.#isWanted) wrong.flush();
  }
}

/** Asks for groups that were wrong, those side by side together. */
class WrongRuns {
  readonly #file: IncomingFile;
  readonly #requests: RequestWindow;
  #first = 0;
  #end = 0;

  constructor(file: IncomingFile, requests: RequestWindow) {
    this.#file = file;
    this.#requests = requests;
  }

  add(group: number): void {
    if (group !== this.#end || this.#end - this.#first >= RUN_GROUPS) {
      this.flush();
      this.#first = group;
    }
    this.#end = group + 1;
  }

  flush(): void {
    const start = this.#first * GROUP_BYTES;
    const end = Math.min(this.#end * GROUP_BYTES, this.#file.sizeBytes);
    if (end > start) this.#requests.addRange(this.#file, { start, end });
    this.#first = this.#end;
  }
}
