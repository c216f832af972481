/**
 * Whether the losses of a round trip are congestion. Radio, bad cables and small socket buffers lose
 * without any queue: then only a share that no such thing explains counts. With a queue to be seen
 * it is the share that BBRv3 takes for too much. Either only if chance does not explain it: of 30
 * datagrams one lost is 3 %, and a flow with little in flight would give way to every accident. What
 * round trips without a queue lose is remembered: the path loses as much whatever the queue does.
 */

/** Share of losses that is too much while a queue stands (draft-ietf-ccwg-bbr, LossThresh). */
const QUEUED_SHARE = 0.02;
/** The same while none does. */
const UNQUEUED_SHARE = 0.15;
/** By how many standard deviations of a count the share must be exceeded. */
const SIGNIFICANCE = 2;

/** How far the usual share of losses goes towards that of a round trip without a queue. */
const USUAL_STEP = 1 / 16;

/** Losses of the present round trip. */
export class RoundLosses {
  /** Packets declared lost. */
  packets = 0;
  /** Share of bytes that is lost without a queue. */
  #usualShare = 0;
  #lostBytes = 0;
  #ackedBytes = 0;

  /** Packets were declared lost. */
  handleLost(bytes: number, packets: number): void {
    this.#lostBytes += bytes;
    this.packets += packets;
  }

  /** Bytes were acknowledged. */
  handleAcked(bytes: number): void {
    this.#ackedBytes += bytes;
  }

  /**
   * Begins a round trip.
   *
   * @param wasQuiet Whether the one that ends had no queue: what it lost, the path loses anyway.
   */
  restart(wasQuiet = false): void {
    const bytes = this.#lostBytes + this.#ackedBytes;
    if (wasQuiet && bytes > 0) {
      this.#usualShare += USUAL_STEP * (this.#lostBytes / bytes - this.#usualShare);
    }
    this.packets = 0;
    this.#lostBytes = 0;
    this.#ackedBytes = 0;
  }

  /** Whether so much is lost that it must be answered. */
  isTooHigh(datagramBytes: number, hasQueue: boolean): boolean {
    const share = hasQueue ? Math.max(QUEUED_SHARE, this.#usualShare) : UNQUEUED_SHARE;
    return this.#exceeds(share, datagramBytes);
  }

  /** Whether more is lost than without a queue. */
  isUnusual(datagramBytes: number): boolean {
    return this.packets > 0 && this.#exceeds(this.#usualShare, datagramBytes);
  }

  #exceeds(share: number, datagramBytes: number): boolean {
    const lost = this.#lostBytes / datagramBytes;
    const sent = lost + this.#ackedBytes / datagramBytes;
    return lost > share * sent + SIGNIFICANCE * Math.sqrt(share * (1 - share) * sent);
  }
}
