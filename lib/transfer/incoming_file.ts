/**
 * A file on its way in: which groups are verified, which are written, and the root they make. There
 * may be thousands of small ones at a time, so what only large or damaged files need is made late.
 */
import { sameHash, type TransferCrypto, TreeHasher } from "./hash_tree.ts";
import type { IncomingRequest } from "./incoming_request.ts";
import { GROUP_BYTES } from "./limits.ts";
import type { PlannedFile } from "./plan.ts";
import type { PartFile, TargetFile } from "./storage.ts";

const NONE: readonly IncomingRequest[] = [];

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
  requests: readonly IncomingRequest[] = NONE;
  /** The root the sharer named; undefined until it did. */
  claimedRoot: Uint8Array | undefined;
  /** Whether it was placed or left out: nothing more happens with it. */
  isSettled = false;
  /** The part file, once a group was written. */
  part: PartFile | undefined;
  /** The last write, for the next to wait for. */
  lastWrite: Promise<void> | undefined;
  /** How many groups are on the disk. */
  writtenGroups = 0;
  readonly #crypto: TransferCrypto;
  #tree: TreeHasher | undefined;
  /** Hashes of verified groups whose predecessors are not. */
  #waiting: Map<number, Uint8Array> | undefined;
  /** Groups that were wrong once and are asked for again, or were. */
  #retried: Set<number> | undefined;

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
    this.#crypto = crypto;
  }

  /** Notes a request about it. */
  addRequest(request: IncomingRequest): void {
    this.requests = this.requests.length === 0 ? [request] : [...this.requests, request];
  }

  /** Forgets a request that is over. */
  removeRequest(request: IncomingRequest): void {
    // Nearly always it is the only one.
    const isOnly = this.requests.length === 1 && this.requests[0] === request;
    this.requests = isOnly ? NONE : this.requests.filter((other) => other !== request);
  }

  /** Whether a group was wrong once. */
  wasRetried(group: number): boolean {
    return this.#retried?.has(group) ?? false;
  }

  /** Notes that a group is asked for again. */
  noteRetry(group: number): void {
    (this.#retried ??= new Set()).add(group);
  }

  /** Whether every group is verified. */
  get isVerified(): boolean {
    return (this.#tree?.count ?? 0) === this.groupCount;
  }

  /** Notes the hash of a verified group. */
  acceptHash(group: number, hash: Uint8Array): void {
    const tree = this.#tree ??= new TreeHasher(this.#crypto);
    const waiting = this.#waiting ??= new Map();
    waiting.set(group, hash);
    for (let next = waiting.get(tree.count); next !== undefined; next = waiting.get(tree.count)) {
      waiting.delete(tree.count);
      tree.push(next);
    }
  }

  /** The root over the verified groups. */
  root(): Uint8Array {
    return (this.#tree ?? new TreeHasher(this.#crypto)).root();
  }

  /** Whether the verified groups make the root the sharer named. */
  hasClaimedRoot(): boolean {
    return this.claimedRoot !== undefined && sameHash(this.root(), this.claimedRoot);
  }
}
