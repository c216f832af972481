/**
 * Answers the request for a stream: reads group by group, some ahead, until it ends, and tells the hash
 * of each [XFER-19]. One client has it: nothing of it is shared.
 */
import { GroupReader, type ReadGroup } from "../group_reader.ts";
import { TreeHasher } from "../hash_tree.ts";
import { OwnBytes } from "./held_bytes.ts";
import { GROUP_BYTES } from "../limits.ts";
import type { LargeFilesOptions } from "./large_files.ts";
import type { ByteRange } from "../messages.ts";
import { LentBlock, type OutgoingRequest } from "./outgoing_request.ts";
import type { RequestEnd } from "./request_ends.ts";
import { failedReadStatus } from "./source_state.ts";
import type { SourceFile } from "../../storage/storage.ts";

/** All of a stream, whose end only reading finds: as many groups as have numbers. */
const ENDLESS: readonly ByteRange[] = [
  { offset: 0, length: Number.MAX_SAFE_INTEGER - Number.MAX_SAFE_INTEGER % GROUP_BYTES },
];

/** The stream of a share on its way to its client. */
export class StreamSending {
  readonly #options: LargeFilesOptions;
  /** What is being read, and for which request. */
  #reading: { readonly request: OutgoingRequest; readonly source: SourceFile } | undefined;

  /** @param options What it works with. */
  constructor(options: LargeFilesOptions) {
    this.#options = options;
  }

  /** Answers a request; gives how it ended, or undefined when the session did. */
  async answer(request: OutgoingRequest): Promise<RequestEnd | undefined> {
    const { manifest, reading, crypto } = this.#options;
    try {
      const path = manifest.sourceOf(manifest.entries[request.entry]!);
      const source = await reading.storage.openSource(path);
      this.#reading = { request, source };
      return await this.#answerGroups(request, source, new TreeHasher(crypto));
    } catch (error) {
      // Nothing tells what a stream was before: it did not change.
      failedReadStatus(error);
      return { status: "unreadable" };
    } finally {
      this.#close();
    }
  }

  /** Ends a read that nobody wants any more: it may wait for bytes for ever. */
  interrupt(): void {
    if (this.#reading !== undefined && !this.#isWanted(this.#reading.request)) this.#close();
  }

  #close(): void {
    this.#reading?.source.close();
    this.#reading = undefined;
  }

  #isWanted(request: OutgoingRequest): boolean {
    return !this.#options.half.hasEnded && !request.isCancelled;
  }

  async #answerGroups(
    request: OutgoingRequest,
    source: SourceFile,
    tree: TreeHasher,
  ): Promise<RequestEnd | undefined> {
    const { half, reading: { pool }, hasRoom, room } = this.#options;
    const isWanted = () => this.#isWanted(request);
    const reader = new GroupReader(source, ENDLESS, { pool, isWanted });
    try {
      for (let read = await reader.next(); read !== undefined; read = await reader.next()) {
        if (!isWanted() || read.readBytes <= 0) {
          pool.give(read.buffer);
          if (half.hasEnded) return undefined;
          if (request.isCancelled) return { status: "cancelled" };
          if (read.readBytes === 0) break;
          return { status: "unreadable" };
        }
        await this.#answerGroup(request, read, tree);
        if (read.readBytes < read.range.length) break;
        while (isWanted() && !hasRoom()) await room();
      }
    } finally {
      await reader.stop();
    }
    return { status: "whole", root: tree.root() };
  }

  async #answerGroup(request: OutgoingRequest, read: ReadGroup, tree: TreeHasher): Promise<void> {
    const { half, reading, lend } = this.#options;
    const { range: { offset }, buffer, readBytes } = read;
    const bytes = buffer.subarray(0, readBytes);
    const held = new OwnBytes(buffer, reading.pool);
    held.hold();
    lend(new LentBlock(request, offset, bytes, held));
    const hashes = await reading.hash("get", bytes);
    held.release();
    tree.push(hashes);
    // Whether it has more than its first group is not known before it ends.
    if (offset > 0 || readBytes === GROUP_BYTES) {
      half.add({ type: "nodes", request: request.id, firstGroup: offset / GROUP_BYTES, hashes });
    }
    half.flush();
  }
}
