/** Round-trip time estimation (RFC 9002, section 5). */
import { GRANULARITY_MS, INITIAL_RTT_MS, MAX_ACK_DELAY_MS } from "./params.ts";

/** Smoothed round-trip time of one path, all in milliseconds. */
export class RttEstimator {
  /** Longest the peer says it holds an ACK back. */
  maxAckDelayMs: number = MAX_ACK_DELAY_MS;
  /** The last sample. */
  latestMs: number = INITIAL_RTT_MS;
  /** Exponentially smoothed. */
  smoothedMs: number = INITIAL_RTT_MS;
  /** Mean deviation. */
  variationMs: number = INITIAL_RTT_MS / 2;
  /** Least sample so far; infinite before the first. */
  minMs: number = Number.POSITIVE_INFINITY;

  /** Whether there was a sample. */
  get hasSample(): boolean {
    return this.minMs !== Number.POSITIVE_INFINITY;
  }

  /**
   * Takes a sample.
   *
   * @param sampleMs From sending a packet to its acknowledgement.
   * @param ackDelayMs How long the peer says it held the acknowledgement back.
   */
  addSample(sampleMs: number, ackDelayMs: number): void {
    this.latestMs = sampleMs;
    if (!this.hasSample) {
      this.minMs = sampleMs;
      this.smoothedMs = sampleMs;
      this.variationMs = sampleMs / 2;
      return;
    }
    if (sampleMs < this.minMs) this.minMs = sampleMs;
    // A peer cannot talk the round trip below what was really seen, nor claim endless delays.
    const delay = Math.min(ackDelayMs, this.maxAckDelayMs);
    const adjusted = sampleMs - delay >= this.minMs ? sampleMs - delay : sampleMs;
    this.variationMs = 0.75 * this.variationMs + 0.25 * Math.abs(this.smoothedMs - adjusted);
    this.smoothedMs = 0.875 * this.smoothedMs + 0.125 * adjusted;
  }

  /** Takes over another path's figures; an estimator without samples forgets all. */
  copyFrom(other: RttEstimator): void {
    this.latestMs = other.latestMs;
    this.smoothedMs = other.smoothedMs;
    this.variationMs = other.variationMs;
    this.minMs = other.minMs;
  }

  /** The probe timeout without backoff (RFC 9002, section 6.2.1), with the peer's longest ACK delay. */
  get probeTimeoutMs(): number {
    return this.smoothedMs + Math.max(4 * this.variationMs, GRANULARITY_MS) + this.maxAckDelayMs;
  }
}
