/**
 * The pull: takes what was asked for, puts groups together, compares them with their hashes, asks
 * again for what was wrong, and hands what is right to the writer. Each byte that arrives is counted
 * once and given back once (docs/transfer.md, "Requests" and "Integrity"). Asking itself is in
 * `request_window.ts`.
 *
 * Order of work below: taking bytes, taking hashes, verifying, giving up, writing.
 */
import { encodeHex } from "../bytes/hex.ts";
import { BufferPool } from "./buffer_pool.ts";
import type { Channel } from "../protocol/channel.ts";
import { FileWriter } from "./file_writer.ts";
import { GroupMemory } from "./group_memory.ts";
import { sameHash, type TransferCrypto } from "./hash_tree.ts";
import type { IncomingFile } from "./incoming_file.ts";
import { type IncomingRequest, NO_MEMORY, UNASKED } from "./incoming_request.ts";
import { GROUP_BYTES, HASH_BYTES, MAX_EARLY_HASHES, MAX_RETRIES_OPEN } from "./limits.ts";
import type { Message, Root } from "./messages.ts";
import type { Outcome } from "./outcome.ts";
import type { PlannedFile } from "./plan.ts";
import { RequestWindow } from "./request_window.ts";
import type { Session } from "./session.ts";
import type { ShareTree } from "./share_tree.ts";
import { type PlaceResult, type Storage, StorageError } from "./storage.ts";
import type { TransferProgress } from "./transfer_notice.ts";

/** What {@linkcode Downloads} works with. */
export interface DownloadsOptions {
  readonly session: Session;
  readonly channel: Channel;
  readonly storage: Storage;
  readonly crypto: TransferCrypto;
  /** Where verified files are noted. */
  readonly shareTree: ShareTree;
  /** Where files that do not make it are counted. */
  readonly outcome: Outcome;
  /** Most bytes in group buffers. */
  readonly bufferBytes: number;
  /** Called when every file is in its place or given up, and nothing more is on its way. */
  readonly onComplete: () => void;
}

/** Every file of one transfer on its way in. */
export class Downloads {
  /** Files that were put into their place. */
  itemsPlaced = 0;
  readonly #options: DownloadsOptions;
  readonly #session: Session;
  readonly #memory: GroupMemory;
  readonly #writer: FileWriter;
  readonly #requests: RequestWindow;
  #lastRequest: IncomingRequest | undefined;
  readonly #filled: number[] = [];
  #earlyHashes = 0;
  #retriesOpen = 0;
  #filesSettled = 0;
  #bytesTotal = 0;
  #bytesDone = 0;
  #currentFile = "";
  #unconsumedBytes = 0;
  #isConsuming = false;
  #isComplete = false;

