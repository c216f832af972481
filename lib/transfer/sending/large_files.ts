/**
 * Answers requests for files of several groups, and for parts of them: takes group by group of the file
 * that all clients share, some ahead, and tells the hash of each while it is on its way
 * (docs/transfer.md, "Integrity"). For a CHECK it does the same and sends no bytes [XFER-17].
 */
import { type TransferCrypto, TreeHasher } from "../hash_tree.ts";
import { GROUP_BYTES } from "../limits.ts";
import type { Manifest } from "../offer/manifest.ts";
import type { FileReader, TakenGroup } from "./file_reader.ts";
import { LentBlock, type OutgoingRequest, type RequestKind } from "./outgoing_request.ts";
import type { RequestEnd } from "./request_ends.ts";
import type { Half } from "../half.ts";
import type { SharedFile } from "./shared_file.ts";
import type { SharedReading } from "./shared_reading.ts";
import { failedReadStatus, isUnchanged } from "./source_state.ts";

/** What {@linkcode LargeFiles} works with. */
export interface LargeFilesOptions {
  readonly half: Half;
  readonly crypto: TransferCrypto;
  readonly manifest: Manifest;
  /** Where files are read. */
  readonly reading: SharedReading;
  /** Sends a block, which releases what it holds later. */
  readonly lend: (block: LentBlock) => void;
  /** Whether another group may be answered; else {@linkcode LargeFilesOptions.room} is awaited. */
  readonly hasRoom: () => boolean;
  /** Resolves when that may have changed. */
  readonly room: () => Promise<void>;
}

/** After so many hashes that were known other things of the program happen: 0.2 ms. */
const KNOWN_HASHES_PER_TURN = 64;

/** Large files on their way to one client, one at a time. */
export class LargeFiles {
  readonly #options: LargeFilesOptions;
  readonly #kind: RequestKind;

  /**
   * @param kind Which requests it answers.
   * @param options What it works with.
   */
  constructor(kind: RequestKind, options: LargeFilesOptions) {
    this.#kind = kind;
    this.#options = options;
  }

  /** Answers a request; gives how it ended, or undefined when the session did. */
  async answer(request: OutgoingRequest): Promise<RequestEnd | undefined> {
    try {
      const file = await this.#options.reading.open(request.entry);
      try {
        return await this.#answerFrom(file, request);
      } finally {
        file.release();
      }
    } catch (error) {
      return { status: failedReadStatus(error) };
    }
  }

  async #answerFrom(file: SharedFile, request: OutgoingRequest): Promise<RequestEnd | undefined> {
    const { reading, manifest, crypto } = this.#options;
    const entry = manifest.entries[request.entry]!;
    if (!isUnchanged(entry, file.info)) return { status: "changed" };
    const tree = new TreeHasher(crypto);
    const isAll = request.ranges.length === 0;
    const ranges = isAll ? [{ offset: 0, length: entry.sizeBytes }] : request.ranges;
    const isWanted = () => this.#isWanted(request);
    const reader = reading.read(this.#kind, file, { ranges, isWanted });
    try {
      const end = await this.#answerGroups(request, { file, reader, tree });
      if (end !== "all") return end;
    } finally {
      await reading.stop(this.#kind, reader);
    }
    if (!isUnchanged(entry, await file.inspect())) return { status: "changed" };
    if (!isAll) return { status: "ranges" };
    return { status: request.isCheck ? "hashed" : "whole", root: tree.root() };
  }

  async #answerGroups(
    request: OutgoingRequest,
    { file, reader, tree }: {
      readonly file: SharedFile;
      readonly reader: FileReader;
      readonly tree: TreeHasher;
    },
  ): Promise<RequestEnd | "all" | undefined> {
    const { half, hasRoom, room, reading } = this.#options;
    let known = 0;
    for (let taken = await reader.next(); taken !== undefined; taken = await reader.next()) {
      const { range, group, hash } = taken;
      const isShort = group !== undefined && group.readBytes < range.length;
      if (!this.#isWanted(request) || isShort) {
        const isRead = group === undefined || group.readBytes >= 0;
        group?.release();
        if (half.hasEnded) return undefined;
        if (request.isCancelled) return { status: "cancelled" };
        return { status: isRead ? "changed" : "unreadable" };
      }
      const hashes = hash ?? await this.#answerGroup(request, file, taken);
      tree.push(hashes);
      half.add({
        type: "nodes",
        request: request.id,
        firstGroup: range.offset / GROUP_BYTES,
        hashes,
      });
      if (hash === undefined) half.flush();
      else if (++known % KNOWN_HASHES_PER_TURN === 0) await reading.breathe();
      while (this.#isWanted(request) && !hasRoom()) await room();
    }
    return "all";
  }

  /** Sends a group and gives its hash, which goes behind it: the line need not wait for that. */
  async #answerGroup(
    request: OutgoingRequest,
    file: SharedFile,
    { range, group }: TakenGroup,
  ): Promise<Uint8Array> {
    const { reading, lend } = this.#options;
    if (!request.isCheck) {
      group!.hold();
      lend(new LentBlock(request, range.offset, group!.bytes, group!));
    }
    try {
      return await reading.hashOf(this.#kind, file, group!);
    } finally {
      group!.release();
    }
  }

  #isWanted(request: OutgoingRequest): boolean {
    return !this.#options.half.hasEnded && !request.isCancelled;
  }
}
