/**
 * What to do against flows that fill every queue, as CUBIC and Reno do: a flow that is content with
 * a small part of the queue would be left with nothing. A queue that stays in spite of our giving way
 * tells of them; then the window is CUBIC's own, until the queue is gone, or was to be emptied for
 * the least round trip, after which it must show itself again.
 */
import type { RttEstimator } from "../rtt.ts";
import type { Instant } from "../../time.ts";
import { Cubic } from "./cubic.ts";

/** A queue of this share of the round trip is not that of flows like ours. */
const FOREIGN_SHARE = 0.15;
/** Nor is one of so many datagrams; on slow links ours alone are a larger share. */
const FOREIGN_DATAGRAMS = 12;
/** Below this share of the round trip a queue is gone. */
const GONE_SHARE = 0.1;
/** Round trips with a foreign queue until it is believed: a newcomer's start takes some twenty. */
const ROUNDS_TO_BEGIN = 20;
/** The same when it was believed before the queue was last emptied. */
const ROUNDS_TO_GO_ON = 6;
/** Round trips in a row with the queue gone until the rivals are. */
const ROUNDS_TO_END = 8;
/** How long the window of the last time is worth coming back to. */
const MEMORY_MS = 10_000;
/** The first time, how much of what is acknowledged the window grows by until something is lost. */
const RAMP = 0.25;

/** Competition with flows that fill queues. */
export class Rivalry {
  /** Whether there is any now. */
  isOn = false;
  readonly #cubic: Cubic;
  #isRamping = false;
  #foreignRounds = 0;
  #goneRounds = 0;
  #endedAt = Number.NEGATIVE_INFINITY;
  /** The largest window of late with no queue to speak of: what the link holds. */
  #peakBytes = 0;

  constructor(datagramBytes: number) {
    this.#cubic = new Cubic(datagramBytes);
  }

  /** CUBIC's window. */
  get windowBytes(): number {
    return this.#cubic.windowBytes;
  }

  /** The link is known: it holds `windowBytes`. */
  handleStarted(windowBytes: number): void {
    this.#peakBytes = windowBytes;
  }

  /**
   * A round trip is over.
   *
   * @param windowBytes The window that is content with its share.
   */
  handleRound(
    now: Instant,
    windowBytes: number,
    minRttMs: number,
    queueMs: number,
    datagramBytes: number,
  ): void {
    const isGone = queueMs < GONE_SHARE * minRttMs;
    if (isGone && !this.isOn) this.#peakBytes = Math.max(windowBytes, this.#peakBytes * 0.999);
    const foreignMs = Math.max(
      FOREIGN_SHARE * minRttMs,
      FOREIGN_DATAGRAMS * datagramBytes * minRttMs / this.#peakBytes,
    );
    if (queueMs > foreignMs) {
      this.#goneRounds = 0;
      if (++this.#foreignRounds >= ROUNDS_TO_BEGIN && !this.isOn) this.#begin(now, windowBytes);
    } else if (isGone) {
      if (!this.isOn || ++this.#goneRounds > ROUNDS_TO_END) this.#end(now);
    } else {
      this.#goneRounds = 0;
    }
  }

  /** The queue was to be emptied: without rivals it now stays small. */
  handleEmptied(now: Instant): void {
    const wasOn = this.isOn;
    this.#end(now);
    if (wasOn) this.#foreignRounds = ROUNDS_TO_BEGIN - ROUNDS_TO_GO_ON;
  }

  /** All is forgotten. */
  reset(): void {
    this.isOn = false;
    this.#foreignRounds = 0;
    this.#endedAt = Number.NEGATIVE_INFINITY;
  }

  /** An ACK was taken; see the controller's calls of the same names. */
  onAckDone(
    now: Instant,
    rtt: RttEstimator,
    largestAcked: number,
    inFlightBytes: number,
    isWindowLimited: boolean,
    ackedBytes: number,
  ): void {
    if (this.#isRamping) {
      this.#cubic.resumeAt(this.#cubic.windowBytes + RAMP * ackedBytes);
    } else {
      this.#cubic.onAckDone(now, rtt, largestAcked, inFlightBytes, isWindowLimited);
    }
  }

  onAcked(packetNumber: number, bytes: number, sentAt: Instant): void {
    this.#cubic.onAcked(packetNumber, bytes, sentAt);
  }

  onLost(now: Instant, bytes: number, packets: number, largestSentAt: Instant): void {
    this.#isRamping = false;
    this.#cubic.onLost(now, bytes, packets, largestSentAt);
  }

  onSpuriousLoss(packetNumber: number, sentAt: Instant): void {
    this.#cubic.onSpuriousLoss(packetNumber, sentAt);
  }

  onDatagramSize(bytes: number): void {
    this.#cubic.onDatagramSize(bytes);
  }

  #begin(now: Instant, windowBytes: number): void {
    this.isOn = true;
    const isKnown = now - this.#endedAt < MEMORY_MS;
    this.#isRamping = !isKnown;
    this.#cubic.resumeAt(isKnown ? Math.max(windowBytes, this.#cubic.windowBytes) : windowBytes);
  }

  #end(now: Instant): void {
    this.#foreignRounds = 0;
    this.#goneRounds = 0;
    if (!this.isOn) return;
    this.isOn = false;
    this.#endedAt = now;
  }
}