  /** @param options What it works with. */
  constructor(options: DownloadsOptions) {
    this.#options = options;
    this.#session = options.session;
    this.#memory = new GroupMemory(new BufferPool(), options.bufferBytes);
    this.#requests = new RequestWindow({ ...options, memory: this.#memory });
    this.#writer = new FileWriter(options.storage, this.#memory, {
      onConsumed: (bytes) => this.#consumeLater(bytes),
      onPlaced: (file, result) => this.#handlePlaced(file, result),
      onWritten: (file) => this.#checkWritten(file),
      onFailed: (file, error) => this.#handleWriteFailure(file, error),
    });
  }

  /** How far it is. */
  get progress(): TransferProgress {
    return {
      bytesDone: this.#bytesDone,
      bytesTotal: this.#bytesTotal,
      itemsDone: this.#filesSettled,
      itemsTotal: this.#requests.fileCount,
      file: this.#currentFile,
    };
  }

  /** Begins to ask for files. */
  start(wanted: readonly PlannedFile[]): void {
    for (const file of wanted) this.#bytesTotal += file.entry.sizeBytes;
    this.#requests.start(wanted);
    this.#checkComplete();
  }

  /** Stops writing and removes part files. */
  async stop(): Promise<void> {
    await this.#writer.stop();
  }

  // ---- taking bytes ----

  /** Takes bytes of a block; see {@linkcode ChannelHandler.handleBlock} [XFER-9]. */
  handleBlock(requestId: number, offset: number, bytes: Uint8Array): number {
    let request = this.#lastRequest;
    if (request === undefined || request.id !== requestId) {
      request = this.#requests.get(requestId);
      // A request that is over has all its bytes: these are copies.
      if (request === undefined) return this.#requests.wasMade(requestId) ? 0 : UNASKED;
      this.#lastRequest = request;
    }
    const added = request.receive(offset, bytes, this.#filled);
    if (added <= 0) {
      if (added !== NO_MEMORY) return added;
      this.#session.fail("limit_exceeded", "The other side sent too many groups at the same time");
      return 0;
    }
    if (request.isDiscarding) this.#consumeLater(added);
    else this.#bytesDone += added;
    if (this.#filled.length > 0) this.#handleFilled(request);
    if (request.isOver) this.#retire(request);
    return added;
  }

  #handleFilled(request: IncomingRequest): void {
    for (const group of this.#filled) {
      if (request.isDiscarding) {
        request.finish(group);
        continue;
      }
      const expected = request.takeHash(group);
      if (expected === undefined) continue;
      this.#earlyHashes--;
      this.#verify(request, group, expected);
    }
    this.#filled.length = 0;
  }

  #retire(request: IncomingRequest): void {
    if (this.#lastRequest === request) this.#lastRequest = undefined;
    this.#requests.retire(request);
    this.#checkComplete();
  }

  /** Gives credit back; never inside the call that took the bytes, whose caller counts them after. */
  #consumeLater(bytes: number): void {
    this.#unconsumedBytes += bytes;
    if (this.#isConsuming || this.#unconsumedBytes === 0) return;
    this.#isConsuming = true;
    queueMicrotask(() => {
      this.#isConsuming = false;
      const consumedBytes = this.#unconsumedBytes;
      this.#unconsumedBytes = 0;
      if (!this.#session.hasEnded) this.#options.channel.consumeBlockBytes(consumedBytes);
    });
  }

  // ---- taking hashes ----

  /** Takes hashes of groups [XFER-11]. */
  handleNodes(message: Message & { type: "nodes" }): void {
    const { hashes } = message;
    const session = this.#session;
    const request = this.#requests.get(message.request);
    if (request === undefined || request.sentBytes !== undefined) {
      return session.violation("NODES for no open request");
    }
    if (request.file.groupCount <= 1) return session.violation("NODES for a small file");
    let group = message.firstGroup;
    for (let at = 0; at < hashes.length && !session.hasEnded; at += HASH_BYTES, group++) {
      if (!request.hasGroup(group)) return session.violation("NODES outside the request");
      if (request.isDiscarding) continue;
      if (request.isFinished(group) || request.hasHash(group)) {
        return session.violation("NODES sent twice");
      }
      if (this.#earlyHashes === MAX_EARLY_HASHES) {
        return session.fail("limit_exceeded", "The other side sent too many hashes ahead");
      }
      this.#expect(request, group, hashes.subarray(at, at + HASH_BYTES));
    }
  }

  /** Takes the end of a request. */
  handleRoot(message: Root): void {
    const session = this.#session;
    const { status } = message;
    if (status === "whole" && this.#requests.keepRoot(message.request, message.root)) {
      this.#earlyHashes++;
      return;
    }
    const request = this.#requests.get(message.request);
    if (request === undefined || request.sentBytes !== undefined) {
      return session.violation("ROOT for no open request");
    }
    const length = request.end - request.start;
    const isWhole = length === request.file.planned.entry.sizeBytes;
    if (status === "whole" || status === "ranges") {
      if ((status === "whole") !== isWhole) return session.violation("ROOT of another kind");
      // Without one of them the file would never be verified, and the transfer never end.
      const isComplete = request.file.groupCount <= 1 || request.isDiscarding ||
        request.hasAllHashes;
      if (!isComplete) return session.violation("ROOT before the hashes");
      request.sentBytes = length;
      if (isWhole) this.#handleWholeRoot(request, message.root);
    } else {
      if (message.sentBytes > length || message.sentBytes < request.receivedBytes) {
        return session.violation("ROOT with a wrong length");
      }
      request.sentBytes = message.sentBytes;
      this.#handleFailedRoot(request, status);
    }
    if (!session.hasEnded && request.isOver) this.#retire(request);
  }

  #handleWholeRoot(request: IncomingRequest, root: Uint8Array): void {
    const { file } = request;
    if (file.isSettled) return;
    file.claimedRoot = root;
    if (file.groupCount === 1) this.#expect(request, 0, root);
    else if (file.groupCount > 1) this.#checkWritten(file);
    else if (file.hasClaimedRoot()) this.#writer.writeWhole(file, undefined);
    else this.#failIntegrity(file);
  }

  #handleFailedRoot(
    request: IncomingRequest,
    status: "changed" | "unreadable" | "cancelled",
  ): void {
    const { file } = request;
    const { path } = file.planned.entry;
    if (status === "cancelled") {
      if (!request.isCancelled) this.#session.violation("ROOT says cancelled, but nobody did");
      return;
    }
    if (file.isSettled) return;
    if (status === "changed") {
      this.#options.outcome.changed++;
      this.#session.warn("source_changed", path, `Left out ${path}: it changed while it was sent`);
    } else {
      this.#options.outcome.unreadable++;
      this.#session.warn("unreadable", path, `Left out ${path}: the sharer could not read it`);
    }
    // The sharer counts a file that it sent whole before a part of it was asked for again.
    if (request.isRetry) this.#cancel(file);
    this.#giveUp(file);
  }

  // ---- verifying ----

  /** Compares a group with its hash now, or when it is there. */
  #expect(request: IncomingRequest, group: number, hash: Uint8Array): void {
    if (request.completeGroup(group) !== undefined) return this.#verify(request, group, hash);
    request.keepHash(group, hash);
    this.#earlyHashes++;
  }

  /** Compares a complete group with its hash. */
  #verify(request: IncomingRequest, group: number, expected: Uint8Array): void {
    const { file } = request;
    const assembler = request.completeGroup(group)!;
    const hash = assembler.hash();
    const lent = { buffer: assembler.takeBuffer()!, length: assembler.length };
    request.finish(group);
    if (!sameHash(hash, expected)) {
      this.#memory.give(lent.buffer, lent.length);
      this.#consumeLater(lent.length);
      this.#bytesDone -= lent.length;
      return this.#retry(file, group, lent.length);
    }
    if (file.wasRetried(group)) this.#retriesOpen--;
    this.#currentFile = file.planned.entry.path;
    if (file.groupCount === 1) {
      this.#writer.writeWhole(file, lent);
    } else {
      file.acceptHash(group, hash);
      this.#writer.writeGroup(file, group, lent);
    }
  }

  #retry(file: IncomingFile, group: number, length: number): void {
    if (file.wasRetried(group) || this.#retriesOpen === MAX_RETRIES_OPEN) {
      return this.#failIntegrity(file);
    }
    file.noteRetry(group);
    this.#retriesOpen++;
    const start = group * GROUP_BYTES;
    this.#requests.requestAgain(file, { start, end: start + length });
  }

  #failIntegrity(file: IncomingFile): void {
    const { path } = file.planned.entry;
    this.#session.fail("integrity", `Cannot take ${path}: its bytes do not match its hashes`);
  }

  // ---- giving up ----

  /** Gives a file up: what comes of it is dropped, and its part file goes. */
  #giveUp(file: IncomingFile): void {
    for (const request of file.requests) {
      if (request.isRetry && !request.isFinished(request.start / GROUP_BYTES)) {
        this.#retriesOpen--;
      }
      this.#earlyHashes -= request.hashCount;
      this.#consumeLater(request.discard());
    }
    this.#settle(file);
    this.#writer.discard(file);
  }

  #settle(file: IncomingFile): void {
    file.isSettled = true;
    this.#filesSettled++;
  }

  // ---- writing ----

  /** Puts a file of several groups in its place once all of it is there. */
  #checkWritten(file: IncomingFile): void {
    if (file.isSettled || this.#session.hasEnded || file.claimedRoot === undefined) return;
    if (!file.isVerified || file.writtenGroups < file.groupCount) return;
    if (file.hasClaimedRoot()) this.#writer.place(file);
    else this.#failIntegrity(file);
  }

  #handlePlaced(file: IncomingFile, result: PlaceResult): void {
    if (this.#session.hasEnded) return;
    const { index, entry: { path, sizeBytes } } = file.planned;
    const root = file.claimedRoot!;
    this.#options.shareTree.setRoot(index, root);
    this.#settle(file);
    if (result === "exists") {
      this.#options.outcome.kept++;
      this.#session.warn("kept", path, `Kept ${path}: it appeared here meanwhile`);
    } else {
      this.itemsPlaced++;
      this.#session.notify({ event: "file-done", path, bytes: sizeBytes, root: encodeHex(root) });
    }
    this.#checkComplete();
  }

  #handleWriteFailure(file: IncomingFile, error: unknown): void {
    if (this.#session.hasEnded || file.isSettled) return;
    if (!(error instanceof StorageError) || error.kind !== "bad_name") {
      return this.#session.crash(error);
    }
    const { path } = file.planned.entry;
    this.#options.outcome.refused++;
    this.#session.warn("unsafe_name", path, `Left out ${path}: this system cannot store its name`);
    this.#cancel(file);
    this.#giveUp(file);
    this.#checkComplete();
  }

  /** Tells the sharer that a file is not wanted, so that it does not count [XFER-14]. */
  #cancel(file: IncomingFile): void {
    const requests = new Set([file.firstRequest]);
    for (const request of file.requests) {
      request.isCancelled = true;
      requests.add(request.id);
    }
    for (const request of requests) this.#session.send({ type: "cancel", request });
  }

  #checkComplete(): void {
    if (this.#isComplete || this.#session.hasEnded) return;
    if (this.#filesSettled < this.#requests.fileCount || this.#requests.openCount > 0) return;
    this.#isComplete = true;
    this.#options.onComplete();
  }
}
