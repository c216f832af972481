/** [PACE-1] Spreads datagrams over time with a token bucket, so that queues see no bursts. */
import { BURST_MS, MAX_BURST_DATAGRAMS, MIN_BURST_DATAGRAMS } from "./params.ts";
import { after, type Instant } from "../time.ts";

/** A token bucket in bytes. It may go below zero by one datagram. */
export class Pacer {
  #tokens: number;
  #updatedAt: Instant;
  #rate = 0;
  #burstBytes: number;

  /** Starts full. */
  constructor(now: Instant, datagramBytes: number) {
    this.#burstBytes = MIN_BURST_DATAGRAMS * datagramBytes;
    this.#tokens = this.#burstBytes;
    this.#updatedAt = now;
  }

  /** Sets the rate, in bytes per millisecond, from now on. */
  setRate(now: Instant, rate: number, datagramBytes: number): void {
    this.#refill(now);
    this.#rate = rate;
    this.#burstBytes = Math.min(
      Math.max(rate * BURST_MS, MIN_BURST_DATAGRAMS * datagramBytes),
      MAX_BURST_DATAGRAMS * datagramBytes,
    );
  }

  /** Whether a datagram may leave now. */
  isOpen(now: Instant): boolean {
    this.#refill(now);
    return this.#tokens > 0;
  }

  /** When the next datagram may leave. A few at once are worth waiting for: a timer costs more. */
  nextAt(now: Instant): Instant {
    const wanted = this.#burstBytes / 4 - this.#tokens;
    return after(now, Math.max(wanted / this.#rate, 0.1));
  }

  /** A datagram left. */
  onSent(bytes: number): void {
    this.#tokens -= bytes;
  }

  #refill(now: Instant): void {
    const elapsed = now - this.#updatedAt;
    if (elapsed <= 0) return;
    this.#updatedAt = now;
    this.#tokens = Math.min(this.#tokens + elapsed * this.#rate, this.#burstBytes);
  }
}
