/**
 * What of one client's files has arrived: counts blocks that come back, and tells when a file is
 * there as a whole.
 */
import { encodeHex } from "../../bytes/hex.ts";
import { Fifo } from "../../protocol/fifo.ts";
import type { ManifestEntry } from "../offer/entry.ts";
import type { LentBlock, OutgoingRequest } from "./outgoing_request.ts";
import type { Half } from "../half.ts";
import type { ShareTree } from "../offer/share_tree.ts";

/** What a {@linkcode DeliveryAccount} works with. */
export interface DeliveryAccountOptions {
  /** Told of files that arrived. */
  readonly half: Half;
  readonly entries: readonly ManifestEntry[];
  /** Where the roots of files stand. */
  readonly shareTree: ShareTree;
}

/** What arrived at one client. */
export class DeliveryAccount {
  /** Bytes that are known to have arrived, of files that count. */
  bytesDone = 0;
  /** Files and streams of which every byte has. */
  itemsDone = 0;
  readonly #options: DeliveryAccountOptions;
  /** Requests that ended well, the first with blocks on the way. */
  readonly #undelivered = new Fifo<OutgoingRequest>();
  /** Entries that were sent in parts: when they are all there only the client knows. */
  readonly #inParts = new Set<number>();
  /** Blocks that came back and are not counted yet. */
  readonly #released: LentBlock[] = [];

  /** @param options What it works with. */
  constructor(options: DeliveryAccountOptions) {
    this.#options = options;
  }

  /** A request that counts was answered well. */
  add(request: OutgoingRequest): void {
    if (request.status === "ranges") this.#inParts.add(request.entry);
    if (request.isDelivered) this.#reportDelivered(request);
    else this.#undelivered.push(request);
  }

  /** A block came back: arrived, or the connection has ended. */
  release(block: LentBlock): void {
    this.#released.push(block);
  }

  /**
   * Counts the blocks that came back as arrived. Not done when they come back: a connection that
   * ends gives back what never arrived, too, but does not say afterwards that there is room.
   */
  countReleased(): void {
    for (const { owner, bytes } of this.#released) {
      owner.releasedBytes += bytes.length;
      if (owner.isCounted) this.bytesDone += bytes.length;
      if (owner.isDelivered) this.#reportDelivered(owner);
    }
    this.#released.length = 0;
    while (this.#undelivered.peek()?.isDelivered) this.#undelivered.shift();
  }

  /** Counts everything as arrived: the client says so. */
  countAll(): void {
    const undelivered = this.#undelivered;
    for (let request = undelivered.shift(); request; request = undelivered.shift()) {
      if (request.isDelivered) continue;
      this.bytesDone += request.sentBytes - request.releasedBytes;
      request.releasedBytes = request.sentBytes;
      this.#reportDelivered(request);
    }
    const { entries, shareTree } = this.#options;
    for (const index of this.#inParts) {
      if (shareTree.isVerified(index)) this.#report(index, entries[index]!.sizeBytes);
    }
  }

  #reportDelivered(request: OutgoingRequest): void {
    if (!request.isCounted || request.status !== "whole" || request.isCancelled) return;
    this.#report(request.entry, request.sentBytes);
  }

  #report(index: number, bytes: number): void {
    const { half, entries, shareTree } = this.#options;
    this.itemsDone++;
    const root = encodeHex(shareTree.rootOf(index));
    half.notify({ event: "file-done", path: entries[index]!.path, bytes, root });
  }
}
