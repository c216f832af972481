/**
 * What one client asks for and has not got yet: GET and CANCEL, their rules and bounds
 * (docs/transfer.md, "Requests") [XFER-7] [XFER-8] [XFER-14]. Answering is in `uploads.ts`.
 */
import { GROUP_BYTES, MAX_OPEN_RANGES, MAX_OPEN_REQUESTS, MAX_REQUESTS } from "./limits.ts";
import type { Manifest } from "./manifest.ts";
import type { ByteRange, Message } from "./messages.ts";
import { OutgoingRequest } from "./outgoing_request.ts";
import type { Session } from "./session.ts";
import type { ShareTree } from "./share_tree.ts";

/** What a {@linkcode RequestQueue} works with. */
export interface RequestQueueOptions {
  readonly session: Session;
  readonly manifest: Manifest;
  /** Where a file that is given up stops to count. */
  readonly shareTree: ShareTree;
}

const WHOLE: readonly ByteRange[] = [];

/** The requests of one client. */
export class RequestQueue {
  /** Bytes of all files that were asked for. */
  bytesTotal = 0;
  /** Files that were asked for. */
  itemsTotal = 0;
  readonly #options: RequestQueueOptions;
  /** Entry of every request, by number: thousands may wait, so more is only made when it is taken. */
  readonly #entryOfRequest: number[] = [];
  /** Ranges of the requests that wait and are not for whole files. */
  readonly #ranges = new Map<number, readonly ByteRange[]>();
  /** Requests that wait and were given up. */
  readonly #cancelled = new Set<number>();
  #nextTaken = 0;
  /** Requests that were taken and have not ended: those being read. */
  readonly #taken: OutgoingRequest[] = [];
  /** Ranges of all requests that have not ended; a whole file counts as one. */
  #openRanges = 0;
  /** For each entry, the request that asked for all of it first, and 1; or 0. */
  readonly #firstRequest: Uint32Array;

  /** @param options What it works with. */
  constructor(options: RequestQueueOptions) {
    this.#options = options;
    this.#firstRequest = new Uint32Array(options.manifest.entries.length);
  }

  /** Whether requests are unanswered. */
  get isBusy(): boolean {
    return this.#openCount > 0;
  }

  get #openCount(): number {
    return this.#entryOfRequest.length - this.#nextTaken + this.#taken.length;
  }

  /** Takes a GET [XFER-7]. */
  handleGet(message: Message & { type: "get" }): void {
    const { session, manifest } = this.#options;
    if (message.firstRequest !== this.#entryOfRequest.length) {
      return session.violation("GET with a wrong number");
    }
    if (
      this.#openCount + message.items.length > MAX_OPEN_REQUESTS ||
      this.#entryOfRequest.length + message.items.length > MAX_REQUESTS
    ) {
      return session.fail("limit_exceeded", "The other side asked for too much");
    }
    for (const { entry: index, ranges } of message.items) {
      const entry = manifest.entries[index];
      if (entry?.kind !== "file") return session.violation("GET for something that is no file");
      if (!areValidRanges(ranges, entry.sizeBytes)) {
        return session.violation("GET with wrong ranges");
      }
      this.#openRanges += Math.max(ranges.length, 1);
      if (this.#openRanges > MAX_OPEN_RANGES) {
        return session.fail("limit_exceeded", "The other side asked for too many parts of files");
      }
      const id = this.#entryOfRequest.push(index) - 1;
      if (ranges.length > 0) {
        this.#ranges.set(id, ranges);
      } else if (this.#firstRequest[index] === 0) {
        this.#firstRequest[index] = id + 1;
        this.bytesTotal += entry.sizeBytes;
        this.itemsTotal++;
      }
    }
  }

  /** Takes a CANCEL [XFER-14]. */
  handleCancel(id: number): void {
    const index = this.#entryOfRequest[id];
    if (index === undefined) return this.#options.session.violation("CANCEL for nothing");
    this.#options.shareTree.clearRoot(index);
    if (id >= this.#nextTaken) this.#cancelled.add(id);
    for (const request of this.#taken) if (request.id === id) request.isCancelled = true;
  }

  /** Bytes of the file to send next, if all of it is wanted; else undefined [XFER-10]. */
  get nextWholeBytes(): number | undefined {
    const index = this.#entryOfRequest[this.#nextTaken];
    if (index === undefined || this.#ranges.has(this.#nextTaken)) return undefined;
    return this.#options.manifest.entries[index]!.sizeBytes;
  }

  /** Takes the request to answer next; it stays open until {@linkcode RequestQueue.close}. */
  take(): OutgoingRequest | undefined {
    const id = this.#nextTaken;
    const index = this.#entryOfRequest[id];
    if (index === undefined) return undefined;
    this.#nextTaken++;
    const ranges = this.#ranges.get(id) ?? WHOLE;
    const { sizeBytes } = this.#options.manifest.entries[index]!;
    const isCounted = this.#firstRequest[index] === id + 1;
    const request = new OutgoingRequest(id, index, ranges, { sizeBytes, isCounted });
    request.isCancelled = this.#cancelled.delete(id);
    this.#ranges.delete(id);
    this.#taken.push(request);
    return request;
  }

  /** A request has ended. */
  close(request: OutgoingRequest): void {
    this.#taken.splice(this.#taken.indexOf(request), 1);
    this.#openRanges -= Math.max(request.ranges.length, 1);
  }
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
