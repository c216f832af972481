/**
 * HyStart++ (RFC 9406): leaves slow start when the round trip begins to grow, before a queue
 * overflows, by way of a slower phase that tells real queues from jitter.
 *
 * Two departures, both because an ACK every sixteenth packet spreads the samples of a round over all
 * of it: the round trip is the least of the last eight samples, not of the round, which notices a
 * queue in the round that builds it instead of the one that overflows it; and the slower phase ends
 * at once when the queue is half a round trip deep. What slow start still loses on a link is in the
 * table of `deno task bench:sim`.
 */

/** Least and most growth of the round trip that counts, ms (RFC 9406, section 4.3). */
const MIN_RTT_THRESHOLD_MS = 4;
const MAX_RTT_THRESHOLD_MS = 16;
const RTT_DIVISOR = 8;
const SAMPLES = 8;
const CONSERVATIVE_GROWTH_DIVISOR = 4;
const CONSERVATIVE_ROUNDS = 5;
/** A queue this deep is real, as a share of the path's round trip; and at least so many ms. */
const CERTAIN_QUEUE_SHARE = 0.5;
const CERTAIN_QUEUE_MS = 8;

/** The slow-start phases of a connection. */
export class HyStart {
  /** Whether slow start should end. */
  isOver = false;
  #lastSent = -1;
  #roundEnd = 0;
  #roundMinMs = Number.POSITIVE_INFINITY;
  #previousMinMs = Number.POSITIVE_INFINITY;
  #pathMinMs = Number.POSITIVE_INFINITY;
  readonly #recent = new Float64Array(SAMPLES);
  #sampleCount = 0;
  /** Round trip when the conservative phase began; NaN outside it. */
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
    this.#roundMinMs = Math.min(this.#roundMinMs, sampleMs);
    this.#pathMinMs = Math.min(this.#pathMinMs, sampleMs);
    this.#recent[this.#sampleCount++ % SAMPLES] = sampleMs;
    if (this.#sampleCount < SAMPLES || this.#previousMinMs === Number.POSITIVE_INFINITY) return;
    const recentMs = this.#recentMinMs();
    if (this.isConservative) {
      const certainMs = Math.max(this.#pathMinMs * CERTAIN_QUEUE_SHARE, CERTAIN_QUEUE_MS);
      if (recentMs >= this.#pathMinMs + certainMs) this.isOver = true;
      // The round trip went down again: it was jitter.
      else if (recentMs < this.#baselineMs) this.#baselineMs = Number.NaN;
      return;
    }
    const threshold = Math.min(
      Math.max(this.#previousMinMs / RTT_DIVISOR, MIN_RTT_THRESHOLD_MS),
      MAX_RTT_THRESHOLD_MS,
    );
    if (recentMs >= this.#previousMinMs + threshold) {
      this.#baselineMs = recentMs;
      this.#conservativeRounds = 0;
    }
  }

  #recentMinMs(): number {
    let least = this.#recent[0]!;
    for (let index = 1; index < SAMPLES; index++) least = Math.min(least, this.#recent[index]!);
    return least;
  }

  #startRound(largestAcked: number): void {
    // Packets that count for nothing may be newer than the last that does.
    this.#roundEnd = Math.max(this.#lastSent, largestAcked) + 1;
    if (this.isConservative && ++this.#conservativeRounds >= CONSERVATIVE_ROUNDS) {
      this.isOver = true;
    }
    this.#previousMinMs = this.#roundMinMs;
    this.#roundMinMs = Number.POSITIVE_INFINITY;
  }
}
