/**
 * Counts round trips by what was delivered: one is over when a packet is acknowledged that left
 * after it began (draft-ietf-ccwg-bbr, section 5.5.1).
 */
import type { RateSample } from "./delivery_rate.ts";

/** The present round trip. */
export class Rounds {
  /** Round trips so far. */
  count = 0;
  /** Whether the last ACK began one. */
  isStart = false;
  #endsAtDelivered = 0;

  /** Takes an ACK. */
  handleAck({ delivered, priorDelivered }: RateSample): void {
    this.isStart = priorDelivered >= this.#endsAtDelivered;
    if (!this.isStart) return;
    this.count++;
    this.#endsAtDelivered = delivered;
  }

  /** Begins a round trip now: it is over when something sent from now on is acknowledged. */
  restart(delivered: number): void {
    this.#endsAtDelivered = delivered;
  }
}
