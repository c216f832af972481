/**
 * One session of a sharer and a client, as far as both sides are alike: cutting and joining control
 * messages, handing what comes to the half it is for, and one end (docs/transfer.md, "Two halves").
 * Drives nothing by itself: a {@linkcode Channel} calls it.
 *
 * ```
 *   forth   sharer ──▶ client    begins when the client is let in
 *   back    client ──▶ sharer    begins when the client offers something too; perhaps never
 * ```
 *
 * Each side gives in one half and takes in the other, so what belongs to which half is told by the
 * type of a message. What only one of the sides does is in `sharer_exchange.ts` and
 * `client_exchange.ts`.
 */
import { type ErrorCode, TransferError, WIRE_DONE, wireOfErrorCode } from "../errors.ts";
import type { Channel, ChannelHandler, OutgoingBlock } from "../protocol/channel.ts";
import type { Half, HalfExchange } from "./half.ts";
import { MAX_MANIFEST_BYTES } from "./limits.ts";
import { MessageOutbox, MessageReader } from "./message_stream.ts";
import { decodeMessage } from "./message_decoder.ts";
import { isIgnorableType } from "./message_numbers.ts";
import type { Message } from "./messages.ts";
import type { Receiver, TakerMessage } from "./receiving/receiver.ts";
import type { GiverMessage, Sender } from "./sending/sender.ts";
import { transferError } from "./transfer_error.ts";
import type { TransferSummary } from "./transfer_notice.ts";

/** How one half ended. */
export type HalfEnd = TransferSummary | TransferError;

/** How a session ended. */
export interface ExchangeEnd {
  /** How what the sharer gives did. */
  readonly forth: HalfEnd;
  /** How what the client gives did; undefined when it offered nothing. */
  readonly back: HalfEnd | undefined;
}

/** Options that both sides have. */
export interface ExchangeOptions {
  /** The connection. */
  readonly channel: Channel;
  /** Called once for each half that ends, whose files are closed by then. */
  readonly onHalfEnd?: ((half: "forth" | "back", end: HalfEnd) => void) | undefined;
}

/** One side of a session. */
export abstract class Exchange implements ChannelHandler, HalfExchange {
  /** Settles when all of it is over and files are closed; never rejects. */
  readonly finished: Promise<ExchangeEnd>;
  /** Whether it ended; nothing is sent or told any more. */
  hasEnded = false;
  readonly #channel: Channel;
  readonly #onHalfEnd: (half: "forth" | "back", end: HalfEnd) => void;
  readonly #reader = new MessageReader((typeNumber, body) => this.#handleBody(typeNumber, body));
  readonly #outbox = new MessageOutbox();
  /** Control bytes sent in all. */
  #sentBytes = 0;
  /** So many of them have to arrive before this side may close. */
  #awaitedBytes = 0;
  readonly #ends: { forth?: Promise<HalfEnd>; back?: Promise<HalfEnd> } = {};
  #settle!: (end: ExchangeEnd | Promise<ExchangeEnd>) => void;

