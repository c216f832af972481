/**
 * Tells when more in flight brings no more bandwidth: the rate has not grown by a quarter in three
 * round trips (draft-ietf-ccwg-bbr, section 5.3.1.2). It ends Startup, and a probe for bandwidth.
 */
import type { RateSample } from "./delivery_rate.ts";

const GROWTH = 1.25;
const ROUNDS = 3;

/** A search for the rate at which the path is full. */
export class FullPipe {
  /** Whether it was found. */
  isFull = false;
  #rate = 0;
  #rounds = 0;

  /** Begins a search at a rate that is known, bytes per millisecond. */
  restart(rate: number): void {
    this.isFull = false;
    this.#rate = rate;
    this.#rounds = 0;
  }

  /** Takes an ACK. */
  handleAck(sample: RateSample, isRoundStart: boolean): void {
    if (this.isFull || sample.isAppLimited) return;
    if (sample.rate >= this.#rate * GROWTH) return this.restart(sample.rate);
    if (isRoundStart && ++this.#rounds >= ROUNDS) this.isFull = true;
  }
}
