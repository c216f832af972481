/**
 * The answers to a client's requests: reads files, hashes them while they go out, and says how each
 * request ended (docs/transfer.md, "Requests"). One loop does everything in order [XFER-10]; small files are
 * read several at a time and go out back to back, large ones group by group with one read ahead.
 *
 * Order of work below: what is asked, the loop, the list, small files, large files, accounts.
 */
import { encodeHex } from "../bytes/hex.ts";
import { Fifo } from "../protocol/fifo.ts";
import { BufferPool } from "./buffer_pool.ts";
import type { Channel, OutgoingBlock } from "../protocol/channel.ts";
import type { ManifestEntry } from "./entry.ts";
import { hashGroup, type TransferCrypto, TreeHasher } from "./hash_tree.ts";
import {
  CONTROL_QUEUE_BYTES,
  ENTRIES_PAGE_BYTES,
  FILE_LANES,
  GROUP_BYTES,
  MAX_OPEN_RANGES,
  MAX_OPEN_REQUESTS,
  MAX_REQUESTS,
  ROOTS_PER_WRITE,
} from "./limits.ts";
import type { Manifest } from "./manifest.ts";
import type { ByteRange, Message, RootStatus } from "./messages.ts";
import type { Outcome } from "./outcome.ts";
import { LentBlock, OutgoingRequest } from "./outgoing_request.ts";
import type { Session } from "./session.ts";
import type { ShareTree } from "./share_tree.ts";
import { type FileInfo, type SourceFile, type Storage, StorageError } from "./storage.ts";
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

/** A small file being read; the promise never rejects for what a disk does. */
interface SmallRead {
  readonly request: OutgoingRequest;
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly status: Promise<RootStatus>;
}

/** A group being read; the promise never rejects, and gives −1 when it could not be read. */
interface GroupRead {
  readonly range: ByteRange;
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly readBytes: Promise<number>;
}

/** Everything one client asks for, on its way out. */
export class Uploads {
  readonly #options: UploadsOptions;
  readonly #session: Session;
  readonly #channel: Channel;
  readonly #manifest: Manifest;
  readonly #crypto: TransferCrypto;
  readonly #pool = new BufferPool();
  /** The next entry to list; undefined when no list is wanted. */
  #nextListed: number | undefined;
  readonly #queue = new Fifo<OutgoingRequest>();
  readonly #smallReads = new Fifo<SmallRead>();
  /** Bytes of the small files being read. */
  #smallBytes = 0;
  /** Requests not ended, by number. */
  readonly #open = new Map<number, OutgoingRequest>();
  /** Ranges of those. */
  #openRanges = 0;
  /** Requests that ended well and have blocks on the way. */
  readonly #undelivered = new Set<OutgoingRequest>();
  /** Blocks that came back and are not counted yet. */
  readonly #released: LentBlock[] = [];
  /** Entry of every request, by number. */
  readonly #entryOfRequest: number[] = [];
  /** For each entry, whether all of it was asked for. */
  readonly #wasAskedFor: Uint8Array;
  /** For each entry, whether it was reported as changed or unreadable: a client may ask on and on. */
  readonly #wasReported: Uint8Array;
  #wake: (() => void) | undefined;
  #bytesTotal = 0;
  #bytesDone = 0;
  #itemsTotal = 0;
  #itemsDone = 0;
  #currentFile = "";

  /** @param options What it works with. */
  constructor(options: UploadsOptions) {
    this.#options = options;
    this.#session = options.session;
    this.#channel = options.channel;
    this.#manifest = options.manifest;
    this.#crypto = options.crypto;
    this.#wasAskedFor = new Uint8Array(options.manifest.entries.length);
    this.#wasReported = new Uint8Array(options.manifest.entries.length);
  }

  /** How far it is. */
  get progress(): TransferProgress {
    return {
      bytesDone: this.#bytesDone,
      bytesTotal: this.#bytesTotal,
      itemsDone: this.#itemsDone,
      itemsTotal: this.#itemsTotal,
      file: this.#currentFile,
    };
  }

  /** Whether requests are unanswered. */
  get isBusy(): boolean {
    return this.#open.size > 0;
  }

  // ---- what is asked ----

  /** Takes a LIST; answered by the loop. */
  handleList(first: number): void {
    if (this.#nextListed !== undefined) {
      return this.#session.violation("LIST while another is answered");
    }
    // Looked at when it is answered: to refuse it sooner would tell a client that is not let in how
    // many entries there are [XFER-4].
    this.#nextListed = first;
    this.wake();
  }

