/**
 * What both sides of a transfer have in common: cutting and joining control messages, and ending
 * once, for one reason (docs/transfer.md, "States"). Not here: what the messages mean.
 */
import { type ErrorCode, TransferError, wireOfErrorCode } from "../errors.ts";
import type { Channel } from "../protocol/channel.ts";
import { MAX_MANIFEST_BYTES } from "./limits.ts";
import { MessageOutbox, MessageReader } from "./message_stream.ts";
import { decodeMessage, isIgnorableType, type Message } from "./messages.ts";
import { StorageError } from "../storage/storage.ts";
import type { TransferNotice, TransferSummary } from "./transfer_notice.ts";

/** Options of a {@linkcode Session}. */
export interface SessionOptions {
  /** The connection. */
  readonly channel: Channel;
  /** Told what happens. */
  readonly onEvent: (notice: TransferNotice) => void;
  /** Called for each message of the peer. */
  readonly onMessage: (message: Message) => void;
  /** Stops the work, told why; awaited before `finished` rejects. */
  readonly onStop: (error: TransferError) => Promise<void>;
  /** How many more bytes the paths of a list may have. */
  readonly pathBytesLeft?: () => number;
}

/** One side of a transfer, as far as both are alike. */
export class Session {
  /** Resolves when the transfer ended well; rejects with a {@linkcode TransferError}. */
  readonly finished: Promise<TransferSummary>;
  /** Whether it ended; nothing is sent or told any more. */
  hasEnded = false;
  readonly #options: SessionOptions;
  readonly #reader = new MessageReader((typeNumber, body) => this.#handleBody(typeNumber, body));
  readonly #outbox = new MessageOutbox();
  #resolve!: (summary: TransferSummary) => void;
  #reject!: (error: TransferError) => void;

  /** @param options What it works with. */
  constructor(options: SessionOptions) {
    this.#options = options;
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // The owner may look at it later than it is settled.
    this.finished.catch(() => {});
  }

  /** How many messages were added and not flushed. */
  get waitingMessages(): number {
    return this.#outbox.count;
  }

  /** Control bytes that were not acknowledged, those not flushed included. */
  get unacknowledgedBytes(): number {
    return this.#options.channel.controlQueuedBytes + this.#outbox.length;
  }

  /** Takes the next bytes of the control stream. */
  handleControl(bytes: Uint8Array): void {
    if (this.hasEnded) return;
    if (!this.#reader.push(bytes)) {
      this.fail("limit_exceeded", "The other side sent a message that is too long");
    }
  }

  /** Adds a message to those that go out with the next {@linkcode Session.flush}. */
  add(message: Message): void {
    if (!this.hasEnded) this.#outbox.add(message);
  }

  /** Sends the messages that were added. */
  flush(): void {
    if (this.#outbox.length > 0) this.#options.channel.sendControl(this.#outbox.take());
  }

  /** Sends a message, after those that were added. */
  send(message: Message): void {
    this.add(message);
    this.flush();
  }

  /** Tells the owner something. */
  notify(notice: TransferNotice): void {
    if (!this.hasEnded) this.#options.onEvent(notice);
  }

  /** Tells the owner that something about a file did not go as wished. */
  warn(code: string, path: string, message: string): void {
    this.notify({ event: "warning", code, message, path });
  }

  /** Ends well. */
  succeed(summary: TransferSummary): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.#resolve(summary);
  }

  /**
   * Ends with an error, and tells the peer.
   *
   * @param reason What the peer is told besides the code: nothing about this machine.
   */
  abort(error: TransferError, reason: string = error.code.replaceAll("_", " ")): void {
    if (this.hasEnded) return;
    // Ended before it is closed: the channel may say at once that it is.
    this.end(error);
    this.#options.channel.close(wireOfErrorCode(error.code), reason);
  }

  /** Ends with an error that the peer knows of or cannot be told. */
  end(error: TransferError): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    void this.#options.onStop(error).finally(() => this.#reject(error));
  }

  /** Ends with an error of this code. */
  fail(code: ErrorCode, message: string): void {
    this.abort(new TransferError(code, message));
  }

  /** Turns the offer down: the peer hears that it was refused, the owner why. */
  refuse(error: TransferError): void {
    if (this.hasEnded) return;
    this.end(error);
    this.#options.channel.close(wireOfErrorCode("refused"), "refused");
  }

  /** Ends because the peer did what it never should [XFER-2]. */
  violation(what: string): void {
    this.fail("protocol_violation", `The other side broke the protocol: ${what}`);
  }

  /** Ends because of whatever was thrown by a storage, a callback, or a bug. */
  crash(error: unknown): void {
    this.abort(transferError(error));
  }

  #handleBody(typeNumber: number, body: Uint8Array): void {
    if (this.hasEnded) return;
    const pathBytesLeft = this.#options.pathBytesLeft?.() ?? MAX_MANIFEST_BYTES;
    const message = decodeMessage(typeNumber, body, pathBytesLeft);
    if (message === "too_long") {
      this.fail("limit_exceeded", "The other side sent more than a message may hold");
    } else if (message !== undefined) {
      this.#options.onMessage(message);
    } else if (!isIgnorableType(typeNumber)) {
      this.violation(`malformed or unknown message ${typeNumber}`);
    }
  }
}

/** The error when only one side asked for the words. */
export function verifyMismatch(isWantedHere: boolean): TransferError {
  const message = isWantedHere
    ? "Cannot compare words: the other side does not use --verify"
    : "Cannot go on without words: the other side uses --verify";
  return new TransferError("authentication_failed", message, {
    hint: VERIFY_MISMATCH_HINT,
  });
}

/** What the peer is told then. */
export const VERIFY_MISMATCH_TEXT = "only one side uses --verify";

/** What to do then, on either side. */
export const VERIFY_MISMATCH_HINT = "Use --verify on both sides, or on neither";

/** Names both versions [XFER-3]. */
export function versionMismatchText(ownVersion: number, peerVersion: number): string {
  return `this side speaks version ${ownVersion}, the other ${peerVersion}`;
}

/** Makes a {@linkcode TransferError} of whatever was thrown while writing. */
export function transferError(error: unknown): TransferError {
  if (error instanceof TransferError) return error;
  const options = { cause: error };
  if (!(error instanceof StorageError)) {
    return new TransferError("internal", "Transfer failed on a bug", options);
  }
  switch (error.kind) {
    case "no_space":
      return new TransferError("disk_full", error.message, options);
    case "permission_missing":
      return new TransferError("permission_missing", error.message, {
        ...options,
        hint: "Run with --allow-read and --allow-write for the target folder",
      });
    default:
      return new TransferError("write_failed", error.message, options);
  }
}
