/**
 * The pull: takes what was asked for, has groups compared with their hashes, and hands what is right
 * to the writer. Each byte that arrives is counted once and given back once (docs/transfer.md,
 * "Requests" and "Integrity").
 *
 * The parts: `request_window.ts` asks, `request_answers.ts` takes hashes and ends, `group_verifier.ts`
 * compares, `file_writer.ts` writes, `resumption.ts` sees to what is here already, `file_ends.ts` to
 * what becomes of each file.
 *
 * Order of work below: taking bytes, taking answers, what is verified, giving up, the end.
 */
import type { Channel } from "../../protocol/channel.ts";
import { BufferPool } from "../buffer_pool.ts";
import { FileEnds, type LeftOutReason } from "./file_ends.ts";
import { FileWriter, type LentGroup } from "./file_writer.ts";
import { GroupMemory } from "./group_memory.ts";
import { GroupVerifier, type VerifiedGroup } from "./group_verifier.ts";
import { sameHash, type TransferCrypto } from "../hash_tree.ts";
import type { IncomingFile } from "./incoming_file.ts";
import { type IncomingRequest, NO_MEMORY, UNASKED } from "./incoming_request.ts";
import type { Message, Root } from "../messages.ts";
import type { Outcome } from "../outcome.ts";
import type { OwnNaming } from "../own_names.ts";
import type { PlannedFile } from "./plan.ts";
import { RequestAnswers } from "./request_answers.ts";
import { RequestWindow } from "./request_window.ts";
import { mayResume, Resumption } from "./resumption.ts";
import { ReturnedCredit } from "./returned_credit.ts";
import type { Half } from "../half.ts";
import type { ShareTree } from "../offer/share_tree.ts";
import { SpaceWatch } from "./space_watch.ts";
import { type Storage, StorageError } from "../../storage/storage.ts";
import type { TransferProgress } from "../transfer_notice.ts";

const NO_BYTES = new Uint8Array(0);

/** What {@linkcode Downloads} works with. */
export interface DownloadsOptions {
  readonly half: Half;
  readonly channel: Channel;
  readonly storage: Storage;
  readonly crypto: TransferCrypto;
  /** Names beside files. */
  readonly names: OwnNaming;
  /** Where verified files are noted. */
  readonly shareTree: ShareTree;
  /** Where files that do not make it are counted. */
  readonly outcome: Outcome;
  /** The target folder. */
  readonly directory: string;
  /** Most bytes in group buffers. */
  readonly bufferBytes: number;
  /** Bytes of a part file that are written between two syncs. */
  readonly syncBytes: number;
  /** Bytes written until the free space is looked at again. */
  readonly spaceLookBytes: number;
  /** Whether texts are handed out rather than written. */
  readonly showsTexts: boolean;
  /** Called when every file is in its place or given up, and nothing more is on its way. */
  readonly onComplete: () => void;
}

/** Every file of one transfer on its way in. */
export class Downloads {
  /** What became of files. */
  readonly ends: FileEnds;
  readonly #options: DownloadsOptions;
  readonly #half: Half;
  readonly #memory: GroupMemory;
  readonly #writer: FileWriter;
  readonly #requests: RequestWindow;
  readonly #resumption: Resumption;
  readonly #space: SpaceWatch;
  readonly #verifier: GroupVerifier;
  readonly #answers: RequestAnswers;
  readonly #credit: ReturnedCredit;
  #lastRequest: IncomingRequest | undefined;
  readonly #filled: number[] = [];
  #filesTotal = 0;
  #bytesTotal = 0;
  /** Whether a stream is asked for. */
  #hasStream = false;
  #bytesDone = 0;
  #keptBytes = 0;
  #currentFile = "";
  #isComplete = false;

