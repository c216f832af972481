/**
 * A file on its way in: which groups are verified, which are written, and the root they make. There
 * may be thousands of small ones at a time, so what only large or damaged files need is made late.
 */
import type { LentGroup } from "./file_writer.ts";
import { GroupHashes } from "./group_hashes.ts";
import { sameHash, type TransferCrypto } from "../hash_tree.ts";
import type { IncomingRequest } from "./incoming_request.ts";
import { GROUP_BYTES } from "../limits.ts";
import type { JournaledPart } from "./journaled_part.ts";
import type { PlannedFile } from "./plan.ts";
import type { TargetFile } from "../../storage/storage.ts";

const NONE: readonly IncomingRequest[] = [];

/** A file that was asked for. */
export class IncomingFile {
  /** What and where it is. */
  readonly planned: PlannedFile;
  /** Where it is put together and where it goes. */
  readonly target: TargetFile;
  /** Bytes; infinite while nobody knows, as of a stream that has not ended. */
  sizeBytes: number;
  /** Number of the first request about it; negative before there is one. */
  firstRequest = -1;
  /** The requests about it that are not over. */
  requests: readonly IncomingRequest[] = NONE;
  /** The root the sharer named; undefined until it did. */
  claimedRoot: Uint8Array | undefined;
  /** Whether it was placed or left out: nothing more happens with it. */
  isSettled = false;
  /** Whether what came of it cannot be used, in a later run neither. */
  isBad = false;
  /** The part file, once a group was written or an earlier one was opened. */
  part: JournaledPart | undefined;
  /** What was begun last with the part file, for the next to wait for. */
  lastAccess: Promise<unknown> | undefined;
  /** How many groups are in their place in the part file. */
  writtenGroups = 0;
  /** Groups that wait for those before them, where they have to be written in order. */
  heldGroups: Map<number, LentGroup> | undefined;
  readonly #crypto: TransferCrypto;
  #hashes: GroupHashes | undefined;
  /** Groups that were wrong once and are asked for again, or were. */
  #retried: Set<number> | undefined;

  /**
   * @param crypto Where SHA-256 comes from.
   * @param planned What and where it is.
   * @param target Where it is put together and where it goes.
   */
  constructor(crypto: TransferCrypto, planned: PlannedFile, target: TargetFile) {
    this.planned = planned;
    this.target = target;
    const { kind, sizeBytes } = planned.entry;
    this.sizeBytes = kind === "stream" ? Infinity : sizeBytes;
    this.#crypto = crypto;
  }

  /** How many groups it has; 0 for an empty file, infinite while nobody knows. */
  get groupCount(): number {
    return Math.ceil(this.sizeBytes / GROUP_BYTES);
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
    return (this.#hashes?.count ?? 0) === this.groupCount;
  }

  /** Notes the hash of a verified group, once. */
  acceptHash(group: number, hash: Uint8Array): void {
    this.#hashes ??= new GroupHashes(this.#crypto, this.groupCount);
    this.#hashes.add(group, hash);
  }

  /** Whether the verified groups make the root the sharer named. */
  hasClaimedRoot(): boolean {
    const hashes = this.#hashes ?? new GroupHashes(this.#crypto, 0);
    return this.claimedRoot !== undefined && sameHash(hashes.root(), this.claimedRoot);
  }
}
