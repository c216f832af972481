/**
 * What one client asks for and has not got yet: GET, CHECK and CANCEL, their rules and bounds
 * (docs/transfer.md, "Requests") [XFER-7] [XFER-8] [XFER-14] [XFER-17] [XFER-19]. Answering is in
 * `answer_lane.ts`.
 */
import {
  GROUP_BYTES,
  MAX_CHECK_GROUPS,
  MAX_OPEN_RANGES,
  MAX_OPEN_REQUESTS,
  MAX_REQUESTS,
} from "../limits.ts";
import { IntegerList } from "./integer_list.ts";
import type { Manifest } from "../offer/manifest.ts";
import type { ByteRange, Message } from "../messages.ts";
import { OutgoingRequest, type RequestedPart, type RequestKind } from "./outgoing_request.ts";
import type { Half } from "../half.ts";
import type { ShareTree } from "../offer/share_tree.ts";

/** What a {@linkcode RequestQueue} works with. */
export interface RequestQueueOptions {
  readonly half: Half;
  readonly manifest: Manifest;
  /** Where a file that is given up stops to count. */
  readonly shareTree: ShareTree;
}

// What nearly all requests ask for; nothing more is kept of these until they are taken.
const ALL: RequestedPart = { kind: "get", ranges: [], isCounted: true };
const ALL_AGAIN: RequestedPart = { kind: "get", ranges: [], isCounted: false };
const HASHES: RequestedPart = { kind: "check", ranges: [], isCounted: false };

// What was asked of an entry; bits.
const GOT_WHOLE = 1;
const GOT_PARTS = 2;
const CHECKED = 4;

/** The requests of one client. */
export class RequestQueue {
  /** Bytes that were asked for; neither those asked for again nor those of streams. */
  bytesTotal = 0;
  /** Files and streams of which bytes were asked for. */
  itemsTotal = 0;
  /** Files and streams of which anything was asked for. */
  itemsAsked = 0;
  readonly #options: RequestQueueOptions;
  /**
   * Entry of every request, by number; of a CHECK −1 less the entry. Thousands may wait, so more is
   * only made when it is taken.
   */
  readonly #entryOfRequest = new IntegerList();
  /** Requests that wait and are not for a whole file for the first time, nor a CHECK. */
  readonly #parts = new Map<number, RequestedPart>();
  /** Requests that wait and were given up. */
  readonly #cancelled = new Set<number>();
  /** All requests of a kind before this one were taken. */
  readonly #next: Record<RequestKind, number> = { get: 0, check: 0 };
  /** How many of a kind have not ended. */
  readonly #open: Record<RequestKind, number> = { get: 0, check: 0 };
  /** Requests that were taken and have not ended: those being read. */
  readonly #taken: OutgoingRequest[] = [];
  /** Ranges of all requests that have not ended; a whole file counts as one. */
  #openRanges = 0;
  /** For each entry, what was asked of it. */
  readonly #asked: Uint8Array;
  /** For each entry that was asked for in parts, how many bytes of it count. */
  readonly #partBytes = new Map<number, number>();

  /** @param options What it works with. */
  constructor(options: RequestQueueOptions) {
    this.#options = options;
    this.#asked = new Uint8Array(options.manifest.entries.length);
  }

  /** Whether requests are unanswered. */
  get isBusy(): boolean {
    return this.#open.get + this.#open.check > 0;
  }

  /** Whether bytes were asked for that have not been sent. */
  get isSending(): boolean {
    return this.#open.get > 0;
  }

