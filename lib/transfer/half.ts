/**
 * One transfer of a session, as far as who gives and who takes are alike: what it says, and ending
 * once, for one reason, alone or with all of the session (docs/transfer.md, "Two halves"). Not here:
 * what the messages mean, and the stream they go over, which is the exchange's.
 */
import { type ErrorCode, TransferError } from "../errors.ts";
import type { Message } from "./messages.ts";
import type { TransferNotice, TransferSummary } from "./transfer_notice.ts";
import { transferError } from "./transfer_error.ts";

/** What a half needs of the session it is part of. */
export interface HalfExchange {
  /** How many messages were added and not flushed. */
  readonly waitingMessages: number;
  /** Control bytes that were not acknowledged, those not flushed included. */
  readonly unacknowledgedBytes: number;
  /** Adds a message to those that go out with the next flush. */
  add(message: Message): void;
  /** Sends the messages that were added. */
  flush(): void;
  /** Ends all of the session, and tells the peer the code and a reason. */
  abort(error: TransferError, told?: { readonly code?: ErrorCode; readonly reason?: string }): void;
  /** Whether there is something to go on with when this half ends. */
  goesOnWithout(half: Half): boolean;
  /** Tells the peer that this side takes nothing more of what it offers. */
  decline(told: { readonly code: ErrorCode; readonly reason: string }): void;
  /** A half has ended. */
  handleHalfEnded(): void;
}

/** Options of a {@linkcode Half}. */
export interface HalfOptions {
  /** The session. */
  readonly exchange: HalfExchange;
  /** Whether this side takes: only that can end one half alone. */
  readonly isTaking: boolean;
  /** Told what happens. */
  readonly onEvent: (notice: TransferNotice) => void;
  /** Stops the work, told why; awaited before `finished` rejects. */
  readonly onStop: (error: TransferError) => Promise<void>;
}

/** What is the matter with who takes, or its wish; the other half may well go on [BACK-4]. */
const OWN_TROUBLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "refused",
  "disk_full",
  "write_failed",
  "permission_missing",
]);

/** One transfer of a session, on one side. */
export class Half {
  /** Resolves when the transfer ended well; rejects with a {@linkcode TransferError}. */
  readonly finished: Promise<TransferSummary>;
  /** Whether it ended; nothing is sent or told any more. */
  hasEnded = false;
  readonly #options: HalfOptions;
  #resolve!: (summary: TransferSummary) => void;
  #reject!: (error: TransferError) => void;

  /** @param options What it works with. */
  constructor(options: HalfOptions) {
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
    return this.#options.exchange.waitingMessages;
  }

  /** Control bytes that were not acknowledged, those not flushed included. */
  get unacknowledgedBytes(): number {
    return this.#options.exchange.unacknowledgedBytes;
  }

  /** Adds a message to those that go out with the next {@linkcode Half.flush}. */
  add(message: Message): void {
    if (!this.hasEnded) this.#options.exchange.add(message);
  }

  /** Sends the messages that were added. */
  flush(): void {
    this.#options.exchange.flush();
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
    this.#options.exchange.handleHalfEnded();
  }

  /** Ends with an error that the peer knows of or cannot be told. */
  end(error: TransferError): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    void this.#options.onStop(error).finally(() => this.#reject(error));
    this.#options.exchange.handleHalfEnded();
  }

  /** Ends with an error, and tells the peer: all of the session, unless the other half can go on. */
  abort(error: TransferError): void {
    this.#abort(error, error.code);
  }

  /** Ends with an error of this code. */
  fail(code: ErrorCode, message: string): void {
    this.abort(new TransferError(code, message));
  }

  /** Turns the offer down: the peer hears that it was refused, the owner why. */
  refuse(error: TransferError): void {
    this.#abort(error, "refused");
  }

  /** Ends the session because the peer did what it never should [XFER-2]. */
  violation(what: string): void {
    this.fail("protocol_violation", `The other side broke the protocol: ${what}`);
  }

  /** Ends because of whatever was thrown by a storage, a callback, or a bug. */
  crash(error: unknown): void {
    this.abort(transferError(error));
  }

  #abort(error: TransferError, code: ErrorCode): void {
    if (this.hasEnded) return;
    const { exchange, isTaking } = this.#options;
    // Nothing about this machine but the code.
    const reason = code.replaceAll("_", " ");
    const isAlone = isTaking && OWN_TROUBLE.has(code) && exchange.goesOnWithout(this);
    if (!isAlone) return exchange.abort(error, { code, reason });
    exchange.decline({ code, reason });
    this.end(error);
  }
}