  /** @param options What it works with. */
  constructor({ channel, onHalfEnd = () => {} }: ExchangeOptions) {
    this.#channel = channel;
    this.#onHalfEnd = onHalfEnd;
    this.finished = new Promise((resolve) => this.#settle = resolve);
  }

  /** The half in which this side gives, once there is one. */
  protected abstract readonly giver: Sender | undefined;

  /** The half in which this side takes, once there is one. */
  protected abstract readonly taker: Receiver | undefined;

  /** Takes a message. */
  protected abstract handleMessage(message: Message): void;

  /** Hands a message to the half it is for; where there is none it is out of turn [BACK-2]. */
  protected routeToHalf(message: GiverMessage | TakerMessage): void {
    switch (message.type) {
      case "list":
      case "get":
      case "check":
      case "cancel":
      case "receipt":
      case "decline":
        if (this.giver !== undefined) return this.giver.handleMessage(message);
        break;
      case "offer":
      case "entries":
      case "nodes":
      case "root":
      case "bye":
        if (this.taker !== undefined) return this.taker.handleMessage(message);
        break;
      default:
        return message satisfies never;
    }
    this.violation(`${message.type.toUpperCase()} out of turn`);
  }

  /** Waits for the end of a half; called once for each. */
  protected follow(name: "forth" | "back", { finished }: Half): void {
    const end = finished.catch((error: TransferError) => error);
    this.#ends[name] = end;
    end.then((result) => this.#onHalfEnd(name, result));
  }

  // ---- what the channel calls ----

  /** See {@linkcode ChannelHandler.handleControl}. */
  handleControl(bytes: Uint8Array): void {
    if (this.hasEnded) return;
    if (!this.#reader.push(bytes)) {
      this.fail("limit_exceeded", "The other side sent a message that is too long");
    }
  }

  /** See {@linkcode ChannelHandler.handleBlock}; who takes nothing asks for none. */
  handleBlock(request: number, offset: number, bytes: Uint8Array): number {
    if (this.hasEnded) return 0;
    return this.taker?.handleBlock(request, offset, bytes) ?? -1;
  }

  /** See {@linkcode ChannelHandler.handleBlockReleased}. */
  handleBlockReleased(block: OutgoingBlock): void {
    this.giver?.handleBlockReleased(block);
  }

  /** See {@linkcode ChannelHandler.handleWritable}. */
  handleWritable(): void {
    this.giver?.handleWritable();
    this.handleHalfEnded();
  }

  /** The connection ended; without an error when the peer said that all is done. */
  handleClosed(error?: TransferError): void {
    this.hasEnded = true;
    this.giver?.handleClosed(error);
    this.taker?.handleClosed(error);
    this.#finish();
  }

  // ---- saying ----

  /** How many messages were added and not flushed. */
  get waitingMessages(): number {
    return this.#outbox.count;
  }

  /** Control bytes that were not acknowledged, those not flushed included. */
  get unacknowledgedBytes(): number {
    return this.#channel.controlQueuedBytes + this.#outbox.length;
  }

  /** See {@linkcode HalfExchange.add}. */
  add(message: Message): void {
    if (!this.hasEnded) this.#outbox.add(message);
  }

  /** See {@linkcode HalfExchange.flush}. */
  flush(): void {
    const { length } = this.#outbox;
    if (length === 0) return;
    this.#sentBytes += length;
    this.#channel.sendControl(this.#outbox.take());
  }

  /** Sends a message, after those that were added. */
  send(message: Message): void {
    this.add(message);
    this.flush();
  }

  /** Sends a message that has to arrive before this side may close; gives what `hasArrived` takes. */
  sendLast(message: Message): number {
    this.send(message);
    return this.#awaitedBytes = this.#sentBytes;
  }

  /** Whether a message of {@linkcode Exchange.sendLast} was acknowledged. */
  hasArrived(sentBytes: number): boolean {
    return this.#sentBytes - this.#channel.controlQueuedBytes >= sentBytes;
  }

  /** See {@linkcode HalfExchange.decline} [BACK-4]. */
  decline({ code, reason }: { readonly code: ErrorCode; readonly reason: string }): void {
    this.sendLast({ type: "decline", wireCode: wireOfErrorCode(code), text: reason });
  }

  // ---- ending ----

  /** Ends all of it with an error: stops, keeps what a later run can use, tells the peer. */
  abort(
    error: TransferError,
    told: { readonly code?: ErrorCode; readonly reason?: string } = {},
  ): void {
    if (this.hasEnded) return;
    const { code = error.code, reason = code.replaceAll("_", " ") } = told;
    // Ended before it is closed: the channel may say at once that it is.
    this.hasEnded = true;
    this.giver?.half.end(error);
    this.taker?.half.end(error);
    this.#finish();
    this.#channel.close(wireOfErrorCode(code), reason);
  }

  /** Ends with an error of this code. */
  fail(code: ErrorCode, message: string): void {
    this.abort(new TransferError(code, message));
  }

  /** Ends because the peer did what it never should [XFER-2]. */
  violation(what: string): void {
    this.fail("protocol_violation", `The other side broke the protocol: ${what}`);
  }

  /** Ends because of whatever was thrown by a callback, or a bug. */
  crash(error: unknown): void {
    this.abort(transferError(error));
  }

  /** Whether one half goes on, or both do. */
  get goesOn(): boolean {
    return !(this.giver?.half.hasEnded ?? true) || !(this.taker?.half.hasEnded ?? true);
  }

  /** See {@linkcode HalfExchange.goesOnWithout}. */
  goesOnWithout(half: Half): boolean {
    const other = this.giver?.half === half ? this.taker : this.giver;
    return other !== undefined && !other.half.hasEnded;
  }

  /** Says good-bye when no half is left, and what was said last has arrived [BACK-5]. */
  handleHalfEnded(): void {
    if (this.hasEnded) return;
    if (this.goesOn || !this.hasArrived(this.#awaitedBytes)) return;
    this.hasEnded = true;
    this.#finish();
    this.#channel.close(WIRE_DONE, "");
  }

  #finish(): void {
    const { forth, back } = this.#ends;
    this.#settle(Promise.all([forth!, back]).then(([forth, back]) => ({ forth, back })));
  }

  #handleBody(typeNumber: number, body: Uint8Array): void {
    if (this.hasEnded) return;
    const pathBytesLeft = this.taker?.pathBytesLeft ?? MAX_MANIFEST_BYTES;
    const message = decodeMessage(typeNumber, body, pathBytesLeft);
    if (message === "too_long") {
      this.fail("limit_exceeded", "The other side sent more than a message may hold");
    } else if (message !== undefined) {
      this.handleMessage(message);
    } else if (!isIgnorableType(typeNumber)) {
      this.violation(`malformed or unknown message ${typeNumber}`);
    }
  }
}
