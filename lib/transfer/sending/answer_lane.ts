/**
 * Answers the requests of one kind in their order [XFER-10] [XFER-18]: those of GET with bytes and
 * hashes, those of CHECK with hashes only. One loop for each kind; small files are read whole, several
 * at a time where the storage takes its time, and answered back to back, the others one by one as
 * `large_files.ts` does it.
 *
 * Order of work below: the loop, small files, large files.
 */
import { Fifo } from "../../protocol/fifo.ts";
import type { Channel } from "../../protocol/channel.ts";
import type { BufferPool } from "../buffer_pool.ts";
import type { EntryPages } from "../offer/entry_pages.ts";
import { hashGroup, type TransferCrypto } from "../hash_tree.ts";
import { LargeFiles } from "./large_files.ts";
import { CONTROL_QUEUE_BYTES, FILE_LANES, GROUP_BYTES } from "../limits.ts";
import type { Manifest } from "../offer/manifest.ts";
import { LentBlock, type OutgoingRequest, type RequestKind } from "./outgoing_request.ts";
import type { RequestEnds } from "./request_ends.ts";
import type { RequestQueue } from "./request_queue.ts";
import type { Session } from "../session.ts";
import { failedReadStatus, type ReadStatus, wholeReadStatus } from "./source_state.ts";
import type { SourceStorage } from "../../storage/storage.ts";

/** What an {@linkcode AnswerLane} works with. */
export interface AnswerLaneOptions {
  readonly session: Session;
  readonly channel: Channel;
  readonly storage: SourceStorage;
  readonly crypto: TransferCrypto;
  readonly manifest: Manifest;
  /** Where buffers come from. */
  readonly pool: BufferPool;
  /** What is asked for. */
  readonly queue: RequestQueue;
  /** What is done when a request has ended. */
  readonly ends: RequestEnds;
  /** Told of each block that is sent, before its file is done. */
  readonly onSend: (block: LentBlock) => void;
}

/** A small file, read or being read; the promise never rejects for what a disk does. */
interface SmallRead {
  readonly block: LentBlock;
  readonly status: ReadStatus | "cancelled" | Promise<ReadStatus>;
}

/** The requests of one kind of one client. */
export class AnswerLane {
  readonly #kind: RequestKind;
  readonly #options: AnswerLaneOptions;
  readonly #session: Session;
  readonly #channel: Channel;
  readonly #pages: EntryPages | undefined;
  readonly #large: LargeFiles;
  readonly #smallReads = new Fifo<SmallRead>();
  /** Bytes of the small files being read. */
  #smallBytes = 0;
  #wake: (() => void) | undefined;
  /** Whether it sleeps because nothing is asked for, so that room is of no use. */
  #isIdle = false;

  /**
   * @param kind Which requests it answers.
   * @param options What it works with.
   * @param pages The list it also sends, before everything else.
   */
  constructor(kind: RequestKind, options: AnswerLaneOptions, pages?: EntryPages) {
    this.#kind = kind;
    this.#options = options;
    this.#session = options.session;
    this.#channel = options.channel;
    this.#pages = pages;
    this.#large = new LargeFiles({
      ...options,
      lend: (block) => this.#lend(block),
      hasRoom: () => !this.#isFull(),
      room: () => this.#sleep(),
    });
  }

  /** Answers as fast as the channel takes it. Ends with the session. */
  async run(): Promise<void> {
    const { queue, ends } = this.#options;
    while (!this.#session.hasEnded) {
      if (this.#isControlFull()) {
        await this.#sleep();
      } else if (this.#pages?.isWanted) {
        this.#pages.sendPage();
      } else if (this.#isFull()) {
        await this.#sleep();
      } else {
        this.#startSmallReads();
        const read = this.#smallReads.shift();
        const request = read === undefined ? queue.take(this.#kind) : undefined;
        if (read !== undefined) {
          // Most are read at once: a promise for each would cost as much as sending it.
          const { block, status } = read;
          this.#answerSmall(block, status instanceof Promise ? await status : status);
        } else if (request !== undefined) {
          // Opening and reading may take long: what is known already does not wait for it.
          this.#session.flush();
          const end = await this.#large.answer(request);
          if (end !== undefined && !this.#session.hasEnded) ends.finish(request, end);
        } else {
          this.#isIdle = true;
          await this.#sleep();
          this.#isIdle = false;
        }
      }
    }
    // Reads under way hold files open.
    for (let read = this.#smallReads.shift(); read; read = this.#smallReads.shift()) {
      await read.status;
    }
  }

  /** Lets the loop look again at what there is to do. */
  wake(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** There is room in the channel. */
  handleWritable(): void {
    if (!this.#isIdle) this.wake();
  }

  /** A request was given up, or the session has ended: nothing is waited for in vain. */
  interrupt(): void {
    this.#large.interrupt();
    this.wake();
  }

  #isControlFull(): boolean {
    return this.#session.unacknowledgedBytes >= CONTROL_QUEUE_BYTES;
  }

  #isFull(): boolean {
    return this.#isControlFull() || (this.#kind === "get" &&
      this.#channel.blockQueuedBytes >= this.#channel.blockQueueTargetBytes);
  }

  async #sleep(): Promise<void> {
    this.#session.flush();
    await new Promise<void>((resolve) => this.#wake = resolve);
  }

  #lend(block: LentBlock): void {
    block.owner.sentBytes += block.bytes.length;
    this.#options.onSend(block);
    this.#channel.sendBlock(block);
  }

  // ---- small files ----

  #startSmallReads(): void {
    const { queue, pool } = this.#options;
    while (this.#smallReads.length < FILE_LANES) {
      const length = queue.nextSmallBytes(this.#kind);
      if (length === undefined || (this.#smallReads.length > 0 && !this.#mayRead(length))) return;
      const request = queue.take(this.#kind)!;
      this.#smallBytes += length;
      const block = new LentBlock(request, 0, pool.take(length), length);
      this.#smallReads.push({ block, status: this.#readSmall(request, block.bytes) });
    }
  }

  /** Whether to read one more small file before those are answered that are being read. */
  #mayRead(length: number): boolean {
    // All that are there may be hashed in one go, which holds up the datagrams.
    if (this.#kind === "check") return this.#smallBytes + length <= GROUP_BYTES;
    // What is being read will be queued too.
    const queuedBytes = this.#channel.blockQueuedBytes + this.#smallBytes;
    return queuedBytes < this.#channel.blockQueueTargetBytes;
  }

  #readSmall(request: OutgoingRequest, into: Uint8Array): SmallRead["status"] {
    if (request.isCancelled) return "cancelled";
    const { manifest, storage } = this.#options;
    const entry = manifest.entries[request.entry]!;
    try {
      const read = storage.readWhole(manifest.sourceOf(entry), into);
      if (!(read instanceof Promise)) return wholeReadStatus(entry, read);
      return read.then((read) => wholeReadStatus(entry, read), failedReadStatus);
    } catch (error) {
      return failedReadStatus(error);
    }
  }

  #answerSmall(block: LentBlock, status: ReadStatus | "cancelled"): void {
    const { owner: request, bytes } = block;
    const { pool, crypto, ends } = this.#options;
    this.#smallBytes -= bytes.length;
    if (this.#session.hasEnded) return;
    const root = status === "intact" ? hashGroup(crypto, bytes) : undefined;
    if (root === undefined || bytes.length === 0 || request.isCheck) pool.give(block.buffer);
    else this.#lend(block);
    if (status !== "intact") ends.finish(request, { status });
    else ends.finish(request, { status: request.isCheck ? "hashed" : "whole", root: root! });
  }
}
