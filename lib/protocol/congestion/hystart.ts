/**
 * HyStart++ (RFC 9406): leaves slow start when the round trip begins to grow, before a queue
 * overflows, by way of a slower phase that tells real queues from jitter.
 */

/** Least and most growth of the round trip that counts, ms (RFC 9406, section 4.3). */
const MIN_RTT_THRESHOLD_MS = 4;
const MAX_RTT_THRESHOLD_MS = 16;
const RTT_DIVISOR = 8;
const MIN_SAMPLES = 8;
const CONSERVATIVE_GROWTH_DIVISOR = 4;
const CONSERVATIVE_ROUNDS = 5;

/** The slow-start phases of a connection. */
export class HyStart {
  /** Whether slow start should end. */
  isOver = false;
  #lastSent = -1;
  #roundEnd = 0;
  #roundMinMs = Number.POSITIVE_INFINITY;
  #previousMinMs = Number.POSITIVE_INFINITY;
  #samples = 0;
  /** Least round trip when the conservative phase began; NaN outside it. */
  #baselineMs = Number.NaN;
  #conservativeRounds = 0;

  /** Whether growth is slowed while it is decided if the queue is real. */
  get isConservative(): boolean {
    return !Number.isNaN(this.#baselineMs);
  }

  /** By how much to divide slow start's growth. */
  get growthDivisor(): number {
    return this.isConservative ? CONSERVATIVE_GROWTH_DIVISOR : 1;
  }

  /** A packet was sent. */
  onSent(packetNumber: number): void {
    this.#lastSent = packetNumber;
  }

  /** An ACK frame arrived with a round-trip sample. */
  onAck(largestAcked: number, sampleMs: number): void {
    if (largestAcked >= this.#roundEnd) this.#startRound(largestAcked);
    if (sampleMs < this.#roundMinMs) this.#roundMinMs = sampleMs;
    this.#samples++;
    if (this.#samples < MIN_SAMPLES || this.#previousMinMs === Number.POSITIVE_INFINITY) return;
    if (this.isConservative) {
      // The round trip went down again: it was jitter.
      if (this.#roundMinMs < this.#baselineMs) this.#baselineMs = Number.NaN;
      return;
    }
    const threshold = Math.min(
      Math.max(this.#previousMinMs / RTT_DIVISOR, MIN_RTT_THRESHOLD_MS),
      MAX_RTT_THRESHOLD_MS,
    );
    if (this.#roundMinMs >= this.#previousMinMs + threshold) {
      this.#baselineMs = this.#roundMinMs;
      this.#conservativeRounds = 0;
    }
  }

  #startRound(largestAcked: number): void {
    // Packets that count for nothing may be newer than the last that does.
    this.#roundEnd = Math.max(this.#lastSent, largestAcked) + 1;
    if (this.isConservative && ++this.#conservativeRounds >= CONSERVATIVE_ROUNDS) {
      this.isOver = true;
    }
    this.#previousMinMs = this.#roundMinMs;
    this.#roundMinMs = Number.POSITIVE_INFINITY;
    this.#samples = 0;
  }
}
