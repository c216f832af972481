/**
 * What arrives on a connection: control bytes put back into order, blocks handed on as they come,
 * and the credit that bounds both (docs/protocol.md, "Control stream", "Blocks", "Credit"). The
 * counterpart of `outbox.ts`.
 */
import type { ChannelHandler } from "./channel.ts";
import { BlockCredit, ControlCredit } from "./flow_control.ts";
import { writeCredit } from "./frame.ts";
import { ReceiveStream } from "./receive_stream.ts";
import type { Instant } from "../time.ts";

/** Incoming control bytes and blocks of one connection. */
export class Inbox {
  /** Whether the peer should be told new limits. */
  isCreditDue = false;
  readonly #control = new ReceiveStream();
  readonly #controlCredit = new ControlCredit();
  readonly #blockCredit: BlockCredit;
  #handler: ChannelHandler | undefined;

  /** @param options As those of {@linkcode BlockCredit}. */
  constructor(
    now: Instant,
    options: { readonly windowBytes: number; readonly maxWindowBytes?: number },
  ) {
    this.#blockCredit = new BlockCredit(now, options);
  }

  /** Sets who takes control bytes and blocks, and hands on what waited. */
  open(handler: ChannelHandler): void {
    this.#handler = handler;
    this.#deliver();
  }

  /** Nobody takes anything any more. */
  close(): void {
    this.#handler = undefined;
  }

  /**
   * Takes a piece of the control stream; bytes are handed on in order and once [CTL-1].
   *
   * @returns What the peer did wrong, if anything.
   */
  receiveControl(offset: number, bytes: Uint8Array): string | undefined {
    if (offset + bytes.length > this.#controlCredit.limit) return "control bytes beyond the credit";
    if (this.#handler && this.#control.isNext(offset)) {
      this.#control.skip(bytes.length);
      this.#handler.handleControl(bytes);
    } else if (!this.#control.receive(offset, bytes)) {
      return "too many gaps in the control stream";
    }
    this.#deliver();
    return undefined;
  }

  /**
   * Takes a piece of a file [BLK-1].
   *
   * @returns What the peer did wrong, if anything.
   */
  receiveBlock(request: number, offset: number, bytes: Uint8Array): string | undefined {
    if (!this.#handler) return "a block before anything was asked for";
    const fresh = this.#handler.handleBlock(request, offset, bytes);
    if (fresh < 0) return "a block nobody asked for";
    return this.#blockCredit.onReceived(fresh) ? undefined : "blocks beyond the credit";
  }

  /** Notes block bytes that need no room any more; whether the peer should be told. */
  handleConsumed(now: Instant, bytes: number, rttMs: number): boolean {
    const isWorthTelling = this.#blockCredit.onConsumed(now, bytes, rttMs);
    if (isWorthTelling) this.isCreditDue = true;
    return isWorthTelling;
  }

  /** Writes a CREDIT frame with the newest limits; returns the index just past it. */
  writeCredit(out: Uint8Array, offset: number): number {
    this.isCreditDue = false;
    return writeCredit(
      { blockLimit: this.#blockCredit.limit, controlLimit: this.#controlCredit.limit },
      out,
      offset,
    );
  }

  #deliver(): void {
    // A handler may end the connection in any of these calls.
    while (this.#handler) {
      const bytes = this.#control.take();
      if (!bytes) {
        if (this.#controlCredit.onDelivered(this.#control.deliveredOffset)) this.isCreditDue = true;
        return;
      }
      this.#handler.handleControl(bytes);
    }
  }
}
