/**
 * The path's round trip without queues: the least sample of ten seconds. Where five seconds have
 * passed without one as low, inflight is cut for a moment to look for it (draft-ietf-ccwg-bbr,
 * section 5.3.4).
 */
import type { Instant } from "../../time.ts";

/** How long the least sample counts. */
const FILTER_MS = 10_000;
/** And beside flows that never let the queue go: what they leave of it would become the path's. */
const RIVALS_FILTER_MS = 20_000;
/** After how long without as low a sample it is looked for. */
const PROBE_INTERVAL_MS = 5000;
/**
 * A sample this near to the least confirms it, as a share and in ms, or as near as the time of a
 * bunch: what is acknowledged together waits for its last packet. The draft asks for a lower one,
 * which a quiet path never gives again: inflight would be cut for nothing.
 */
const CONFIRM_SHARE = 1 / 64;
const CONFIRM_MS = 0.25;

/** The least round trip, and when to look for it. */
export class MinRtt {
  /** The least of ten seconds, ms; infinite before the first sample. */
  valueMs = Number.POSITIVE_INFINITY;
  /** Whether it was last seen too long ago; true until {@linkcode MinRtt.handleProbed}. */
  isProbeDue = false;
  #valueAt = Number.NEGATIVE_INFINITY;
  /** The least since the last probe, and when it was last confirmed. */
  #recentMs = Number.POSITIVE_INFINITY;
  #recentAt = Number.NEGATIVE_INFINITY;

  /**
   * Takes a sample; NaN for an ACK without one.
   *
   * @param bunchMs How long the path takes to deliver what is acknowledged at once.
   * @param hasRivals Whether flows that fill queues are on the link.
   */
  handleAck(now: Instant, sampleMs: number, bunchMs = 0, hasRivals = false): void {
    this.isProbeDue = this.#recentMs !== Number.POSITIVE_INFINITY &&
      now > this.#recentAt + PROBE_INTERVAL_MS;
    if (Number.isNaN(sampleMs)) return;
    const confirmMs = Math.max(this.#recentMs * CONFIRM_SHARE, CONFIRM_MS, bunchMs);
    if (sampleMs < this.#recentMs || this.isProbeDue) {
      this.#recentMs = sampleMs;
      this.#recentAt = now;
    } else if (sampleMs <= this.#recentMs + confirmMs) {
      this.#recentAt = now;
    }
    const filterMs = hasRivals ? RIVALS_FILTER_MS : FILTER_MS;
    if (this.#recentMs < this.valueMs || now > this.#valueAt + filterMs) {
      this.valueMs = this.#recentMs;
      this.#valueAt = this.#recentAt;
    } else if (this.#recentMs <= this.valueMs + confirmMs) {
      this.#valueAt = this.#recentAt;
    }
  }

  /** It was looked for: five seconds begin anew. */
  handleProbed(now: Instant): void {
    this.#recentAt = now;
    this.isProbeDue = false;
  }

  /** Whether a sample as low was seen within `withinMs`. */
  isConfirmed(now: Instant, withinMs: number): boolean {
    return now - this.#recentAt < withinMs;
  }
}