  /** Takes a GET; answered by the loop [XFER-7]. */
  handleGet(message: Message & { type: "get" }): void {
    const session = this.#session;
    if (message.firstRequest !== this.#entryOfRequest.length) {
      return session.violation("GET with a wrong number");
    }
    if (
      this.#open.size + message.items.length > MAX_OPEN_REQUESTS ||
      this.#entryOfRequest.length + message.items.length > MAX_REQUESTS
    ) {
      return session.fail("limit_exceeded", "The other side asked for too much");
    }
    for (const { entry: index, ranges } of message.items) {
      const entry = this.#manifest.entries[index];
      if (entry?.kind !== "file") return session.violation("GET for something that is no file");
      const { sizeBytes } = entry;
      if (!areValidRanges(ranges, sizeBytes)) return session.violation("GET with wrong ranges");
      const wasAskedFor = this.#wasAskedFor[index] === 1;
      const id = this.#entryOfRequest.length;
      const request = new OutgoingRequest(id, index, ranges, { sizeBytes, wasAskedFor });
      this.#openRanges += request.ranges.length;
      if (this.#openRanges > MAX_OPEN_RANGES) {
        return session.fail("limit_exceeded", "The other side asked for too many parts of files");
      }
      this.#entryOfRequest.push(index);
      this.#open.set(id, request);
      this.#queue.push(request);
      if (!request.isCounted) continue;
      this.#wasAskedFor[index] = 1;
      this.#bytesTotal += sizeBytes;
      this.#itemsTotal++;
    }
    this.wake();
  }

  /** Takes a CANCEL [XFER-14]. */
  handleCancel(id: number): void {
    const index = this.#entryOfRequest[id];
    if (index === undefined) return this.#session.violation("CANCEL for nothing");
    this.#options.shareTree.clearRoot(index);
    const request = this.#open.get(id);
    if (request !== undefined) request.isCancelled = true;
  }

  // ---- the loop ----

