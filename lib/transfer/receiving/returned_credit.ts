/**
 * Credit on its way back to the sharer: bytes that were written or dropped. Never given back inside
 * the call that took bytes, whose caller counts them afterwards [XFER-9].
 */
import type { Channel } from "../../protocol/channel.ts";
import type { Half } from "../half.ts";

/** Collects what was consumed within one turn. */
export class ReturnedCredit {
  readonly #channel: Channel;
  readonly #half: Half;
  #bytes = 0;
  #isReturning = false;

  /**
   * @param channel Where it is given back.
   * @param half After its end nothing is.
   */
  constructor(channel: Channel, half: Half) {
    this.#channel = channel;
    this.#half = half;
  }

  /** Gives credit for bytes back, soon. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#isReturning || this.#bytes === 0) return;
    this.#isReturning = true;
    queueMicrotask(() => {
      this.#isReturning = false;
      const consumedBytes = this.#bytes;
      this.#bytes = 0;
      if (!this.#half.hasEnded) this.#channel.consumeBlockBytes(consumedBytes);
    });
  }
}
