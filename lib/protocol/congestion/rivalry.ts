/**
 * What to do against flows that fill every queue, as CUBIC and Reno do: a flow that is content with
 * a small part of the queue would be left with nothing. A queue that stays in spite of our giving way
 * tells of them; then the window is CUBIC's own, until the queue is gone: by itself for a while, or
 * when the controller takes most of what is in flight away.
 */
import type { RttEstimator } from "../rtt.ts";
import type { Instant } from "../../time.ts";
import { Cubic } from "./cubic.ts";
import { Jitter } from "./jitter.ts";

/** A queue of this share of the round trip is not that of flows like ours. */
const FOREIGN_SHARE = 0.14;
/**
 * And one so many times as long as the root of a datagram's share of what the link holds: that of six
 * flows with the allowance of `queue_share.ts`.
 */
const FOREIGN_ROOTS = 3;
/** And so many ms: for less it is not worth it, and machines are busy for as long. */
const FOREIGN_MS = 2.5;
/** On top of it, so many times the jitter. */
const JITTERS = 2;
/** A path that holds no more than so many has a queue by the least that may be in flight. */
const MIN_PATH_DATAGRAMS = 6;
/** Part of such a queue that is doubtful already. */
const DOUBTFUL_PART = 0.9;
/** Round trips with a doubtful queue until it is put to the test, and between two tests. */
const ROUNDS_TO_DOUBT = 6;
const ROUNDS_BETWEEN_DOUBTS = 8;
/**
 * A queue that goes when most of what is in flight is taken away was our own, or that of a busy
 * receiver. So many times this part of a foreign one must have been left.
 */
const TESTS_TO_BEGIN = 2;
const LEFT_PART = 0.5;
/** Below this share of the round trip a queue is gone. */
const GONE_SHARE = 0.1;
/** Round trips with a foreign queue until it is believed: a newcomer's start takes some twenty. */
const ROUNDS_TO_BEGIN = 20;
/** The same when there were rivals a short while ago. */
const ROUNDS_TO_GO_ON = 6;
/** Round trips in a row with the queue gone until the rivals are. */
const ROUNDS_TO_END = 8;
/** How long that is, in which the window of the last time is worth coming back to, too. */
const MEMORY_MS = 10_000;
/** The first time, the part of what the link holds that is ours at least: there is one rival or more. */
const FIRST_SHARE = 0.5;
/** And how much of what is acknowledged the window grows by until something is lost. */
const RAMP = 0.25;

/** Competition with flows that fill queues. */
export class Rivalry {
  /** Whether there is any now. */
  isOn = false;
  /**
   * Whether the queue of the last round trip should be put to the test: a newcomer of our kind that
   * takes the queue for a part of the path builds one as well, until it has seen the path without.
   */
  isInDoubt = false;
  readonly #cubic: Cubic;
  readonly #jitter: Jitter;
  #isRamping = false;
  #foreignRounds = 0;
  /** How often the queue stayed though most of what was in flight was taken away. */
  #testsStood = 0;
  #foreignMs = 0;
  #doubtfulRounds = 0;
  #goneRounds = 0;
  #endedAt = Number.NEGATIVE_INFINITY;
  /** The largest window of late with no queue to speak of: what the link holds. */
  #peakBytes = 0;

  /** @param jitter Of the path: a queue is foreign when it is longer by a few of it. */
  constructor(datagramBytes: number, jitter: Jitter = new Jitter()) {
    this.#jitter = jitter;
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
    const roots = FOREIGN_ROOTS * Math.sqrt(datagramBytes / this.#peakBytes);
    const foreignMs = Math.max(Math.max(FOREIGN_SHARE, roots) * minRttMs, FOREIGN_MS) +
      JITTERS * this.#jitter.valueMs;
    this.#foreignMs = foreignMs;
    this.isInDoubt = false;
    if (isGone) {
      this.#doubtfulRounds = 0;
    } else if (queueMs > DOUBTFUL_PART * foreignMs) {
      const rounds = ++this.#doubtfulRounds % ROUNDS_BETWEEN_DOUBTS;
      this.isInDoubt = rounds === ROUNDS_TO_DOUBT && !this.isOn;
    }
    if (queueMs > foreignMs) {
      this.#goneRounds = 0;
      const isKnown = now - this.#endedAt < MEMORY_MS;
      const isOld = ++this.#foreignRounds >= (isKnown ? ROUNDS_TO_GO_ON : ROUNDS_TO_BEGIN);
      const hasStood = isKnown || this.#testsStood >= TESTS_TO_BEGIN;
      const isSmall = this.#peakBytes <= MIN_PATH_DATAGRAMS * datagramBytes;
      const isCertain = isOld && hasStood && !isSmall;
      if (isCertain && !this.isOn) this.#begin(now, windowBytes);
    } else if (isGone) {
      if (!this.isOn || ++this.#goneRounds > ROUNDS_TO_END) this.#end(now);
    } else {
      this.#goneRounds = 0;
    }
  }

  /**
   * Much less was in flight than the path holds, for some round trips.
   *
   * @param leastMs Delay of the shortest queue meanwhile.
   */
  handleTested(leastMs: number): void {
    if (this.isOn) return;
    if (leastMs > LEFT_PART * this.#foreignMs) {
      this.#testsStood++;
    } else {
      this.#testsStood = 0;
      this.#foreignRounds = 0;
    }
  }

  /** The queue was to be emptied: if it is gone there are no rivals, unless it comes again. */
  handleEmptied(now: Instant, queueMs: number, minRttMs: number): void {
    if (queueMs >= GONE_SHARE * minRttMs) return;
    this.#end(now);
  }

  /** All is forgotten. */
  reset(): void {
    this.isOn = false;
    this.#foreignRounds = 0;
    this.#testsStood = 0;
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

  /** Packets were lost. Returns whether the window gave way. */
  onLost(now: Instant, bytes: number, packets: number, largestSentAt: Instant): boolean {
    this.#isRamping = false;
    const windowBytes = this.#cubic.windowBytes;
    this.#cubic.onLost(now, bytes, packets, largestSentAt);
    return this.#cubic.windowBytes < windowBytes;
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
    const least = isKnown ? this.#cubic.windowBytes : FIRST_SHARE * this.#peakBytes;
    this.#cubic.resumeAt(Math.max(windowBytes, least));
  }

  #end(now: Instant): void {
    this.#foreignRounds = 0;
    this.#testsStood = 0;
    this.#goneRounds = 0;
    if (!this.isOn) return;
    this.isOn = false;
    this.#endedAt = now;
  }
}
