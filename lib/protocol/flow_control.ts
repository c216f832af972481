/** Credit: how much a peer may send before the receiver has made room (docs/protocol.md, "Credit"). */
import {
  CONTROL_WINDOW_BYTES,
  INITIAL_BLOCK_WINDOW_BYTES,
  MAX_BLOCK_WINDOW_BYTES,
} from "./params.ts";
import type { Instant } from "../time.ts";

/** The receiving side's credit for blocks. Counts every byte of a block once. */
export class BlockCredit {
  /** Limit told to the peer, in bytes since the start. */
  limit: number;
  #received = 0;
  #consumed = 0;
  #window: number;
  readonly #maxWindow: number;
  #roundStart: Instant;
  #roundConsumed = 0;

  /**
   * @param options `windowBytes`: what was granted in the handshake; `maxWindowBytes`: the most that
   *   is ever granted ahead.
   */
  constructor(
    now: Instant,
    options: { readonly windowBytes?: number; readonly maxWindowBytes?: number } = {},
  ) {
    const { windowBytes = INITIAL_BLOCK_WINDOW_BYTES } = options;
    this.#maxWindow = Math.max(windowBytes, options.maxWindowBytes ?? MAX_BLOCK_WINDOW_BYTES);
    this.#window = windowBytes;
    this.limit = this.#window;
    this.#roundStart = now;
  }

  /** Notes new bytes; false when the peer had no credit for them [CRED-1]. */
  onReceived(bytes: number): boolean {
    this.#received += bytes;
    return this.#received <= this.limit;
  }

  /**
   * Notes bytes that need no room any more.
   *
   * @returns Whether the peer should be told a new limit now.
   */
  onConsumed(now: Instant, bytes: number, rttMs: number): boolean {
    this.#consumed += bytes;
    // A window emptied within two round trips is what holds the sender back: double it.
    const elapsed = now - this.#roundStart;
    if (elapsed > 2 * rttMs) {
      this.#roundStart = now;
      this.#roundConsumed = this.#consumed;
    } else if (this.#consumed - this.#roundConsumed > this.#window / 2) {
      this.#window = Math.min(this.#window * 2, this.#maxWindow);
      this.#roundStart = now;
      this.#roundConsumed = this.#consumed;
    }
    const limit = this.#consumed + this.#window;
    if (limit - this.limit < this.#window / 4) return false;
    this.limit = limit;
    return true;
  }
}

/** The receiving side's credit for the control stream: a fixed window. */
export class ControlCredit {
  /** Limit told to the peer, in bytes since the start. */
  limit: number = CONTROL_WINDOW_BYTES;

  /**
   * Notes that the stream was delivered up to `offset`.
   *
   * @returns Whether the peer should be told a new limit now.
   */
  onDelivered(offset: number): boolean {
    const limit = offset + CONTROL_WINDOW_BYTES;
    if (limit - this.limit < CONTROL_WINDOW_BYTES / 4) return false;
    this.limit = limit;
    return true;
  }
}
