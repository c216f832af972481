/**
 * The answers to a client's requests: reads files, hashes them while they go out, and says how each
 * request ended (docs/transfer.md, "Requests"). One loop does everything in order [XFER-10]; small
 * files are read whole and go out back to back, large ones group by group with some read ahead.
 *
 * The parts: `entry_pages.ts` answers LIST, `request_queue.ts` keeps what is asked for,
 * `group_reader.ts` reads ahead, `delivery_account.ts` counts what arrived.
 *
 * Order of work below: what is asked, the loop, small files, large files, ends of requests.
 */
import { Fifo } from "../protocol/fifo.ts";
import type { Channel, OutgoingBlock } from "../protocol/channel.ts";
import { BufferPool } from "./buffer_pool.ts";
import { DeliveryAccount } from "./delivery_account.ts";
import type { ManifestEntry } from "./entry.ts";
import { EntryPages } from "./entry_pages.ts";
import { GroupReader, type ReadGroup } from "./group_reader.ts";
import { GroupHasher, hashGroup, type TransferCrypto, TreeHasher } from "./hash_tree.ts";
import { CONTROL_QUEUE_BYTES, FILE_LANES, GROUP_BYTES, ROOTS_PER_WRITE } from "./limits.ts";
import type { Manifest } from "./manifest.ts";
import type { Message, RootStatus } from "./messages.ts";
import type { Outcome } from "./outcome.ts";
import { LentBlock, type OutgoingRequest } from "./outgoing_request.ts";
import { RequestQueue } from "./request_queue.ts";
import type { Session } from "./session.ts";
import type { ShareTree } from "./share_tree.ts";
import {
  type FileInfo,
  type SourceFile,
  type Storage,
  StorageError,
  type WholeRead,
} from "./storage.ts";
import type { TransferProgress } from "./transfer_notice.ts";

/** What {@linkcode Uploads} works with. */
export interface UploadsOptions {
  readonly session: Session;
  readonly channel: Channel;
  readonly storage: Storage;
  readonly crypto: TransferCrypto;
  readonly manifest: Manifest;
  /** Where files that were sent are noted. */
  readonly shareTree: ShareTree;
  /** Where files that could not be sent are counted. */
  readonly outcome: Outcome;
}

/** How a request ended. */
interface RequestEnd {
  readonly status: RootStatus;
  /** Of the whole file, when that was sent. */
  readonly root?: Uint8Array;
}

/** A small file, read or being read; the promise never rejects for what a disk does. */
interface SmallRead {
  readonly block: LentBlock;
  readonly status: RootStatus | Promise<RootStatus>;
}

const NO_ROOT = new Uint8Array(0);

/** Everything one client asks for, on its way out. */
export class Uploads {
  readonly #options: UploadsOptions;
  readonly #session: Session;
  readonly #channel: Channel;
  readonly #entries: readonly ManifestEntry[];
  readonly #crypto: TransferCrypto;
  readonly #pool = new BufferPool();
  readonly #pages: EntryPages;
  readonly #queue: RequestQueue;
  readonly #account: DeliveryAccount;
  readonly #smallReads = new Fifo<SmallRead>();
  /** Bytes of the small files being read. */
  #smallBytes = 0;
  /** For each entry, whether it was reported as changed or unreadable: a client may ask on and on. */
  readonly #wasReported: Uint8Array;
  #wake: (() => void) | undefined;
  #currentFile = "";

  /** @param options What it works with. */
  constructor(options: UploadsOptions) {
    const { session, channel, crypto, manifest: { entries } } = options;
    this.#options = options;
    this.#session = session;
    this.#channel = channel;
    this.#entries = entries;
    this.#crypto = crypto;
    this.#pages = new EntryPages(session, entries);
    this.#queue = new RequestQueue(options);
    this.#account = new DeliveryAccount({ ...options, entries });
    this.#wasReported = new Uint8Array(entries.length);
  }

  /** How far it is. */
  get progress(): TransferProgress {
    const { bytesTotal } = this.#queue;
    // What arrived of blocks on their way counts: on a slow line one of 1 MiB takes minutes.
    const bytesDone = this.#account.bytesDone + this.#channel.blockAckedBytes;
    return {
      bytesDone: Math.min(bytesDone, bytesTotal),
      bytesTotal,
      itemsDone: this.#account.itemsDone,
      itemsTotal: this.#queue.itemsTotal,
      file: this.#currentFile,
    };
  }

  /** Whether requests are unanswered. */
  get isBusy(): boolean {
    return this.#queue.isBusy;
  }

  /** Whether there was something to read and nothing of it could be. */
  get isAllUnreadable(): boolean {
    const { unreadable } = this.#options.outcome;
    return unreadable > 0 && unreadable === this.#queue.itemsTotal;
  }