  /** @param options What it works with. */
  constructor(options: DownloadsOptions) {
    this.#options = options;
    this.#half = options.half;
    this.#memory = new GroupMemory(new BufferPool(), options.bufferBytes);
    this.#credit = new ReturnedCredit(options.channel, options.half);
    this.#requests = new RequestWindow({ ...options, memory: this.#memory });
    this.#verifier = new GroupVerifier({
      memory: this.#memory,
      credit: this.#credit,
      requests: this.#requests,
      handler: {
        onVerified: (file, verified) => this.#handleVerified(file, verified),
        onDropped: (bytes) => void (this.#bytesDone -= bytes),
        onWrong: (file) => this.#failIntegrity(file),
      },
    });
    this.ends = new FileEnds({
      ...options,
      onSettled: (file) => this.#resumption.noteSettled(file),
    });
    this.#writer = new FileWriter({
      ...options,
      memory: this.#memory,
      handler: {
        onConsumed: (bytes) => {
          this.#space.note(bytes);
          this.#credit.add(bytes);
        },
        onPlaced: (file, result) => {
          if (this.#half.hasEnded) return;
          this.ends.handlePlaced(file, result);
          this.#checkComplete();
        },
        onWritten: (file) => this.#checkWritten(file),
        onHeldUp: (file) => {
          if (file.wasRetried(file.writtenGroups)) this.#failIntegrity(file);
        },
        onFailed: (file, error) => this.#handleWriteFailure(file, error),
      },
    });
    this.#answers = new RequestAnswers({
      half: options.half,
      requests: this.#requests,
      verifier: this.#verifier,
      handler: {
        onRoot: (file) => this.#handleRootKnown(file),
        onStreamEnd: (missingBytes) => void (this.#bytesTotal += missingBytes),
        onRefused: (file, status) => this.#leaveOut(file, status),
        onOver: (request) => this.#retire(request),
      },
    });
    this.#space = new SpaceWatch({
      ...options,
      missingBytes: () => this.#bytesTotal - this.#bytesDone,
      onShort: (error) => this.#half.abort(error),
    });
    this.#resumption = new Resumption({
      ...options,
      requests: this.#requests,
      writer: this.#writer,
      handler: {
        onKept: (file, bytes) => {
          this.#currentFile = file.planned.entry.path;
          this.#keptBytes += bytes;
          this.#bytesDone += bytes;
        },
        onProgress: (file) => this.#checkWritten(file),
        onIdentical: (file) => {
          this.#takeAsItIs(file).catch((error) => this.#half.crash(error));
        },
        onDiffering: (file) => this.#leaveOut(file, "differs"),
        onRefused: (file, status) => this.#leaveOut(file, status),
        onWrongHashes: (file) => this.#failIntegrity(file),
        onAnswered: () => this.#checkComplete(),
      },
    });
  }

  /** How far it is. */
  get progress(): TransferProgress {
    return {
      bytesDone: this.#bytesDone,
      bytesTotal: this.#bytesTotal,
      ...(this.#hasStream ? { hasStream: true } : {}),
      ...(this.#keptBytes > 0 ? { keptBytes: this.#keptBytes } : {}),
      itemsDone: this.ends.filesSettled,
      itemsTotal: this.#filesTotal,
      file: this.#currentFile,
    };
  }

  /** Begins to ask for files. */
  start(wanted: readonly PlannedFile[]): void {
    this.#filesTotal = wanted.length;
    for (const { entry } of wanted) {
      this.#bytesTotal += entry.sizeBytes;
      if (entry.kind === "stream") this.#hasStream = true;
    }
    this.#resumption.start(wanted.filter(mayResume));
    this.#requests.addFiles(wanted.filter((file) => !mayResume(file)));
    this.#checkComplete();
  }

  /**
   * Stops writing; what is there of large files is left for a later run, what of small ones goes.
   *
   * @param reason Why.
   */
  async stop(reason: Error): Promise<void> {
    this.#options.storage.abort?.(reason);
    // Side by side: nothing more is written from this moment on, and what is read comes to its end.
    await Promise.all([this.#writer.stop(), this.#resumption.stop()]);
  }

  // ---- taking bytes ----

  /** Takes bytes of a block; see {@linkcode ChannelHandler.handleBlock} [XFER-9]. */
  handleBlock(requestId: number, offset: number, bytes: Uint8Array): number {
    let request = this.#lastRequest;
    if (request === undefined || request.id !== requestId) {
      request = this.#requests.get(requestId);
      // A request that is over has all its bytes: these are copies.
      if (request === undefined) return this.#requests.hasBlocks(requestId) ? 0 : UNASKED;
      this.#lastRequest = request;
    }
    const added = request.receive(offset, bytes, this.#filled);
    if (added <= 0) {
      if (added !== NO_MEMORY) return added;
      this.#half.fail("limit_exceeded", "The other side sent too many groups at the same time");
      return 0;
    }
    if (request.isDiscarding) this.#credit.add(added);
    else this.#bytesDone += added;
    // Nobody knows how long a stream is: what came is all there is to tell.
    if (request.file.sizeBytes === Infinity) this.#bytesTotal += added;
    if (this.#filled.length > 0) {
      this.#verifier.handleFilled(request, this.#filled);
      this.#filled.length = 0;
    }
    if (request.isOver) this.#retire(request);
    return added;
  }

  #retire(request: IncomingRequest): void {
    if (this.#lastRequest === request) this.#lastRequest = undefined;
    this.#requests.retire(request);
    const { file } = request;
    if (file.groupCount > 1 && this.#isWritten(file) && !file.hasClaimedRoot()) {
      this.#checkWritten(file);
    }
    this.#checkComplete();
  }

  // ---- taking answers ----

  /** Takes hashes of groups. */
  handleNodes(message: Message & { type: "nodes" }): void {
    if (!this.#resumption.handleNodes(message)) this.#answers.handleNodes(message);
  }

  /** Takes the end of a request. */
  handleRoot(message: Root): void {
    if (!this.#resumption.handleRoot(message)) this.#answers.handleRoot(message);
  }

  #handleRootKnown(file: IncomingFile): void {
    if (file.groupCount > 0) this.#checkWritten(file);
    else if (file.hasClaimedRoot()) this.#finishSmall(file, undefined);
    else this.#failIntegrity(file);
  }

  // ---- what is verified ----

  #handleVerified(file: IncomingFile, verified: VerifiedGroup): void {
    const { group, hash } = verified;
    this.#currentFile = file.planned.entry.path;
    if (file.groupCount === 1) {
      // The hash of a stream of one group may have come before its root.
      if (!sameHash(hash, file.claimedRoot!)) return this.#failIntegrity(file);
      this.#finishSmall(file, verified);
    } else {
      file.acceptHash(group, hash);
      this.#writer.writeGroup(file, group, verified);
    }
  }

  #finishSmall(file: IncomingFile, group: LentGroup | undefined): void {
    const isShown = file.planned.entry.isText && this.#options.showsTexts;
    if (!isShown) return this.#writer.writeWhole(file, group);
    this.ends.handleText(file, group?.buffer.subarray(0, group.length) ?? NO_BYTES);
    if (group !== undefined) {
      this.#memory.give(group.buffer, group.length);
      this.#credit.add(group.length);
    }
    this.#checkComplete();
  }

  #failIntegrity(file: IncomingFile): void {
    const { path } = file.planned.entry;
    file.isBad = true;
    this.#half.fail("integrity", `Cannot take ${path}: its bytes do not match its hashes`);
  }

  // ---- giving up ----

  /** Gives a file up: what comes of it is dropped, and the sharer told [XFER-14]. */
  #leaveOut(file: IncomingFile, reason: LeftOutReason): void {
    const isOwnWish = reason === "bad_name" || reason === "differs";
    // Of a file that failed at the sharer nothing counts; but other parts of it may be on their way.
    const hasOthers = file.requests.some(({ id }) => id !== file.firstRequest);
    if (isOwnWish || hasOthers) this.#cancel(file);
    for (const request of file.requests) this.#verifier.discard(request);
    file.isBad = reason === "bad_name";
    this.ends.handleLeftOut(file, reason);
    this.#writer.close(file);
    this.#checkComplete();
  }

  /** Tells the sharer that a file is not wanted, so that it does not count. */
  #cancel(file: IncomingFile): void {
    if (file.firstRequest < 0) return;
    const requests = new Set([file.firstRequest]);
    for (const request of file.requests) {
      request.isCancelled = true;
      requests.add(request.id);
    }
    const check = this.#resumption.checkOf(file);
    if (check !== undefined) check.isCancelled = true;
    for (const request of requests) this.#half.send({ type: "cancel", request });
  }

  #handleWriteFailure(file: IncomingFile, error: unknown): void {
    if (this.#half.hasEnded || file.isSettled) return;
    const isBadName = error instanceof StorageError && error.kind === "bad_name";
    if (isBadName) this.#leaveOut(file, "bad_name");
    else this.#half.crash(error);
  }

  // ---- done ----

  /** Puts a file of several groups in its place once all of it is there. */
  #checkWritten(file: IncomingFile): void {
    if (!this.#isWritten(file)) return;
    if (file.hasClaimedRoot()) this.#writer.place(file);
    // Where the root is that of a CHECK, the file may have changed since: the ends of its requests tell.
    else if (file.requests.length === 0) this.#failIntegrity(file);
  }

  /** Whether there is nothing more to write of a file of several groups, and its root is known. */
  #isWritten(file: IncomingFile): boolean {
    if (file.isSettled || this.#half.hasEnded || file.claimedRoot === undefined) return false;
    return file.isVerified && file.writtenGroups >= file.groupCount;
  }

  /** The file that is offered is here already. */
  async #takeAsItIs(file: IncomingFile): Promise<void> {
    await this.ends.handleIdentical(file);
    this.#checkComplete();
  }

  #checkComplete(): void {
    if (this.#isComplete || this.#half.hasEnded) return;
    if (this.ends.filesSettled < this.#filesTotal || this.#requests.openCount > 0) return;
    this.#isComplete = true;
    this.#options.onComplete();
  }
}