  /** Takes a GET [XFER-7]. */
  handleGet({ firstRequest, items }: Message & { type: "get" }): void {
    const { half, manifest } = this.#options;
    if (!this.#mayAdd("get", firstRequest, items.length)) return;
    for (const { entry: index, ranges } of items) {
      const entry = manifest.entries[index];
      if (entry?.kind !== "file" && entry?.kind !== "stream") {
        return half.violation("GET for something that is no file");
      }
      if (entry.kind === "stream" && this.#asked[index] !== 0) {
        return half.violation("GET for a stream that was sent");
      }
      if (!areValidRanges(ranges, entry.sizeBytes)) {
        return half.violation("GET with wrong ranges");
      }
      this.#openRanges += Math.max(ranges.length, 1);
      if (this.#openRanges > MAX_OPEN_RANGES) {
        return half.fail("limit_exceeded", "The other side asked for too many parts of files");
      }
      this.#addGet(index, ranges, entry.sizeBytes);
    }
  }

  /** Takes a CHECK [XFER-17]. */
  handleCheck({ firstRequest, entries }: Message & { type: "check" }): void {
    const { half, manifest } = this.#options;
    if (!this.#mayAdd("check", firstRequest, entries.length)) return;
    for (const index of entries) {
      const entry = manifest.entries[index];
      if (entry?.kind !== "file") return half.violation("CHECK of something that is no file");
      if ((this.#asked[index]! & CHECKED) !== 0) {
        return half.violation("CHECK of a file for the second time");
      }
      if (entry.sizeBytes > MAX_CHECK_GROUPS * GROUP_BYTES) {
        return half.fail("limit_exceeded", `CHECK of ${entry.path}, which is too large`);
      }
      this.#openRanges++;
      this.#note(index, CHECKED);
      this.#entryOfRequest.push(-1 - index);
      this.#open.check++;
    }
  }

  /** Takes a CANCEL [XFER-14]. */
  handleCancel(id: number): void {
    const value = this.#entryOfRequest.get(id);
    if (value === undefined) return this.#options.half.violation("CANCEL for nothing");
    this.#options.shareTree.giveUp(value < 0 ? -1 - value : value);
    if (id >= this.#next[value < 0 ? "check" : "get"]) this.#cancelled.add(id);
    for (const request of this.#taken) if (request.id === id) request.isCancelled = true;
  }

  /**
   * Bytes of the file to answer next in the lane of a kind, if all of it is wanted and it has one
   * group at most; else undefined.
   */
  nextSmallBytes(kind: RequestKind): number | undefined {
    const id = this.#nextOf(kind);
    const value = this.#entryOfRequest.get(id);
    if (value === undefined || this.#rangesOf(id).length > 0) return undefined;
    const entry = this.#options.manifest.entries[value < 0 ? -1 - value : value]!;
    return entry.kind === "file" && entry.sizeBytes <= GROUP_BYTES ? entry.sizeBytes : undefined;
  }

  /** Takes the next request of a kind [XFER-10]; it is open until {@linkcode RequestQueue.close}. */
  take(kind: RequestKind): OutgoingRequest | undefined {
    const id = this.#nextOf(kind);
    const value = this.#entryOfRequest.get(id);
    if (value === undefined) return undefined;
    this.#next[kind] = id + 1;
    const request = value < 0
      ? new OutgoingRequest(id, -1 - value, HASHES)
      : new OutgoingRequest(id, value, this.#parts.get(id) ?? ALL);
    request.isCancelled = this.#cancelled.delete(id);
    this.#parts.delete(id);
    this.#taken.push(request);
    return request;
  }

  /** A request has ended. */
  close(request: OutgoingRequest): void {
    this.#taken.splice(this.#taken.indexOf(request), 1);
    this.#openRanges -= Math.max(request.ranges.length, 1);
    this.#open[request.isCheck ? "check" : "get"]--;
  }

  /** Whether requests may be added; else the session ends. */
  #mayAdd(kind: RequestKind, first: number, count: number): boolean {
    const { half } = this.#options;
    const made = this.#entryOfRequest.length;
    const open = this.#open.get + this.#open.check;
    if (first !== made) {
      half.violation(`${kind.toUpperCase()} with a wrong number`);
    } else if (open + count > MAX_OPEN_REQUESTS || made + count > MAX_REQUESTS) {
      half.fail("limit_exceeded", "The other side asked for too much");
    } else {
      return true;
    }
    return false;
  }

  #addGet(index: number, ranges: readonly ByteRange[], sizeBytes: number): void {
    const wasAsked = this.#asked[index]!;
    const id = this.#entryOfRequest.length;
    this.#entryOfRequest.push(index);
    this.#open.get++;
    if ((wasAsked & (GOT_WHOLE | GOT_PARTS)) === 0) this.itemsTotal++;
    if (ranges.length > 0) {
      this.#parts.set(id, { kind: "get", ranges, isCounted: this.#countParts(index, ranges) });
      this.#note(index, GOT_PARTS);
    } else {
      if ((wasAsked & (GOT_WHOLE | GOT_PARTS)) === 0) this.bytesTotal += sizeBytes;
      else this.#parts.set(id, ALL_AGAIN);
      this.#note(index, GOT_WHOLE);
    }
  }

  /**
   * Counts the bytes of parts of a file; false when some of them must have been asked for before,
   * because they were damaged on the way.
   */
  #countParts(index: number, ranges: readonly ByteRange[]): boolean {
    if ((this.#asked[index]! & GOT_WHOLE) !== 0) return false;
    const bytes = ranges.reduce((sum, { length }) => sum + length, 0);
    const counted = bytes + (this.#partBytes.get(index) ?? 0);
    if (counted > this.#options.manifest.entries[index]!.sizeBytes) return false;
    this.#partBytes.set(index, counted);
    this.bytesTotal += bytes;
    return true;
  }

  #note(index: number, bit: number): void {
    if (this.#asked[index] === 0) this.itemsAsked++;
    this.#asked[index]! |= bit;
  }

  #rangesOf(id: number): readonly ByteRange[] {
    return this.#parts.get(id)?.ranges ?? ALL.ranges;
  }

  /** The number of the next request of a kind; those of the other kind are passed over once. */
  #nextOf(kind: RequestKind): number {
    const entries = this.#entryOfRequest;
    const isCheck = kind === "check";
    let id = this.#next[kind];
    while (id < entries.length && (entries.get(id)! < 0) !== isCheck) id++;
    this.#next[kind] = id;
    return id;
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