  // ---- what is asked ----

  /** Takes a LIST; answered by the loop. */
  handleList(first: number): void {
    this.#pages.handleList(first);
    this.wake();
  }

  /** Takes a GET; answered by the loop [XFER-7]. */
  handleGet(message: Message & { type: "get" }): void {
    this.#queue.handleGet(message);
    this.wake();
  }

  /** Takes a CANCEL [XFER-14]. */
  handleCancel(id: number): void {
    this.#queue.handleCancel(id);
  }

  /** Takes a block back; its buffer is used again. */
  handleReleased(block: OutgoingBlock): void {
    // The channel gives back the very objects it was lent.
    const lent = block as LentBlock;
    this.#giveBack(lent);
    this.#account.release(lent);
  }

  /** There is room in the channel: counts what came back, and goes on. */
  handleWritable(): void {
    this.#account.countReleased();
    this.wake();
  }

  /** Counts everything as arrived: the client says so. */
  countAll(): void {
    this.#account.countAll();
  }

  // ---- the loop ----

  /** Lists, then answers requests in order, as fast as the channel takes it. Ends with the session. */
  async run(): Promise<void> {
    while (!this.#session.hasEnded) {
      if (this.#isControlFull()) {
        await this.#sleep();
      } else if (this.#pages.isWanted) {
        this.#pages.sendPage();
      } else if (this.#areBlocksFull()) {
        await this.#sleep();
      } else {
        this.#startSmallReads();
        const read = this.#smallReads.shift();
        const request = read === undefined ? this.#queue.take() : undefined;
        if (read !== undefined) {
          // Most are read at once: a promise for each would cost as much as sending it.
          const { block, status } = read;
          this.#sendSmall(block, status instanceof Promise ? await status : status);
        } else if (request !== undefined) {
          await this.#sendLarge(request);
        } else {
          await this.#sleep();
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

  #isControlFull(): boolean {
    return this.#session.unacknowledgedBytes >= CONTROL_QUEUE_BYTES;
  }

  #areBlocksFull(): boolean {
    return this.#channel.blockQueuedBytes >= this.#channel.blockQueueTargetBytes;
  }

  async #sleep(): Promise<void> {
    this.#session.flush();
    await new Promise<void>((resolve) => this.#wake = resolve);
  }

  // ---- small files: read whole, several at a time where the storage takes its time ----

  #startSmallReads(): void {
    while (this.#smallReads.length < FILE_LANES) {
      const length = this.#queue.nextWholeBytes;
      if (length === undefined || length > GROUP_BYTES) return;
      // What is being read will be queued too.
      const queuedBytes = this.#channel.blockQueuedBytes + this.#smallBytes;
      if (this.#smallReads.length > 0 && queuedBytes >= this.#channel.blockQueueTargetBytes) return;
      const request = this.#queue.take()!;
      this.#smallBytes += length;
      const block = new LentBlock(request, 0, this.#pool.take(length), length);
      this.#smallReads.push({ block, status: this.#readSmall(request, block.bytes) });
    }
  }

  #readSmall(request: OutgoingRequest, into: Uint8Array): RootStatus | Promise<RootStatus> {
    if (request.isCancelled) return "cancelled";
    const entry = this.#entries[request.entry]!;
    try {
      const source = this.#options.manifest.sourceOf(entry);
      const read = this.#options.storage.readWhole(source, into);
      if (!(read instanceof Promise)) return wholeStatus(entry, read);
      return read.then((read) => wholeStatus(entry, read), failureStatus);
    } catch (error) {
      return failureStatus(error);
    }
  }

  #sendSmall(block: LentBlock, status: RootStatus): void {
    const { owner: request, bytes } = block;
    this.#smallBytes -= bytes.length;
    if (this.#session.hasEnded) return;
    const root = status === "whole" ? hashGroup(this.#crypto, bytes) : undefined;
    if (root === undefined || bytes.length === 0) this.#giveBack(block);
    else this.#lend(block);
    this.#finish(request, root === undefined ? { status } : { status, root });
  }

  // ---- large files and parts of files: group by group ----

  async #sendLarge(request: OutgoingRequest): Promise<void> {
    let source: SourceFile | undefined;
    let end: RequestEnd | undefined;
    try {
      const path = this.#options.manifest.sourceOf(this.#entries[request.entry]!);
      source = await this.#options.storage.openSource(path);
      end = await this.#sendGroups(request, source);
    } catch (error) {
      end = { status: failureStatus(error) };
    } finally {
      source?.close();
    }
    if (end !== undefined && !this.#session.hasEnded) this.#finish(request, end);
  }

  /** Gives how the request ended, or undefined when the session did. */
  async #sendGroups(request: OutgoingRequest, source: SourceFile): Promise<RequestEnd | undefined> {
    const entry = this.#entries[request.entry]!;
    if (!isUnchanged(entry, source.info)) return { status: "changed" };
    const tree = new TreeHasher(this.#crypto);
    const isWanted = () => !this.#session.hasEnded && !request.isCancelled;
    const ranges = request.isWhole ? [{ offset: 0, length: request.length }] : request.ranges;
    const reader = new GroupReader(source, ranges, this.#pool, isWanted);
    try {
      for (let read = await reader.next(); read !== undefined; read = await reader.next()) {
        if (!isWanted() || read.readBytes !== read.range.length) {
          this.#pool.give(read.buffer);
          if (this.#session.hasEnded) return undefined;
          if (request.isCancelled) return { status: "cancelled" };
          return { status: read.readBytes < 0 ? "unreadable" : "changed" };
        }
        await this.#sendGroup(request, read, tree);
        while (!this.#session.hasEnded && (this.#areBlocksFull() || this.#isControlFull())) {
          await this.#sleep();
        }
      }
    } finally {
      await reader.stop();
    }
    if (!isUnchanged(entry, await source.inspect())) return { status: "changed" };
    return request.isWhole ? { status: "whole", root: tree.root() } : { status: "ranges" };
  }

  /** Sends a group, and its hash behind it: the line need not wait for that. */
  async #sendGroup(request: OutgoingRequest, read: ReadGroup, tree: TreeHasher): Promise<void> {
    const { range, buffer } = read;
    const entry = this.#entries[request.entry]!;
    this.#currentFile = entry.path;
    const block = new LentBlock(request, range.offset, buffer, range.length);
    block.users++;
    this.#lend(block);
    const hasher = new GroupHasher(this.#crypto, block.bytes);
    // In small steps: a whole group at once would hold up the datagrams for half a millisecond.
    while (hasher.step()) await null;
    this.#giveBack(block);
    const hash = hasher.root();
    tree.push(hash);
    if (entry.sizeBytes > GROUP_BYTES) {
      const firstGroup = range.offset / GROUP_BYTES;
      this.#session.add({ type: "nodes", request: request.id, firstGroup, hashes: hash });
    }
    this.#session.flush();
  }

  #giveBack(block: LentBlock): void {
    if (--block.users === 0) this.#pool.give(block.buffer);
  }

  #lend(block: LentBlock): void {
    block.owner.sentBytes += block.bytes.length;
    this.#channel.sendBlock(block);
  }

  // ---- ends of requests ----

  #finish(request: OutgoingRequest, { status, root }: RequestEnd): void {
    const { id, entry: index, sentBytes } = request;
    const { shareTree } = this.#options;
    request.status = status;
    this.#queue.close(request);
    this.#currentFile = this.#entries[index]!.path;
    if (root !== undefined && !request.isCancelled) shareTree.setRoot(index, root);
    else if (request.isWhole) shareTree.clearRoot(index);
    this.#session.add({ type: "root", request: id, status, root: root ?? NO_ROOT, sentBytes });
    if (this.#session.waitingMessages >= ROOTS_PER_WRITE) this.#session.flush();
    if (status === "changed" || status === "unreadable") this.#reportLeftOut(index, status);
    if (status === "whole" && request.isCounted) this.#account.add(request);
  }

  #reportLeftOut(index: number, status: "changed" | "unreadable"): void {
    if (this.#wasReported[index] === 1) return;
    this.#wasReported[index] = 1;
    const { path } = this.#entries[index]!;
    const { outcome } = this.#options;
    if (status === "changed") {
      outcome.changed++;
      this.#session.warn("source_changed", path, `Left out ${path}: it changed while it was sent`);
    } else {
      outcome.unreadable++;
      this.#session.warn("unreadable", path, `Left out ${path}: it could not be read`);
    }
  }
}

function wholeStatus(entry: ManifestEntry, { length, before, after }: WholeRead): RootStatus {
  const isIntact = length === entry.sizeBytes && isUnchanged(entry, before) &&
    isUnchanged(entry, after);
  return isIntact ? "whole" : "changed";
}

/** Whether a file is still the one that was listed [XFER-13]. */
function isUnchanged(entry: ManifestEntry, info: FileInfo): boolean {
  return info.kind === "file" && info.sizeBytes === entry.sizeBytes &&
    info.mtimeMs === entry.mtimeMs;
}

function failureStatus(error: unknown): RootStatus {
  if (!(error instanceof StorageError)) throw error;
  return error.kind === "replaced" ? "changed" : "unreadable";
}
