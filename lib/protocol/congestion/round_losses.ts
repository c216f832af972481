/**
 * Whether the losses of a round trip are congestion. Radio, bad cables and small socket buffers lose
 * without any queue: then only a share that no such thing explains counts. With a queue to be seen
 * it is the share that BBRv3 takes for too much. Either only if chance does not explain it: of 30
 * datagrams one lost is 3 %, and a flow with little in flight would give way to every accident.
 */

/** Share of losses that is too much while a queue stands (draft-ietf-ccwg-bbr, LossThresh). */
const QUEUED_SHARE = 0.02;
/** The same while none does. */
const UNQUEUED_SHARE = 0.15;
/** By how many standard deviations of a count the share must be exceeded. */
const SIGNIFICANCE = 2;

/** Losses of the present round trip. */
export class RoundLosses {
  /** Packets declared lost. */
  packets = 0;
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

  /** Begins a round trip. */
  restart(): void {
    this.packets = 0;
    this.#lostBytes = 0;
    this.#ackedBytes = 0;
  }

  /** Whether so much is lost that it must be answered. */
  isTooHigh(datagramBytes: number, hasQueue: boolean): boolean {
    const lost = this.#lostBytes / datagramBytes;
    const sent = lost + this.#ackedBytes / datagramBytes;
    const share = hasQueue ? QUEUED_SHARE : UNQUEUED_SHARE;
    return lost > share * sent + SIGNIFICANCE * Math.sqrt(share * (1 - share) * sent);
  }
}
