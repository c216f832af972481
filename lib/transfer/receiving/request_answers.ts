/**
 * What a sharer says of the requests of GET: hashes of groups and how each request ended [XFER-11].
 * Looks whether it can be so, and hands it on; blocks are the matter of `downloads.ts`, answers to
 * CHECK that of `resumption.ts`.
 */
import type { GroupVerifier } from "./group_verifier.ts";
import type { IncomingFile } from "./incoming_file.ts";
import type { IncomingRequest } from "./incoming_request.ts";
import { HASH_BYTES } from "../limits.ts";
import type { Message, Root } from "../messages.ts";
import type { RequestWindow } from "./request_window.ts";
import type { Half } from "../half.ts";

/** What {@linkcode RequestAnswers} work with. */
export interface RequestAnswersOptions {
  readonly half: Half;
  readonly requests: RequestWindow;
  readonly verifier: GroupVerifier;
  readonly handler: RequestAnswersHandler;
}

/** What {@linkcode RequestAnswers} tell. */
export interface RequestAnswersHandler {
  /** The root of a file is known, and nothing of it is left to be compared by itself. */
  readonly onRoot: (file: IncomingFile) => void;
  /** A stream has ended: so many bytes of it are still to come. */
  readonly onStreamEnd: (missingBytes: number) => void;
  /** The sharer could not send a file. */
  readonly onRefused: (file: IncomingFile, status: "changed" | "unreadable") => void;
  /** Everything of a request has come. */
  readonly onOver: (request: IncomingRequest) => void;
}

/** The answers of one transfer. */
export class RequestAnswers {
  readonly #options: RequestAnswersOptions;
  readonly #half: Half;

  /** @param options What it works with. */
  constructor(options: RequestAnswersOptions) {
    this.#options = options;
    this.#half = options.half;
  }

  /** Takes hashes of groups. */
  handleNodes({ request: id, firstGroup, hashes }: Message & { type: "nodes" }): void {
    const half = this.#half;
    const { requests, verifier } = this.#options;
    const request = requests.get(id);
    if (request === undefined || request.sentBytes !== undefined) {
      return half.violation("NODES for no open request");
    }
    if (request.file.groupCount <= 1) return half.violation("NODES for a small file");
    let group = firstGroup;
    for (let at = 0; at < hashes.length && !half.hasEnded; at += HASH_BYTES, group++) {
      if (!request.hasGroup(group)) return half.violation("NODES outside the request");
      if (request.isDiscarding) continue;
      if (request.isFinished(group) || request.hasHash(group)) {
        return half.violation("NODES sent twice");
      }
      if (verifier.isFull) {
        return half.fail("limit_exceeded", "The other side sent too many hashes ahead");
      }
      verifier.expect(request, group, hashes.subarray(at, at + HASH_BYTES));
    }
  }

  /** Takes the end of a request. */
  handleRoot(message: Root): void {
    const half = this.#half;
    const { requests, handler } = this.#options;
    const { status } = message;
    if (status === "hashed") return half.violation("ROOT of another kind");
    if (status === "whole" && requests.keepRoot(message.request, message.root)) return;
    const request = requests.get(message.request);
    if (request === undefined || request.sentBytes !== undefined) {
      return half.violation("ROOT for no open request");
    }
    if (request.file.sizeBytes === Infinity && !this.#handleStreamEnd(request, message)) {
      return half.violation("ROOT with a wrong length");
    }
    const length = request.end - request.start;
    const isWhole = length === request.file.sizeBytes;
    if (status === "whole" || status === "ranges") {
      if ((status === "whole") !== isWhole) return half.violation("ROOT of another kind");
      // Without one of them the file would never be verified, and the transfer never end.
      const isComplete = request.file.groupCount <= 1 || request.isDiscarding ||
        request.hasAllHashes;
      if (!isComplete) return half.violation("ROOT before the hashes");
      request.sentBytes = length;
      if (isWhole) this.#handleWhole(request, message.root);
    } else {
      if (message.sentBytes > length || message.sentBytes < request.receivedBytes) {
        return half.violation("ROOT with a wrong length");
      }
      request.sentBytes = message.sentBytes;
      this.#handleFailure(request, status);
    }
    if (!half.hasEnded && request.isOver) handler.onOver(request);
  }

  /** How long the stream is, is known now [XFER-19]; false when that cannot be. */
  #handleStreamEnd(request: IncomingRequest, { status, sentBytes, root }: Root): boolean {
    if (status !== "whole") return status !== "ranges";
    if (sentBytes < request.receivedBytes) return false;
    const filled: number[] = [];
    if (!request.endAt(sentBytes, filled)) return false;
    request.file.sizeBytes = sentBytes;
    request.file.claimedRoot = root;
    this.#options.handler.onStreamEnd(sentBytes - request.receivedBytes);
    this.#options.verifier.handleFilled(request, filled);
    return true;
  }

  #handleWhole(request: IncomingRequest, root: Uint8Array): void {
    const { verifier, handler } = this.#options;
    const { file } = request;
    if (file.isSettled) return;
    file.claimedRoot = root;
    // A stream of exactly one group has its hash already.
    const isOneGroup = file.groupCount === 1 && !request.isFinished(0) && !request.hasHash(0);
    if (isOneGroup) verifier.expect(request, 0, root);
    else handler.onRoot(file);
  }

  #handleFailure(
    request: IncomingRequest,
    status: "changed" | "unreadable" | "cancelled",
  ): void {
    if (status === "cancelled") {
      if (!request.isCancelled) this.#half.violation("ROOT says cancelled, but nobody did");
    } else if (!request.file.isSettled) {
      this.#options.handler.onRefused(request.file, status);
    }
  }
}
