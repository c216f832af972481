/**
 * The requests of a receiver: asks for files in their order, keeps a number of requests unanswered,
 * and asks again for what was wrong [XFER-12]. Tens of thousands may be unanswered, so what belongs
 * to one is only made when something of it arrives.
 */
import { Fifo } from "../../protocol/fifo.ts";
import type { GroupMemory } from "./group_memory.ts";
import type { TransferCrypto } from "../hash_tree.ts";
import { IncomingFile } from "./incoming_file.ts";
import { IncomingRequest, type RequestedRange } from "./incoming_request.ts";
import { GROUP_BYTES, MAX_RANGES, REQUEST_BATCH, REQUEST_WINDOW } from "../limits.ts";
import type { ByteRange, RequestItem } from "../messages.ts";
import { placeOf } from "../names.ts";
import type { OwnNaming } from "../own_names.ts";
import type { PlannedFile } from "./plan.ts";
import type { Half } from "../half.ts";
import type { Storage } from "../../storage/storage.ts";

/** What a {@linkcode RequestWindow} works with. */
export interface RequestWindowOptions {
  readonly half: Half;
  readonly storage: Storage;
  readonly crypto: TransferCrypto;
  /** Names beside files. */
  readonly names: OwnNaming;
  /** Where groups are put together. */
  readonly memory: GroupMemory;
}

/** A request of which nothing has come but its end. */
interface EarlyRoot {
  /** Which wanted file it is for. */
  readonly wanted: number;
  readonly root: Uint8Array;
}

/** Part of a file that is to be asked for. */
interface WantedRange {
  readonly file: IncomingFile;
  readonly range: RequestedRange;
}

const ALL_OF_IT: readonly ByteRange[] = [];
/** In place of a request that is over. */
const OVER = undefined;
/** In place of a request for hashes, now and for ever: no block belongs to it. */
const CHECK = -1;

/** The requests of one transfer. */
export class RequestWindow {
  readonly #options: RequestWindowOptions;
  readonly #wanted: PlannedFile[] = [];
  #nextWanted = 0;
  /** Parts of files of which the rest is here. */
  readonly #wantedRanges = new Fifo<WantedRange>();
  /** Entries of the CHECK that is being put together, and the number of its first request. */
  #checkEntries: number[] = [];
  #checkFirst = 0;
  /**
   * By number, the request of which bytes have come, or else which wanted file it is for, perhaps with
   * its root. An array, because of a Map in which thousands come and go much is left to the collector
   * of old objects.
   */
  readonly #requests: (IncomingRequest | EarlyRoot | number | undefined)[] = [];
  #openCount = 0;

  /** @param options What it works with. */
  constructor(options: RequestWindowOptions) {
    this.#options = options;
  }

  /** How many requests are not over. */
  get openCount(): number {
    return this.#openCount;
  }

  /** Asks for whole files, as soon as there is room among the requests. */
  addFiles(wanted: readonly PlannedFile[]): void {
    for (const file of wanted) this.#wanted.push(file);
    this.#requestMore();
  }

  /** Asks for part of a file of which the rest is here, as soon as there is room. */
  addRange(file: IncomingFile, range: RequestedRange): void {
    this.#wantedRanges.push({ file, range });
    this.#requestMore();
  }

