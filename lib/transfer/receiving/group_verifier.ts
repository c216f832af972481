/**
 * Compares groups with their hashes, whichever of the two comes first, and asks once more for a group
 * that is wrong [XFER-11] [XFER-12].
 */
import type { LentGroup } from "./file_writer.ts";
import type { GroupMemory } from "./group_memory.ts";
import { sameHash } from "../hash_tree.ts";
import type { IncomingFile } from "./incoming_file.ts";
import type { IncomingRequest } from "./incoming_request.ts";
import { GROUP_BYTES, MAX_EARLY_HASHES, MAX_RETRIES_OPEN } from "../limits.ts";
import type { RequestWindow } from "./request_window.ts";
import type { ReturnedCredit } from "./returned_credit.ts";

/** What a {@linkcode GroupVerifier} works with. */
export interface GroupVerifierOptions {
  /** Where buffers go back to. */
  readonly memory: GroupMemory;
  readonly credit: ReturnedCredit;
  readonly requests: RequestWindow;
  readonly handler: GroupVerifierHandler;
}

/** A group that has its hash. */
export interface VerifiedGroup extends LentGroup {
  readonly group: number;
  readonly hash: Uint8Array;
}

/** What a {@linkcode GroupVerifier} tells. */
export interface GroupVerifierHandler {
  /** A group is right. */
  readonly onVerified: (file: IncomingFile, verified: VerifiedGroup) => void;
  /** Bytes that came are wrong, and were dropped. */
  readonly onDropped: (bytes: number) => void;
  /** A file is wrong, and there is no asking again. */
  readonly onWrong: (file: IncomingFile) => void;
}

/** The comparing of one transfer. */
export class GroupVerifier {
  readonly #options: GroupVerifierOptions;
  /**
   * Hashes of groups of large files and streams that wait for their bytes. A small file has one, its
   * root, so requests bound those: as many may be ahead as there are requests.
   */
  #earlyHashes = 0;
  #retriesOpen = 0;

  /** @param options What it works with. */
  constructor(options: GroupVerifierOptions) {
    this.#options = options;
  }

  /** Whether no more hashes of large files and streams may wait for their bytes. */
  get isFull(): boolean {
    return this.#earlyHashes >= MAX_EARLY_HASHES;
  }

  /** Compares a group with its hash now, or when it is there. */
  expect(request: IncomingRequest, group: number, hash: Uint8Array): void {
    if (request.completeGroup(group) !== undefined) return this.#verify(request, group, hash);
    request.keepHash(group, hash);
    if (isBounded(request)) this.#earlyHashes++;
  }

  /** Compares groups that became complete with their hashes, as far as those are there. */
  handleFilled(request: IncomingRequest, filled: readonly number[]): void {
    for (const group of filled) {
      if (request.isDiscarding) {
        request.finish(group);
        continue;
      }
      const expected = request.takeHash(group);
      if (expected === undefined) continue;
      if (isBounded(request)) this.#earlyHashes--;
      this.#verify(request, group, expected);
    }
  }

  /** From now on what comes of a request is dropped. */
  discard(request: IncomingRequest): void {
    const isAwaited = request.isRetry && !request.isFinished(request.start / GROUP_BYTES);
    if (isAwaited) this.#retriesOpen--;
    if (isBounded(request)) this.#earlyHashes -= request.hashCount;
    this.#options.credit.add(request.discard());
  }

  #verify(request: IncomingRequest, group: number, expected: Uint8Array): void {
    const { memory, credit, handler } = this.#options;
    const { file } = request;
    const assembler = request.completeGroup(group)!;
    const hash = assembler.hash();
    const { length } = assembler;
    const buffer = assembler.takeBuffer()!;
    request.finish(group);
    if (!sameHash(hash, expected)) {
      memory.give(buffer, length);
      credit.add(length);
      handler.onDropped(length);
      return this.#retry(file, group, length);
    }
    if (file.wasRetried(group)) this.#retriesOpen--;
    handler.onVerified(file, { group, hash, buffer, length });
  }

  #retry(file: IncomingFile, group: number, length: number): void {
    // A stream cannot be asked for twice; and where groups are written in order, those that wait hold
    // the credit that this one would need.
    const isPossible = file.planned.entry.kind !== "stream" && !file.heldGroups?.size;
    if (!isPossible || file.wasRetried(group) || this.#retriesOpen === MAX_RETRIES_OPEN) {
      return this.#options.handler.onWrong(file);
    }
    file.noteRetry(group);
    this.#retriesOpen++;
    const start = group * GROUP_BYTES;
    this.#options.requests.requestAgain(file, { start, end: start + length });
  }
}

/** Whether the hashes of a request are more than its root, which is one for each request. */
function isBounded({ file: { planned: { entry } } }: IncomingRequest): boolean {
  return entry.kind === "stream" || entry.sizeBytes > GROUP_BYTES;
}
