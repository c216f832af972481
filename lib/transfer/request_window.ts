/**
 * The requests of a receiver: asks for files in their order, keeps a number of requests unanswered,
 * and asks again for what was wrong [XFER-12]. Tens of thousands may be unanswered, so what belongs
 * to one is only made when something of it arrives.
 */
import { encodeHex } from "../bytes/hex.ts";
import type { GroupMemory } from "./group_memory.ts";
import type { TransferCrypto } from "./hash_tree.ts";
import { IncomingFile } from "./incoming_file.ts";
import { IncomingRequest, type RequestedRange } from "./incoming_request.ts";
import { GROUP_BYTES, MAX_PATH_BYTES, REQUEST_BATCH, REQUEST_WINDOW } from "./limits.ts";
import type { ByteRange, RequestItem } from "./messages.ts";
import { placeOf } from "./names.ts";
import type { PlannedFile } from "./plan.ts";
import type { Session } from "./session.ts";
import type { Storage } from "./storage.ts";
import { writeUtf8 } from "./utf8.ts";

/** What a {@linkcode RequestWindow} works with. */
export interface RequestWindowOptions {
  readonly session: Session;
  readonly storage: Storage;
  readonly crypto: TransferCrypto;
  /** Where groups are put together. */
  readonly memory: GroupMemory;
}

/** A request of which nothing has come but its end. */
interface EarlyRoot {
  /** Which wanted file it is for. */
  readonly wanted: number;
  readonly root: Uint8Array;
}

// Shared by all: filled and hashed within one call.
const storedBytes = new Uint8Array(MAX_PATH_BYTES);
const ALL_OF_IT: readonly ByteRange[] = [];
/** In place of a request that is over. */
const OVER = undefined;

/** The requests of one transfer. */
export class RequestWindow {
  readonly #options: RequestWindowOptions;
  #wanted: readonly PlannedFile[] = [];
  #nextWanted = 0;
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

  /** How many files are wanted. */
  get fileCount(): number {
    return this.#wanted.length;
  }

  /** How many requests are not over. */
  get openCount(): number {
    return this.#openCount;
  }

  /** Begins to ask for files. */
  start(wanted: readonly PlannedFile[]): void {
    this.#wanted = wanted;
    this.#requestMore();
  }

  /** Whether a number is that of a request. */
  wasMade(id: number): boolean {
    return id < this.#requests.length;
  }

  /** The request with a number, unless it is over or was never made. */
  get(id: number): IncomingRequest | undefined {
    const known = this.#requests[id];
    if (known === undefined || known instanceof IncomingRequest) return known;
    const early = typeof known === "number" ? undefined : known;
    const planned = this.#wanted[early?.wanted ?? (known as number)]!;
    const { sizeBytes } = planned.entry;
    const file = this.#newFile(planned, id);
    const request = this.#begin(id, file, { start: 0, end: sizeBytes });
    if (early !== undefined) {
      file.claimedRoot = early.root;
      request.sentBytes = sizeBytes;
      request.keepHash(0, early.root);
    }
    return request;
  }

  /**
   * Keeps the root of a file of one group until a byte of it comes: control messages overtake blocks,
   * so a thousand files wait that way.
   *
   * @returns False when it is not such a file, or not the first to be heard of it.
   */
  keepRoot(id: number, root: Uint8Array): boolean {
    const wanted = this.#requests[id];
    if (typeof wanted !== "number") return false;
    const { sizeBytes } = this.#wanted[wanted]!.entry;
    if (sizeBytes === 0 || sizeBytes > GROUP_BYTES) return false;
    this.#requests[id] = { wanted, root };
    return true;
  }

  /** Asks again for a group that was wrong [XFER-12]. */
  requestAgain(file: IncomingFile, range: RequestedRange): void {
    const { start, end } = range;
    const ranges = file.groupCount <= 1 ? ALL_OF_IT : [{ offset: start, length: end - start }];
    const items = [{ entry: file.planned.index, ranges }];
    const firstRequest = this.#requests.length;
    this.#openCount++;
    this.#begin(firstRequest, file, range);
    this.#options.session.send({ type: "get", firstRequest, items });
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
    while (
      this.#nextWanted < this.#wanted.length && this.openCount <= REQUEST_WINDOW - REQUEST_BATCH
    ) {
      const firstRequest = this.#requests.length;
      const items: RequestItem[] = [];
      while (items.length < REQUEST_BATCH && this.#nextWanted < this.#wanted.length) {
        items.push({ entry: this.#wanted[this.#nextWanted]!.index, ranges: ALL_OF_IT });
        this.#requests.push(this.#nextWanted++);
      }
      this.#openCount += items.length;
      this.#options.session.send({ type: "get", firstRequest, items });
    }
  }

  #begin(id: number, file: IncomingFile, range: RequestedRange): IncomingRequest {
    const request = new IncomingRequest(id, file, range, this.#options);
    this.#requests[id] = request;
    file.addRequest(request);
    return request;
  }

  #newFile(planned: PlannedFile, firstRequest: number): IncomingFile {
    const { crypto, storage } = this.#options;
    const { parent, storedAs, entry, state } = planned;
    // The same in every run, and nothing a peer may send [NAME-6].
    const name = storedBytes.subarray(0, writeUtf8(storedAs, storedBytes, 0));
    const hash = encodeHex(crypto.sha256(name)).slice(0, 16);
    const target = {
      path: placeOf(storage, parent, storedAs),
      partPath: storage.join(parent, `.p2pft-${hash}.part`),
      // Only the target folder itself may be a link.
      folder: storedAs.includes("/") ? parent : undefined,
      mtimeMs: entry.mtimeMs,
      executable: entry.executable,
      // Files that differ are only asked for when they may be replaced.
      overwrite: state === "differ",
    };
    return new IncomingFile(crypto, planned, target, firstRequest);
  }
}