  /** Lists, then answers requests in order, as fast as the channel takes it. Ends with the session. */
  async run(): Promise<void> {
    const session = this.#session;
    while (!session.hasEnded) {
      if (this.#isControlFull()) {
        await this.#sleep();
      } else if (this.#nextListed !== undefined) {
        this.#sendPage(this.#nextListed);
      } else if (this.#areBlocksFull()) {
        await this.#sleep();
      } else {
        this.#startSmallReads();
        const read = this.#smallReads.shift();
        const request = read === undefined ? this.#queue.shift() : undefined;
        if (read !== undefined) await this.#sendSmall(read);
        else if (request !== undefined) await this.#sendLarge(request);
        else await this.#sleep();
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

  // ---- the list ----

  #sendPage(first: number): void {
    const { entries } = this.#manifest;
    if (first > entries.length) return this.#session.violation("LIST beyond the end");
    const page: ManifestEntry[] = [];
    let next = first;
    for (let bytes = 0; next < entries.length && bytes < ENTRIES_PAGE_BYTES; next++) {
      const entry = entries[next]!;
      page.push(entry);
      // An upper bound: no character needs more than three bytes for each unit of UTF-16.
      bytes += 3 * entry.path.length + 32;
    }
    this.#nextListed = next < entries.length ? next : undefined;
    if (page.length > 0) this.#session.send({ type: "entries", first, entries: page });
  }

  // ---- small files: read whole, several at a time ----

  #startSmallReads(): void {
    while (this.#smallReads.length < FILE_LANES) {
      const request = this.#queue.peek();
      if (request === undefined || request.length > GROUP_BYTES || !request.isWhole) return;
      // What is being read will be queued too.
      const queuedBytes = this.#channel.blockQueuedBytes + this.#smallBytes;
      if (this.#smallReads.length > 0 && queuedBytes >= this.#channel.blockQueueTargetBytes) return;
      this.#queue.shift();
      this.#smallBytes += request.length;
      const buffer = this.#pool.take(request.length);
      this.#smallReads.push({ request, buffer, status: this.#readSmall(request, buffer) });
    }
  }

  async #readSmall(
    request: OutgoingRequest,
    buffer: Uint8Array<ArrayBuffer>,
  ): Promise<RootStatus> {
    if (request.isCancelled) return "cancelled";
    const entry = this.#manifest.entries[request.entry]!;
    const path = this.#manifest.sources[request.entry]!;
    try {
      const into = buffer.subarray(0, request.length);
      const { length, before, after } = await this.#options.storage.readWhole(path, into);
      const isIntact = length === request.length && isUnchanged(entry, before) &&
        isUnchanged(entry, after);
      return isIntact ? "whole" : "changed";
    } catch (error) {
      return failureStatus(error);
    }
  }

  async #sendSmall(read: SmallRead): Promise<void> {
    const { request, buffer } = read;
    const status = await read.status;
    this.#smallBytes -= request.length;
    if (this.#session.hasEnded) return;
    if (status !== "whole") {
      this.#pool.give(buffer);
      return this.#finish(request, { status });
    }
    const root = hashGroup(this.#crypto, buffer.subarray(0, request.length));
    if (request.length === 0) this.#pool.give(buffer);
    else this.#lend(new LentBlock(request, 0, buffer, request.length));
    this.#finish(request, { status, root });
  }

  // ---- large files and parts of files: group by group, one read ahead ----

  async #sendLarge(request: OutgoingRequest): Promise<void> {
    let source: SourceFile | undefined;
    let end: RequestEnd | undefined;
    try {
      source = await this.#options.storage.openSource(this.#manifest.sources[request.entry]!);
      end = await this.#sendGroups(request, source);
    } catch (error) {
      end = { status: failureStatus(error) };
    } finally {
      source?.close();
    }
    if (end !== undefined && !this.#session.hasEnded) this.#finish(request, end);
  }

  /** Gives how the request ended, or undefined when the session did. */
  async #sendGroups(
    request: OutgoingRequest,
    source: SourceFile,
  ): Promise<RequestEnd | undefined> {
    const entry = this.#manifest.entries[request.entry]!;
    if (!isUnchanged(entry, source.info)) return { status: "changed" };
    const tree = new TreeHasher(this.#crypto);
    const groups = groupsOf(request.ranges);
    let read = this.#readGroup(source, groups.next().value);
    while (read !== undefined) {
      const { range, buffer } = read;
      const readBytes = await read.readBytes;
      const isStopped = this.#session.hasEnded || request.isCancelled;
      if (isStopped || readBytes !== range.length) {
        this.#pool.give(buffer);
        if (this.#session.hasEnded) return undefined;
        if (isStopped) return { status: "cancelled" };
        return { status: readBytes < 0 ? "unreadable" : "changed" };
      }
      // The next group is read while this one is hashed and sent.
      read = this.#readGroup(source, groups.next().value);
      this.#sendGroup(request, range, buffer, tree);
      while (!this.#session.hasEnded && (this.#areBlocksFull() || this.#isControlFull())) {
        await this.#sleep();
      }
    }
    if (!isUnchanged(entry, await source.inspect())) return { status: "changed" };
    return request.isWhole ? { status: "whole", root: tree.root() } : { status: "ranges" };
  }

  #readGroup(source: SourceFile, range: ByteRange | undefined): GroupRead | undefined {
    if (range === undefined) return undefined;
    const buffer = this.#pool.take(range.length);
    const into = buffer.subarray(0, range.length);
    const readBytes = source.read(range.offset, into).catch((error) => {
      if (error instanceof StorageError) return -1;
      throw error;
    });
    return { range, buffer, readBytes };
  }

  #sendGroup(
    request: OutgoingRequest,
    range: ByteRange,
    buffer: Uint8Array<ArrayBuffer>,
    tree: TreeHasher,
  ): void {
    const entry = this.#manifest.entries[request.entry]!;
    const hash = hashGroup(this.#crypto, buffer.subarray(0, range.length));
    tree.push(hash);
    this.#currentFile = entry.path;
    this.#lend(new LentBlock(request, range.offset, buffer, range.length));
    if (entry.sizeBytes > GROUP_BYTES) {
      const firstGroup = range.offset / GROUP_BYTES;
      this.#session.add({ type: "nodes", request: request.id, firstGroup, hashes: hash });
    }
    this.#session.flush();
  }

  // ---- accounts ----

  #lend(block: LentBlock): void {
    block.owner.sentBytes += block.bytes.length;
    this.#channel.sendBlock(block);
  }

  #finish(request: OutgoingRequest, { status, root }: RequestEnd): void {
    const { id, entry: index, sentBytes } = request;
    const { shareTree } = this.#options;
    request.status = status;
    this.#open.delete(id);
    this.#openRanges -= request.ranges.length;
    this.#currentFile = this.#manifest.entries[index]!.path;
    if (root !== undefined && !request.isCancelled) shareTree.setRoot(index, root);
    else if (request.isWhole) shareTree.clearRoot(index);
    this.#session.add({ type: "root", request: id, status, root: root ?? NO_ROOT, sentBytes });
    if (this.#session.waitingMessages >= ROOTS_PER_WRITE) this.#session.flush();
    if (status === "changed" || status === "unreadable") this.#reportLeftOut(index, status);
    if (status !== "whole" || !request.isCounted) return;
    this.#undelivered.add(request);
    if (request.isDelivered) this.#reportDelivered(request);
  }

  #reportLeftOut(index: number, status: "changed" | "unreadable"): void {
    if (this.#wasReported[index] === 1) return;
    this.#wasReported[index] = 1;
    const { path } = this.#manifest.entries[index]!;
    const { outcome } = this.#options;
    if (status === "changed") {
      outcome.changed++;
      this.#session.warn("source_changed", path, `Left out ${path}: it changed while it was sent`);
    } else {
      outcome.unreadable++;
      this.#session.warn("unreadable", path, `Left out ${path}: it could not be read`);
    }
  }

  /** Takes a block back; its buffer is used again. */
  handleReleased(block: OutgoingBlock): void {
    // The channel gives back the very objects it was lent.
    const lent = block as LentBlock;
    this.#pool.give(lent.buffer);
    this.#released.push(lent);
  }

  /**
   * Counts the blocks that came back as arrived. Not done when they come back: a connection that
   * ends gives back what never arrived, too, but does not say afterwards that there is room.
   */
  countReleased(): void {
    for (const { owner, bytes } of this.#released) {
      owner.releasedBytes += bytes.length;
      if (owner.isCounted) this.#bytesDone += bytes.length;
      if (owner.isDelivered) this.#reportDelivered(owner);
    }
    this.#released.length = 0;
  }

  /** Counts everything as arrived: the client says so. */
  countAll(): void {
    for (const request of this.#undelivered) {
      this.#bytesDone += request.sentBytes - request.releasedBytes;
      this.#reportDelivered(request);
    }
  }

  /** Whether there was something to read and nothing of it could be. */
  get isAllUnreadable(): boolean {
    const { unreadable } = this.#options.outcome;
    return unreadable > 0 && unreadable === this.#itemsTotal;
  }

  #reportDelivered(request: OutgoingRequest): void {
    if (!this.#undelivered.delete(request) || request.isCancelled) return;
    const { path, sizeBytes } = this.#manifest.entries[request.entry]!;
    this.#itemsDone++;
    const root = encodeHex(this.#options.shareTree.rootOf(request.entry));
    this.#session.notify({ event: "file-done", path, bytes: sizeBytes, root });
  }
}

const NO_ROOT = new Uint8Array(0);

/** Whether a file is still the one that was listed [XFER-13]. */
function isUnchanged(entry: ManifestEntry, info: FileInfo): boolean {
  return info.kind === "file" && info.sizeBytes === entry.sizeBytes &&
    info.mtimeMs === entry.mtimeMs;
}

function failureStatus(error: unknown): RootStatus {
  if (!(error instanceof StorageError)) throw error;
  return error.kind === "replaced" ? "changed" : "unreadable";
}

/** Ranges ascend, do not overlap, are not empty, and consist of whole groups [XFER-8]. */
function areValidRanges(ranges: readonly ByteRange[], sizeBytes: number): boolean {
  let previousEnd = 0;
  for (const { offset, length } of ranges) {
    const end = offset + length;
    if (offset < previousEnd || length === 0 || end > sizeBytes) return false;
    if (offset % GROUP_BYTES !== 0 || (end % GROUP_BYTES !== 0 && end !== sizeBytes)) return false;
    previousEnd = end;
  }
  return true;
}

function* groupsOf(ranges: readonly ByteRange[]): Generator<ByteRange, undefined> {
  for (const range of ranges) {
    const end = range.offset + range.length;
    for (let offset = range.offset; offset < end; offset += GROUP_BYTES) {
      yield { offset, length: Math.min(GROUP_BYTES, end - offset) };
    }
  }
}
