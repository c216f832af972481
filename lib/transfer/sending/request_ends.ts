/**
 * How requests end: the ROOT of each, what it means for the root of the share, and the names of files
 * that are left out [XFER-10] [XFER-13].
 */
import type { DeliveryAccount } from "./delivery_account.ts";
import type { ManifestEntry } from "../offer/entry.ts";
import { ROOTS_PER_WRITE } from "../limits.ts";
import type { RootStatus } from "../messages.ts";
import type { Outcome } from "../outcome.ts";
import type { OutgoingRequest } from "./outgoing_request.ts";
import type { RequestQueue } from "./request_queue.ts";
import type { Half } from "../half.ts";
import type { ShareTree } from "../offer/share_tree.ts";

/** How a request ended. */
export interface RequestEnd {
  readonly status: RootStatus;
  /** Of all of the file, when all of it was sent or hashed. */
  readonly root?: Uint8Array;
}

/** What {@linkcode RequestEnds} works with. */
export interface RequestEndsOptions {
  readonly half: Half;
  readonly entries: readonly ManifestEntry[];
  readonly queue: RequestQueue;
  /** Where files that were sent or hashed are noted. */
  readonly shareTree: ShareTree;
  /** Where files that could not be sent are counted. */
  readonly outcome: Outcome;
  /** Where what was sent is counted. */
  readonly account: DeliveryAccount;
}

const NO_ROOT = new Uint8Array(0);

/** The ends of one client's requests. */
export class RequestEnds {
  readonly #options: RequestEndsOptions;
  /**
   * A bit for each entry, whether it was reported as changed or unreadable: a client may ask on and on.
   */
  readonly #wasReported: Uint8Array;

  /** @param options What it works with. */
  constructor(options: RequestEndsOptions) {
    this.#options = options;
    this.#wasReported = new Uint8Array(Math.ceil(options.entries.length / 8));
  }

  /** Ends a request. Its ROOT goes out with others. */
  finish(request: OutgoingRequest, { status, root }: RequestEnd): void {
    const { id, entry: index, sentBytes } = request;
    const { half, queue, shareTree, account } = this.#options;
    const isStream = this.#options.entries[index]!.kind === "stream";
    request.status = status;
    queue.close(request);
    if (root !== undefined && !request.isCancelled) {
      shareTree.setRoot(index, root, isStream ? sentBytes : undefined);
    } else if (status !== "ranges") {
      shareTree.giveUp(index);
    }
    // Of what was sent to its end the client knows how much it is, but for a stream.
    const isKnown = status === "ranges" || (status === "whole" && !isStream);
    half.add({
      type: "root",
      request: id,
      status,
      root: root ?? NO_ROOT,
      sentBytes: isKnown ? 0 : sentBytes,
    });
    if (half.waitingMessages >= ROOTS_PER_WRITE) half.flush();
    if (status === "changed" || status === "unreadable") this.#reportLeftOut(index, status);
    if (request.isCounted && (status === "whole" || status === "ranges")) account.add(request);
  }

  #reportLeftOut(index: number, status: "changed" | "unreadable"): void {
    const bit = 1 << (index & 7);
    if ((this.#wasReported[index >> 3]! & bit) !== 0) return;
    this.#wasReported[index >> 3]! |= bit;
    const { path } = this.#options.entries[index]!;
    const { outcome, half } = this.#options;
    if (status === "changed") {
      outcome.changed++;
      half.warn("source_changed", path, `Left out ${path}: it changed while it was sent`);
    } else {
      outcome.unreadable++;
      half.warn("unreadable", path, `Left out ${path}: it could not be read`);
    }
  }
}
