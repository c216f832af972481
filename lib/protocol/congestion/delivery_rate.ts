/**
 * How fast the path delivers: a sample for every ACK, of the bytes that arrived between two
 * acknowledgements and the time that took (draft-ietf-ccwg-bbr, section 4.1, which took in
 * draft-cheng-iccrg-delivery-rate-estimation). What was known when a packet left stands in arrays
 * beside it, in `sent_packets.ts`; one sample object is used again and again.
 */
import { PacketFlag, type SentPackets } from "../sent_packets.ts";
import type { Instant } from "../../time.ts";

/** What one ACK tells of the path. */
export interface RateSample {
  /** Bytes delivered per millisecond; 0 when the ACK allows no estimate. */
  readonly rate: number;
  /** Whether the application, not the path, may have been what limited it. */
  readonly isAppLimited: boolean;
  /** Bytes delivered in all until now. */
  readonly delivered: number;
  /** The same when the newest packet acknowledged here was sent. */
  readonly priorDelivered: number;
  /** Bytes in flight when that packet had just been sent. */
  readonly inFlightAtSend: number;
  /** Bytes acknowledged by this ACK. */
  readonly ackedBytes: number;
  /** The round-trip sample of this ACK, ms; NaN when it gave none. */
  readonly rttMs: number;
  /** How much of it the peer says it held the ACK back, ms; never more than it may. */
  readonly ackDelayMs: number;
}

/** Delivery counters of one connection; the sample is valid until the next ACK. */
export class DeliveryRate implements RateSample {
  rate = 0;
  isAppLimited = false;
  delivered = 0;
  priorDelivered = 0;
  inFlightAtSend = 0;
  ackedBytes = 0;
  rttMs = Number.NaN;
  ackDelayMs = 0;
  #deliveredAt = 0;
  #firstSentAt = 0;
  /** While not all of this is delivered, samples say what the application did; 0 when none does. */
  #appLimitedUntil = 0;
  /** The newest packet of the present ACK, or −1. */
  #newest = -1;
  #priorDeliveredAt = 0;
  #sendElapsedMs = 0;
  #isNewestAppLimited = false;

  /**
   * A packet leaves; its slot's size and time are filled in.
   *
   * @param inFlightBytes With this packet.
   */
  onSent(now: Instant, sent: SentPackets, slot: number, inFlightBytes: number): void {
    if (inFlightBytes === sent.sizes[slot]!) {
      this.#firstSentAt = now;
      this.#deliveredAt = now;
    }
    sent.firstSentAt[slot] = this.#firstSentAt;
    sent.deliveredAt[slot] = this.#deliveredAt;
    sent.delivered[slot] = this.delivered;
    sent.inFlight[slot] = inFlightBytes;
    if (this.#appLimitedUntil > 0) sent.flags[slot] = sent.flags[slot]! | PacketFlag.APP_LIMITED;
  }

  /** The application has nothing more to send for now. */
  markAppLimited(inFlightBytes: number): void {
    this.#appLimitedUntil = Math.max(this.delivered + inFlightBytes, 1);
  }

  /** An ACK comes: forgets what the last one said. */
  begin(): void {
    this.ackedBytes = 0;
    this.rttMs = Number.NaN;
    this.#newest = -1;
  }

  /** A packet in flight was acknowledged. */
  onAcked(now: Instant, sent: SentPackets, slot: number, packetNumber: number): void {
    const bytes = sent.sizes[slot]!;
    this.delivered += bytes;
    this.ackedBytes += bytes;
    this.#deliveredAt = now;
    if (packetNumber < this.#newest) return;
    this.#newest = packetNumber;
    this.priorDelivered = sent.delivered[slot]!;
    this.inFlightAtSend = sent.inFlight[slot]!;
    this.#priorDeliveredAt = sent.deliveredAt[slot]!;
    this.#sendElapsedMs = sent.sentAt[slot]! - sent.firstSentAt[slot]!;
    this.#isNewestAppLimited = (sent.flags[slot]! & PacketFlag.APP_LIMITED) !== 0;
    this.#firstSentAt = sent.sentAt[slot]!;
  }

  /** A packet declared lost has arrived after all. */
  onSpuriousLoss(bytes: number): void {
    this.delivered += bytes;
  }

  /** The ACK and the losses it showed were told. */
  finish(now: Instant, minRttMs: number): void {
    if (this.#appLimitedUntil > 0 && this.delivered > this.#appLimitedUntil) {
      this.#appLimitedUntil = 0;
    }
    this.rate = 0;
    this.isAppLimited = this.#isNewestAppLimited;
    if (this.#newest < 0) return;
    const ackElapsedMs = now - this.#priorDeliveredAt;
    // What left in a burst did not arrive in one, and the other way round: the longer time is true.
    const intervalMs = Math.max(this.#sendElapsedMs, ackElapsedMs);
    // Shorter than any round trip there was: no interval between two ACKs of this path.
    if (intervalMs < minRttMs || intervalMs <= 0) return;
    this.rate = (this.delivered - this.priorDelivered) / intervalMs;
  }
}
