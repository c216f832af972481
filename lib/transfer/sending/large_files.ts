/**
 * Answers requests for files of several groups, for parts of them, and for streams: reads group by
 * group, some ahead, and hashes each while it is on its way (docs/transfer.md, "Integrity"). For a
 * CHECK it does the same and sends no bytes [XFER-17].
 */
import type { BufferPool } from "../buffer_pool.ts";
import type { ManifestEntry } from "../offer/entry.ts";
import { GroupReader, type ReadGroup } from "../group_reader.ts";
import { GroupHasher, type TransferCrypto, TreeHasher } from "../hash_tree.ts";
import { CHECK_AHEAD_GROUPS, GROUP_BYTES } from "../limits.ts";
import type { Manifest } from "../offer/manifest.ts";
import type { ByteRange } from "../messages.ts";
import { LentBlock, type OutgoingRequest } from "./outgoing_request.ts";
import type { RequestEnd } from "./request_ends.ts";
import type { Session } from "../session.ts";
import { failedReadStatus, isUnchanged } from "./source_state.ts";
import type { SourceFile, SourceStorage } from "../../storage/storage.ts";

/** What {@linkcode LargeFiles} works with. */
export interface LargeFilesOptions {
  readonly session: Session;
  readonly storage: SourceStorage;
  readonly crypto: TransferCrypto;
  readonly manifest: Manifest;
  /** Where buffers come from. */
  readonly pool: BufferPool;
  /** Sends a block, whose buffer it gives back to the pool later. */
  readonly lend: (block: LentBlock) => void;
  /** Whether another group may be answered; else {@linkcode LargeFilesOptions.room} is awaited. */
  readonly hasRoom: () => boolean;
  /** Resolves when that may have changed. */
  readonly room: () => Promise<void>;
}

/** All of a stream, whose end only reading finds: as many groups as have numbers. */
const ENDLESS: readonly ByteRange[] = [
  { offset: 0, length: Number.MAX_SAFE_INTEGER - Number.MAX_SAFE_INTEGER % GROUP_BYTES },
];

/** Large files on their way to one client, one at a time. */
export class LargeFiles {
  readonly #options: LargeFilesOptions;
  /** The stream that is being read, and for which request. */
  #stream: { readonly request: OutgoingRequest; readonly source: SourceFile } | undefined;

  /** @param options What it works with. */
  constructor(options: LargeFilesOptions) {
    this.#options = options;
  }

  /** Answers a request; gives how it ended, or undefined when the session did. */
  async answer(request: OutgoingRequest): Promise<RequestEnd | undefined> {
    const { storage, manifest } = this.#options;
    const entry = manifest.entries[request.entry]!;
    const isStream = entry.kind === "stream";
    let source: SourceFile | undefined;
    try {
      source = await storage.openSource(manifest.sourceOf(entry));
      if (isStream) this.#stream = { request, source };
      return await this.#answerGroups(request, entry, source);
    } catch (error) {
      const status = failedReadStatus(error);
      // Nothing tells what a stream was before.
      return { status: isStream ? "unreadable" : status };
    } finally {
      if (isStream) this.#closeStream();
      else source?.close();
    }
  }

  /** Ends a read of a stream that nobody wants any more: it may wait for bytes for ever. */
  interrupt(): void {
    if (this.#stream !== undefined && !this.#isWanted(this.#stream.request)) this.#closeStream();
  }

  #closeStream(): void {
    this.#stream?.source.close();
    this.#stream = undefined;
  }

  #isWanted(request: OutgoingRequest): boolean {
    return !this.#options.session.hasEnded && !request.isCancelled;
  }

  async #answerGroups(
    request: OutgoingRequest,
    entry: ManifestEntry,
    source: SourceFile,
  ): Promise<RequestEnd | undefined> {
    const { session, crypto, pool, hasRoom, room } = this.#options;
    const isStream = entry.kind === "stream";
    if (!isStream && !isUnchanged(entry, source.info)) return { status: "changed" };
    const tree = new TreeHasher(crypto);
    const reader = new GroupReader(source, rangesOf(request, entry), {
      pool,
      isWanted: () => this.#isWanted(request),
      ...(request.isCheck ? { aheadGroups: CHECK_AHEAD_GROUPS } : {}),
    });
    try {
      for (let read = await reader.next(); read !== undefined; read = await reader.next()) {
        const isShort = read.readBytes < read.range.length;
        const isEnd = isStream && read.readBytes === 0;
        if (!this.#isWanted(request) || read.readBytes < 0 || (isShort && !isStream) || isEnd) {
          pool.give(read.buffer);
          if (session.hasEnded) return undefined;
          if (request.isCancelled) return { status: "cancelled" };
          if (isEnd) break;
          return { status: read.readBytes < 0 ? "unreadable" : "changed" };
        }
        await this.#answerGroup(request, read, tree);
        if (isShort) break;
        while (this.#isWanted(request) && !hasRoom()) await room();
      }
    } finally {
      await reader.stop();
    }
    if (!isStream && !isUnchanged(entry, await source.inspect())) return { status: "changed" };
    if (request.ranges.length > 0) return { status: "ranges" };
    return { status: request.isCheck ? "hashed" : "whole", root: tree.root() };
  }

  /** Sends a group, and its hash behind it: the line need not wait for that. */
  async #answerGroup(request: OutgoingRequest, read: ReadGroup, tree: TreeHasher): Promise<void> {
    const { session, crypto, manifest, pool, lend } = this.#options;
    const { range: { offset }, buffer, readBytes } = read;
    const block = new LentBlock(request, offset, buffer, readBytes);
    if (!request.isCheck) {
      block.users++;
      lend(block);
    }
    const hasher = new GroupHasher(crypto, block.bytes);
    // In small steps: a whole group at once would hold up the datagrams for half a millisecond.
    while (hasher.step()) await null;
    if (--block.users === 0) pool.give(buffer);
    const hashes = hasher.root();
    tree.push(hashes);
    const { kind, sizeBytes } = manifest.entries[request.entry]!;
    // Whether a stream has more than its first group is not known before it ends [XFER-19].
    const hasNodes = kind === "stream"
      ? offset > 0 || readBytes === GROUP_BYTES
      : sizeBytes > GROUP_BYTES;
    if (hasNodes) {
      const firstGroup = offset / GROUP_BYTES;
      session.add({ type: "nodes", request: request.id, firstGroup, hashes });
    }
    session.flush();
  }
}

function rangesOf(request: OutgoingRequest, { kind, sizeBytes }: ManifestEntry) {
  if (kind === "stream") return ENDLESS;
  return request.ranges.length > 0 ? request.ranges : [{ offset: 0, length: sizeBytes }];
}
