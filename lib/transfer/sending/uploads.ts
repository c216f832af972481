/**
 * The answers to what one client asks: the list, files, parts of files, streams and hashes
 * (docs/transfer.md, "Requests").
 *
 * The parts: `entry_pages.ts` answers LIST, `request_queue.ts` keeps what is asked for,
 * `answer_lane.ts` answers it, once for GET and once for CHECK, `request_ends.ts` says how each
 * request ended, `delivery_account.ts` counts what arrived.
 */
import type { Channel, OutgoingBlock } from "../../protocol/channel.ts";
import { AnswerLane } from "./answer_lane.ts";
import { DeliveryAccount } from "./delivery_account.ts";
import type { ManifestEntry } from "../offer/entry.ts";
import { EntryPages } from "../offer/entry_pages.ts";
import type { TransferCrypto } from "../hash_tree.ts";
import type { Manifest } from "../offer/manifest.ts";
import type { Message } from "../messages.ts";
import type { Outcome } from "../outcome.ts";
import type { LentBlock } from "./outgoing_request.ts";
import { RequestEnds } from "./request_ends.ts";
import { RequestQueue } from "./request_queue.ts";
import type { Half } from "../half.ts";
import type { ShareTree } from "../offer/share_tree.ts";
import type { SharedReading } from "./shared_reading.ts";
import type { TransferProgress } from "../transfer_notice.ts";

/** What {@linkcode Uploads} works with. */
export interface UploadsOptions {
  readonly half: Half;
  readonly channel: Channel;
  readonly crypto: TransferCrypto;
  readonly manifest: Manifest;
  /** Where files are read: the same for all clients of a share. */
  readonly reading: SharedReading;
  /** Where files that were sent are noted. */
  readonly shareTree: ShareTree;
  /** Where files that could not be sent are counted. */
  readonly outcome: Outcome;
}

/** Everything one client asks for, on its way out. */
export class Uploads {
  readonly #options: UploadsOptions;
  readonly #channel: Channel;
  readonly #entries: readonly ManifestEntry[];
  readonly #pages: EntryPages;
  readonly #queue: RequestQueue;
  readonly #account: DeliveryAccount;
  readonly #files: AnswerLane;
  readonly #checks: AnswerLane;
  /** Both, the one that is to go on first when there is room: it may take all of it. */
  readonly #byTurn: AnswerLane[];
  /** Whether what is shared is a stream. */
  readonly #hasStream: boolean;
  /** Bytes of streams so far: they are asked for, too, but nobody knew how many there are. */
  #streamBytes = 0;
  #currentFile = "";

  /** @param options What it works with. */
  constructor(options: UploadsOptions) {
    const { half, channel, manifest: { entries } } = options;
    this.#options = options;
    this.#channel = channel;
    this.#entries = entries;
    this.#hasStream = entries[0]?.kind === "stream"; // alone, as it is [XFER-20]
    this.#pages = new EntryPages(half, entries);
    this.#queue = new RequestQueue(options);
    this.#account = new DeliveryAccount({ ...options, entries });
    const queue = this.#queue;
    const lane = {
      ...options,
      queue,
      ends: new RequestEnds({ ...options, entries, queue, account: this.#account }),
      onSend: (block: LentBlock) => this.#noteSent(block),
    };
    this.#files = new AnswerLane("get", lane, this.#pages);
    this.#checks = new AnswerLane("check", lane);
    this.#byTurn = [this.#files, this.#checks];
  }

  /** How far it is. */
  get progress(): TransferProgress {
    const bytesTotal = this.#queue.bytesTotal + this.#streamBytes;
    // What arrived of blocks on their way counts: on a slow line one of 1 MiB takes minutes.
    const bytesDone = this.#account.bytesDone + this.#channel.blockAckedBytes;
    return {
      bytesDone: Math.min(bytesDone, bytesTotal),
      bytesTotal,
      ...(this.#hasStream ? { hasStream: true } : {}),
      itemsDone: this.#account.itemsDone,
      itemsTotal: this.#queue.itemsTotal,
      file: this.#currentFile,
    };
  }

  /** Whether requests are unanswered. */
  get isBusy(): boolean {
    return this.#queue.isBusy;
  }

  /** Whether bytes are asked for that were not sent. */
  get isSending(): boolean {
    return this.#queue.isSending;
  }

  /** Files and streams of which anything was asked for. */
  get itemsAsked(): number {
    return this.#queue.itemsAsked;
  }

  /** Takes a LIST; answered by the lane of files. */
  handleList(first: number): void {
    this.#pages.handleList(first);
    this.#files.wake();
  }

  /** Takes a GET [XFER-7]. */
  handleGet(message: Message & { type: "get" }): void {
    this.#queue.handleGet(message);
    this.#files.wake();
  }

  /** Takes a CHECK [XFER-17]. */
  handleCheck(message: Message & { type: "check" }): void {
    this.#queue.handleCheck(message);
    this.#checks.wake();
  }

  /** Takes a CANCEL [XFER-14]. */
  handleCancel(id: number): void {
    this.#queue.handleCancel(id);
    this.#files.interrupt();
  }

  /** Takes a block back; its bytes are used no more. */
  handleReleased(block: OutgoingBlock): void {
    // The channel gives back the very objects it was lent.
    const lent = block as LentBlock;
    lent.held.release();
    this.#account.release(lent);
  }

  /** There is room in the channel: counts what came back, and goes on. */
  handleWritable(): void {
    this.#account.countReleased();
    for (const lane of this.#byTurn.reverse()) lane.handleWritable();
  }

  /** Counts everything as arrived: the client says so. */
  countAll(): void {
    this.#account.countAll();
  }

  /** Answers as fast as the channel takes it. Ends with the session, and never rejects. */
  async run(): Promise<void> {
    const crash = (error: unknown) => this.#options.half.crash(error);
    const { reading } = this.#options;
    reading.join();
    await Promise.all([this.#files.run().catch(crash), this.#checks.run().catch(crash)]);
    reading.leave();
  }

  /** The session has ended: so does {@linkcode Uploads.run}. */
  stop(): void {
    this.#files.interrupt();
    this.#checks.interrupt();
  }

  #noteSent({ owner, bytes }: LentBlock): void {
    const { kind, path } = this.#entries[owner.entry]!;
    this.#currentFile = path;
    if (kind === "stream") this.#streamBytes += bytes.length;
  }
}
