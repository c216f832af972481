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
import type { EntryPages } from "../offer/entry_pages.ts";
import { hashGroup, type TransferCrypto } from "../hash_tree.ts";
import { LargeFiles } from "./large_files.ts";
import { CONTROL_QUEUE_BYTES, FILE_LANES, GROUP_BYTES } from "../limits.ts";
import type { Manifest } from "../offer/manifest.ts";
import { LentBlock, type OutgoingRequest, type RequestKind } from "./outgoing_request.ts";
import type { RequestEnds } from "./request_ends.ts";
import type { RequestQueue } from "./request_queue.ts";
import type { Half } from "../half.ts";
import type { SharedReading } from "./shared_reading.ts";
import type { SmallFile, SmallFileCursor } from "./small_files.ts";
import { StreamSending } from "./stream_sending.ts";
import type { ReadStatus } from "./source_state.ts";

/** What an {@linkcode AnswerLane} works with. */
export interface AnswerLaneOptions {
  readonly half: Half;
  readonly channel: Channel;
  readonly crypto: TransferCrypto;
  readonly manifest: Manifest;
  /** Where files are read. */
  readonly reading: SharedReading;
  /** What is asked for. */
  readonly queue: RequestQueue;
  /** What is done when a request has ended. */
  readonly ends: RequestEnds;
  /** Told of each block that is sent, before its file is done. */
  readonly onSend: (block: LentBlock) => void;
}

/** A request for a small file, which is read or being read; undefined when it was given up before. */
interface SmallRead {
  readonly request: OutgoingRequest;
  readonly file: SmallFile | Promise<SmallFile> | undefined;
}

/** The requests of one kind of one client. */
export class AnswerLane {
  readonly #kind: RequestKind;
  readonly #options: AnswerLaneOptions;
  readonly #half: Half;
  readonly #channel: Channel;
  readonly #pages: EntryPages | undefined;
  readonly #large: LargeFiles;
  readonly #stream: StreamSending;
  readonly #cursor: SmallFileCursor = { entry: -1 };
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
    this.#half = options.half;
    this.#channel = options.channel;
    this.#pages = pages;
    const large = {
      ...options,
      lend: (block: LentBlock) => this.#lend(block),
      hasRoom: () => !this.#isFull(),
      room: () => this.#sleep(),
    };
    this.#large = new LargeFiles(kind, large);
    this.#stream = new StreamSending(large);
  }

  /** Answers as fast as the channel takes it. Ends with the session. */
  async run(): Promise<void> {
    const { smallFiles } = this.#options.reading;
    smallFiles.addCursor(this.#cursor);
    try {
      await this.#answerAll();
    } finally {
      smallFiles.removeCursor(this.#cursor);
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
    this.#stream.interrupt();
    this.wake();
  }

  async #answerAll(): Promise<void> {
    const { queue, ends, manifest } = this.#options;
    while (!this.#half.hasEnded) {
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
          const file = read.file instanceof Promise ? await read.file : read.file;
          const status = file?.status;
          this.#answerSmall(read.request, file, status instanceof Promise ? await status : status);
        } else if (request !== undefined) {
          // Opening and reading may take long: what is known already does not wait for it.
          this.#half.flush();
          const isStream = manifest.entries[request.entry]!.kind === "stream";
          const end = await (isStream ? this.#stream : this.#large).answer(request);
          if (end !== undefined && !this.#half.hasEnded) ends.finish(request, end);
        } else {
          this.#isIdle = true;
          await this.#sleep();
          this.#isIdle = false;
        }
      }
    }
    // Reads under way hold files open.
    for (let read = this.#smallReads.shift(); read; read = this.#smallReads.shift()) {
      const file = await read.file;
      await file?.status;
      file?.release();
    }
  }

  #isControlFull(): boolean {
    return this.#half.unacknowledgedBytes >= CONTROL_QUEUE_BYTES;
  }

  #isFull(): boolean {
    return this.#isControlFull() || (this.#kind === "get" &&
      this.#channel.blockQueuedBytes >= this.#channel.blockQueueTargetBytes);
  }

  async #sleep(): Promise<void> {
    this.#half.flush();
    await new Promise<void>((resolve) => this.#wake = resolve);
  }

  #lend(block: LentBlock): void {
    block.owner.sentBytes += block.bytes.length;
    this.#options.onSend(block);
    this.#channel.sendBlock(block);
  }

  // ---- small files ----

  #startSmallReads(): void {
    const { queue, reading } = this.#options;
    while (this.#smallReads.length < FILE_LANES) {
      const length = queue.nextSmallBytes(this.#kind);
      if (length === undefined || (this.#smallReads.length > 0 && !this.#mayRead(length))) return;
      const request = queue.take(this.#kind)!;
      this.#smallBytes += length;
      const file = request.isCancelled
        ? undefined
        : reading.smallFiles.read(request.entry, this.#cursor);
      this.#smallReads.push({ request, file });
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

  #answerSmall(
    request: OutgoingRequest,
    file: SmallFile | undefined,
    status: ReadStatus | undefined,
  ): void {
    const { manifest, crypto, ends } = this.#options;
    this.#smallBytes -= manifest.entries[request.entry]!.sizeBytes;
    if (this.#half.hasEnded) return file?.release();
    if (file === undefined || status === undefined) {
      return ends.finish(request, { status: "cancelled" });
    }
    if (status === "intact") file.root ??= hashGroup(crypto, file.bytes);
    const isSent = status === "intact" && file.bytes.length > 0 && !request.isCheck;
    if (isSent) this.#lend(new LentBlock(request, 0, file.bytes, file));
    if (status !== "intact") ends.finish(request, { status });
    else ends.finish(request, { status: request.isCheck ? "hashed" : "whole", root: file.root! });
    if (!isSent) file.release();
  }
}