  /**
   * Asks for the hashes of a file [XFER-17]. What is asked for within one turn goes into one message.
   *
   * @returns The number of the request.
   */
  addCheck(file: IncomingFile): number {
    const id = this.#requests.length;
    this.#requests.push(CHECK);
    this.#openCount++;
    if (this.#checkEntries.length === 0) {
      this.#checkFirst = id;
      queueMicrotask(() => this.#sendCheck());
    }
    this.#checkEntries.push(file.planned.index);
    file.firstRequest = id;
    return id;
  }

  /** A request for hashes is over. */
  retireCheck(): void {
    this.#openCount--;
    this.#requestMore();
  }

  /** Whether blocks of a request may come, or copies of blocks. */
  hasBlocks(id: number): boolean {
    return id < this.#requests.length && this.#requests[id] !== CHECK;
  }

  /** The request with a number, unless it is over or was never made. */
  get(id: number): IncomingRequest | undefined {
    const known = this.#requests[id];
    if (known === undefined || known instanceof IncomingRequest) return known;
    if (known === CHECK) return undefined;
    const early = typeof known === "number" ? undefined : known;
    const planned = this.#wanted[early?.wanted ?? (known as number)]!;
    const file = this.newFile(planned);
    file.firstRequest = id;
    const { sizeBytes } = file;
    const request = this.#begin(id, file, { start: 0, end: sizeBytes });
    if (early !== undefined) {
      file.claimedRoot = early.root;
      request.sentBytes = sizeBytes;
      request.keepHash(0, early.root);
    }
    return request;
  }

  /** Makes the file that is to be put together of what comes; no request is about it yet. */
  newFile(planned: PlannedFile): IncomingFile {
    const { crypto, storage, names } = this.#options;
    const { parent, storedAs, entry, overwrite } = planned;
    const own = names.of(storedAs);
    const target = {
      path: placeOf(storage, parent, storedAs),
      partPath: storage.join(parent, own.part),
      journalPath: storage.join(parent, own.journal),
      // Only the target folder itself may be a link.
      folder: storedAs.includes("/") ? parent : undefined,
      mtimeMs: entry.mtimeMs,
      executable: entry.executable,
      overwrite,
    };
    return new IncomingFile(crypto, planned, target);
  }

  /**
   * Keeps the root of a file of one group until a byte of it comes: control messages overtake blocks,
   * so a thousand files wait that way.
   *
   * @returns False when it is not such a file, or not the first to be heard of it.
   */
  keepRoot(id: number, root: Uint8Array): boolean {
    const wanted = this.#requests[id];
    if (typeof wanted !== "number" || wanted === CHECK) return false;
    const { sizeBytes } = this.#wanted[wanted]!.entry;
    if (sizeBytes === 0 || sizeBytes > GROUP_BYTES) return false;
    this.#requests[id] = { wanted, root };
    return true;
  }

  /** Asks again for a group that was wrong [XFER-12]. */
  requestAgain(file: IncomingFile, range: RequestedRange): void {
    const firstRequest = this.#requests.length;
    const items = [this.#beginRange({ file, range })];
    file.requests.at(-1)!.isRetry = true;
    this.#sendGet(firstRequest, items);
  }

  /** Forgets a request that is over, and asks for more. */
  retire(request: IncomingRequest): void {
    this.#requests[request.id] = OVER;
    this.#openCount--;
    request.file.removeRequest(request);
    request.close();
    this.#requestMore();
  }

  #requestMore(): void {
    while (this.#wantedRanges.length > 0 && this.#openCount < REQUEST_WINDOW) this.#requestRanges();
    while (
      this.#nextWanted < this.#wanted.length && this.#openCount <= REQUEST_WINDOW - REQUEST_BATCH
    ) {
      const firstRequest = this.#requests.length;
      const items: RequestItem[] = [];
      while (items.length < REQUEST_BATCH && this.#nextWanted < this.#wanted.length) {
        items.push({ entry: this.#wanted[this.#nextWanted]!.index, ranges: ALL_OF_IT });
        this.#requests.push(this.#nextWanted++);
      }
      this.#openCount += items.length;
      this.#sendGet(firstRequest, items);
    }
  }

  #requestRanges(): void {
    const firstRequest = this.#requests.length;
    const items: RequestItem[] = [];
    while (items.length < MAX_RANGES && this.#openCount < REQUEST_WINDOW) {
      const wanted = this.#wantedRanges.shift();
      if (wanted === undefined) break;
      if (!wanted.file.isSettled) items.push(this.#beginRange(wanted));
    }
    if (items.length > 0) this.#sendGet(firstRequest, items);
  }

  /** Begins a request for part of a file; all of it is asked for without ranges. */
  #beginRange({ file, range }: WantedRange): RequestItem {
    const { start, end } = range;
    this.#begin(this.#requests.length, file, range);
    this.#openCount++;
    const isWhole = start === 0 && end === file.sizeBytes;
    const ranges = isWhole ? ALL_OF_IT : [{ offset: start, length: end - start }];
    return { entry: file.planned.index, ranges };
  }

  #sendGet(firstRequest: number, items: readonly RequestItem[]): void {
    this.#sendCheck();
    this.#options.half.send({ type: "get", firstRequest, items });
  }

  /** Sends the CHECK that was put together; before any other request, or the numbers would be wrong. */
  #sendCheck(): void {
    const entries = this.#checkEntries;
    if (entries.length === 0) return;
    this.#checkEntries = [];
    const firstRequest = this.#checkFirst;
    this.#options.half.send({ type: "check", firstRequest, entries });
  }

  #begin(id: number, file: IncomingFile, range: RequestedRange): IncomingRequest {
    const request = new IncomingRequest(id, file, range, this.#options);
    this.#requests[id] = request;
    file.addRequest(request);
    return request;
  }
}
