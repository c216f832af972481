/**
 * One request to a router over UDP, sent again until it is answered. Whether something is the answer
 * is for its owner to say.
 */
import { after } from "../time.ts";
import type { Clock } from "../transport/clock.ts";

/**
 * When a request is sent, in ms after the first, and when its router counts as silent. RFC 6886,
 * section 3.1: 250 ms, doubled each time. PCP would begin at 3 s (RFC 6887, section 8.1.1), but a
 * router is a millisecond away, and a person waits. Nine sends in 64 s, as RFC 6886 has it, would
 * only be later in saying the same.
 */
const SEND_AT_MS = [0, 250, 750, 1750, 3750] as const;
const SILENT_AFTER_MS = 7750;

/** How long a request may go unanswered, ms. */
export const EXCHANGE_LIMIT_MS = SILENT_AFTER_MS;

/** Sends one request at a time. */
export class RouterExchange {
  readonly #clock: Clock;
  readonly #send: (datagram: Uint8Array) => void;
  #cancel: (() => void) | undefined;

  /** @param send Sends a datagram to the router; it may get lost. */
  constructor(clock: Clock, send: (datagram: Uint8Array) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** True from a request to its answer or silence. */
  get isWaiting(): boolean {
    return this.#cancel !== undefined;
  }

  /** Sends `datagram` until {@linkcode RouterExchange.stop}, or calls `onSilence` in the end. */
  begin(datagram: Uint8Array, onSilence: () => void): void {
    this.stop();
    const start = this.#clock.now();
    const step = (index: number): void => {
      if (index === SEND_AT_MS.length) {
        this.#cancel = undefined;
        onSilence();
        return;
      }
      const nextMs = SEND_AT_MS[index + 1] ?? SILENT_AFTER_MS;
      this.#cancel = this.#clock.setTimer(after(start, nextMs), () => step(index + 1));
      this.#send(datagram);
    };
    step(0);
  }

  /** Ends the request: it was answered, or the answer no longer matters. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
