/** A file on its way in: which groups are verified, which are written, and the root they make. */
import { sameHash, type TransferCrypto, TreeHasher } from "./hash_tree.ts";
import type { IncomingRequest } from "./incoming_request.ts";
import { GROUP_BYTES } from "./limits.ts";
import type { PlannedFile } from "./plan.ts";
import type { PartFile, TargetFile } from "./storage.ts";

/** A file that was asked for. */
export class IncomingFile {
  /** What and where it is. */
  readonly planned: PlannedFile;
  /** Where it is put together and where it goes. */
  readonly target: TargetFile;
  /** How many groups it has; 0 for an empty file. */
  readonly groupCount: number;
  /** Number of the first request about it. */
  readonly firstRequest: number;
  /** The requests about it that are not over. */
  readonly requests: Set<IncomingRequest> = new Set();
  /** Groups that were wrong once and are asked for again, or were. */
  readonly retriedGroups: Set<number> = new Set();
  /** The root the sharer named; undefined until it did. */
  claimedRoot: Uint8Array | undefined;
  /** Whether it was placed or left out: nothing more happens with it. */
  isSettled = false;
  /** The part file, once a group was written. */
  part: PartFile | undefined;
  /** The last write, for the next to wait for. */
  lastWrite: Promise<void> = Promise.resolve();
  /** How many groups are on the disk. */
  writtenGroups = 0;
  readonly #tree: TreeHasher;
  /** Hashes of verified groups whose predecessors are not. */
  readonly #waiting = new Map<number, Uint8Array>();

  /**
   * @param crypto Where SHA-256 comes from.
   * @param planned What and where it is.
   * @param target Where it is put together and where it goes.
   * @param firstRequest Number of the request that asks for all of it.
   */
  constructor(
    crypto: TransferCrypto,
    planned: PlannedFile,
    target: TargetFile,
    firstRequest: number,
  ) {
    this.firstRequest = firstRequest;
    this.planned = planned;
    this.target = target;
    this.groupCount = Math.ceil(planned.entry.sizeBytes / GROUP_BYTES);
    this.#tree = new TreeHasher(crypto);
  }

  /** Whether every group is verified. */
  get isVerified(): boolean {
    return this.#tree.count === this.groupCount;
  }

  /** Notes the hash of a verified group. */
  acceptHash(group: number, hash: Uint8Array): void {
    this.#waiting.set(group, hash);
    for (;;) {
      const next = this.#waiting.get(this.#tree.count);
      if (next === undefined) return;
      this.#waiting.delete(this.#tree.count);
      this.#tree.push(next);
    }
  }

  /** The root over the verified groups. */
  root(): Uint8Array {
    return this.#tree.root();
  }

  /** Whether the verified groups make the root the sharer named. */
  hasClaimedRoot(): boolean {
    return this.claimedRoot !== undefined && sameHash(this.root(), this.claimedRoot);
  }
}
