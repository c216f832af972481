/**
 * Congestion control for transfers that give way to all others, on the plan of LEDBAT++
 * (draft-irtf-iccrg-ledbat-plus-plus; RFC 6817): the delay of the queue is held against a target,
 * the base delay is looked for in slow-downs, and too long a queue divides the window.
 *
 * ```
 *        the queue shows itself          two round trips later, then
 * start ────────────────────────▶ steady ──────────────────────────▶ slowdown
 *                                   ▲  19 times as long as the last lasted │
 *                                   └──────────── two round trips ─────────┘
 * ```
 * Where it departs from LEDBAT++, and why:
 * - The target is not 60 ms: a queue of 60 ms takes nearly everything from BBR, which is content with
 *   a few. It is the queue that one BBR flow of ours would keep, and a bit less ({@linkcode
 *   Background.foreignMs}); so it grows with the path's round trip and falls with its rate.
 * - Below the target the window goes by `share · base / (base + queue) + allowance`, as that of
 *   `queue_share.ts` does, with a third of its allowance. All background flows of a link see one
 *   queue and come to equal shares of it; LEDBAT++ adds a constant, which takes minutes on fast links.
 * - Above the target for four rounds in spite of that, the queue is somebody else's: half the window
 *   in each round. Far above it, half at once: then others are starting, and must not see losses.
 * - Slow-downs halve the window instead of ending all sending: so short a queue is empty then, too.
 *   Afterwards the flow takes back a bit less than it had, which hastens equal shares.
 * - Jitter is learned and taken off, else so small a target would be missed on every radio link.
 * - Losses without a queue are radio or small socket buffers, as BBR judges them (`round_losses.ts`).
 *   Who shares a queue too short to be seen is protected by its upper limit alone.
 */
import { MIN_WINDOW_DATAGRAMS } from "../params.ts";
import type { RttEstimator } from "../rtt.ts";
import type { Instant } from "../../time.ts";
import type { CongestionController } from "./controller.ts";
import type { RateSample } from "./delivery_rate.ts";
import { QueueWatch } from "./queue_watch.ts";
import { RoundLosses } from "./round_losses.ts";
import { Rounds } from "./rounds.ts";
import { TenMinuteMin } from "./ten_minute_min.ts";
import { WindowedMax } from "./windowed_max.ts";

/** RFC 6928; less than others begin with. */
const FIRST_WINDOW_DATAGRAMS = 10;
const START_PACING_GAIN = 1.6;
/** Above 1, so that the window decides, and the pacer only spreads it. */
const PACING_GAIN = 1.02;
/** Queues in units of √(base delay · datagram / rate): the own one, and one that is not. */
const ALLOWANCE = 0.4;
const FOREIGN_QUEUE = 0.85;
/** What round trips of good networks vary by, ms. */
const MIN_FOREIGN_MS = 0.5;
/** So many times as long a queue is one that somebody builds just now. */
const SURGE = 2.5;
const SURGE_BETA = 0.5;
/** ... above what the jitter of the path explains. */
const SURGE_JITTERS = 4;
const SURGE_SAMPLES = 4;
/** How fast the jitter is learned, in targets for each round trip. */
const JITTER_STEP = 0.02;
/** Rounds with a foreign queue until it is believed. */
const FOREIGN_ROUNDS = 4;
const FOREIGN_BETA = 0.5;
const LOSS_BETA = 0.5;
/** What the pacer lets leave together at low rates. */
const BURST_DATAGRAMS = 3;
/** Below this share of the target the path is empty. */
const EMPTY_SHARE = 1 / 8;
/** Rounds with an empty path until the window grows faster, and between two such steps. */
const EMPTY_ROUNDS = 5;
const EMPTY_ROUNDS_BETWEEN = 2;
const EMPTY_GROWTH = 1.5;
/** ... and how much of what the path carries it grows to. */
const EMPTY_GOAL = 0.9;
/** The least round that counts, ms: shorter ones say more of chance than of queues. */
const LEAST_ROUND_MS = 50;
/** By how much longer they must be where there is so much jitter, in targets. */
const JITTER_ROUNDS = 4;
const MUCH_JITTER = 0.5;
/** How much of the jitter is taken off what stands: even the least sample of a round has some. */
const JITTER_SHARE = 0.5;
const SLOWDOWN_SHARE = 0.5;
/** What of the share is taken back: who has more leaves more, so that shares become equal. */
const RETURN_SHARE = 0.85;
const SLOWDOWN_ROUNDS = 2;
/** LEDBAT++ allows a tenth of the time for slow-downs; the half of it is enough. */
const SLOWDOWN_PAUSE = 19;
const LEAST_PAUSE_MS = 1000;
/** Below this window a slow-down would change nothing. */
const SLOWDOWN_DATAGRAMS = 8;
/** Round trips over which the largest bunch of bytes acknowledged at once is remembered. */
const BUNCH_ROUNDS = 8;

/** What the controller is doing. */
export type BackgroundState = "start" | "steady" | "slowdown";

/** The background congestion controller. */
export class Background implements CongestionController {
  /** Its name. */
  readonly name = "background";
  #state: BackgroundState = "start";
  #datagramBytes: number;
  /** What should be in flight. */
  #shareBytes: number;
  readonly #rounds = new Rounds();
  /** Round trip without queue, ms. */
  readonly #base = new TenMinuteMin();
  /** The inverse of the largest rate, ms per byte. */
  readonly #byteMs = new TenMinuteMin();
  readonly #queue = new QueueWatch();
  readonly #losses = new RoundLosses();
  readonly #bunch = new WindowedMax();
  /** When the present round began, of those that last {@linkcode LEAST_ROUND_MS}. */
  #roundAt = Number.NEGATIVE_INFINITY;
  #foreignRounds = 0;
  #emptyRounds = 0;
  /** How far the least of four samples is above what stands, in the median of round trips; ms. */
  #jitterMs = 0;
  /** Samples of packets that left after the last surge was answered. */
  #samples = 0;
  #isSurgeAnswered = false;
  #slowdownAt = Number.POSITIVE_INFINITY;
  #slowdownBegan = 0;
  #slowdownRounds = 0;
  /** The share to come back to. */
  #savedBytes = 0;

  /** @param datagramBytes Size of full datagrams at the start. */
  constructor(datagramBytes: number) {
    this.#datagramBytes = datagramBytes;
    this.#shareBytes = FIRST_WINDOW_DATAGRAMS * datagramBytes;
  }

  /** What it is doing. */
  get state(): BackgroundState {
    return this.#state;
  }

  /** The path's round trip without queues, ms; infinite before the first sample. */
  get baseMs(): number {
    return this.#base.value;
  }

  /** The target: a queue as long as this, in ms, is not its own; infinite before there is a rate. */
  get foreignMs(): number {
    const unitMs = Math.sqrt(this.#base.value * this.#datagramBytes * this.#byteMs.value);
    return Math.max(FOREIGN_QUEUE * unitMs, MIN_FOREIGN_MS);
  }

  /** Most bytes that may be in flight: the share, and what is acknowledged together, for the pacer. */
  get windowBytes(): number {
    if (this.#state === "start" || this.#foreignRounds > 0) return this.#shareBytes;
    return this.#shareBytes + Math.min(this.#bunch.value, this.#shareBytes);
  }

  pacingRate(rtt: RttEstimator): number {
    if (this.#state === "start") {
      return START_PACING_GAIN * this.#shareBytes / Math.max(rtt.smoothedMs, 0.1);
    }
    const baseMs = this.#base.value;
    return PACING_GAIN * this.#shareBytes / (baseMs + this.#queue.standingMs(baseMs));
  }

  onSent(_now: Instant, _packetNumber: number, _bytes: number, _inFlightBytes: number): void {}

  onAcked(_packetNumber: number, _bytes: number, _sentAt: Instant): void {}

  onLost(_now: Instant, bytes: number, packets: number, _largestSentAt: Instant): void {
    this.#losses.handleLost(bytes, packets);
  }

  onSpuriousLoss(_packetNumber: number, _sentAt: Instant): void {}

  onPersistentCongestion(): void {
    // It may be another path by now: look at it anew.
    this.#state = "start";
    this.#setShare(0);
    this.#base.clear();
    this.#byteMs.clear();
  }

  onDatagramSize(bytes: number): void {
    // Before anything was learned the window is a count of datagrams.
    if (this.#shareBytes === FIRST_WINDOW_DATAGRAMS * this.#datagramBytes) {
      this.#shareBytes = FIRST_WINDOW_DATAGRAMS * bytes;
    }
    this.#datagramBytes = bytes;
    this.#setShare(this.#shareBytes);
  }

  onAckDone(
    now: Instant,
    rtt: RttEstimator,
    _largestAcked: number,
    _inFlightBytes: number,
    isWindowLimited: boolean,
    sample: RateSample,
  ): void {
    const isRoundStart = this.#updateModel(now, sample);
    this.#answerSurge(sample);
    if (this.#state === "start") {
      if (this.#queue.recentMs(this.#base.value) > this.foreignMs) {
        this.#state = "steady";
        this.#emptyRounds = 0;
        this.#setShare(Math.min(this.#shareBytes, this.#carriedBytes));
        this.#slowdownAt = now + SLOWDOWN_ROUNDS * rtt.smoothedMs;
      } else if (isWindowLimited) {
        this.#shareBytes += sample.ackedBytes;
      }
    }
    // Giving way and slow-downs go by round trips, be they as short as they may.
    const isQuick = this.#state === "slowdown" || this.#foreignRounds >= FOREIGN_ROUNDS;
    if (isRoundStart || (isQuick && this.#rounds.isStart)) this.#handleRound(now, sample);
  }

  /** What the path carried at its best, without a queue. */
  get #carriedBytes(): number {
    return this.#base.value / this.#byteMs.value;
  }

  /** @returns Whether a round that counts is over. */
  #updateModel(now: Instant, sample: RateSample): boolean {
    this.#losses.handleAcked(sample.ackedBytes);
    this.#rounds.handleAck(sample);
    this.#bunch.add(sample.ackedBytes);
    if (this.#rounds.isStart && this.#rounds.count % BUNCH_ROUNDS === 0) this.#bunch.advance();
    if (sample.rate > 0) this.#byteMs.add(now, 1 / sample.rate);
    const delayMs = Math.max(sample.rttMs - sample.ackDelayMs, 0.001);
    if (!Number.isNaN(delayMs)) {
      this.#base.add(now, delayMs);
      this.#samples++;
    }
    const leastMs = LEAST_ROUND_MS *
      (this.#jitterMs > MUCH_JITTER * this.foreignMs ? JITTER_ROUNDS : 1);
    const isRoundStart = this.#rounds.isStart && now - this.#roundAt >= leastMs;
    if (isRoundStart) this.#roundAt = now;
    this.#queue.handleAck(delayMs - this.#burstMs(sample.ackedBytes), isRoundStart);
    return isRoundStart;
  }

  /** How long the newest packet of a small window waited for those that left together with it. */
  #burstMs(ackedBytes: number): number {
    if (2 * ackedBytes < this.#shareBytes) return 0;
    const burstBytes = Math.min(ackedBytes, BURST_DATAGRAMS * this.#datagramBytes);
    return Math.max(burstBytes - this.#datagramBytes, 0) * this.#byteMs.value;
  }

  /** A queue that grows this fast is answered before the round is over, but once in a round trip. */
  #answerSurge(sample: RateSample): void {
    if (this.#state === "start") return;
    const baseMs = this.#base.value;
    const recentMs = this.#queue.recentMs(baseMs);
    if (this.#rounds.isStart) {
      this.#learnJitter(recentMs - this.#queue.standingMs(baseMs));
      if (this.#isSurgeAnswered) this.#samples = 0;
      this.#isSurgeAnswered = false;
    }
    if (this.#state === "slowdown" || this.#isSurgeAnswered || this.#samples < SURGE_SAMPLES) {
      return;
    }
    if (recentMs <= SURGE * this.foreignMs + SURGE_JITTERS * this.#jitterMs) return;
    this.#isSurgeAnswered = true;
    this.#rounds.restart(sample.delivered);
    this.#setShare(SURGE_BETA * this.#shareBytes);
  }

  /** Goes towards the median, which a single surge does not move. */
  #learnJitter(deviationMs: number): void {
    const stepMs = JITTER_STEP * this.foreignMs;
    const isMore = deviationMs > this.#jitterMs;
    this.#jitterMs = Math.max(this.#jitterMs + (isMore ? stepMs : -stepMs), 0);
  }

  #handleRound(now: Instant, sample: RateSample): void {
    if (this.#state === "slowdown" && --this.#slowdownRounds > 0) return;
    const { foreignMs } = this;
    const baseMs = this.#base.value;
    const standingMs = this.#queue.standingMs(baseMs);
    const queueMs = Math.max(standingMs - JITTER_SHARE * this.#jitterMs, 0);
    const isEmpty = queueMs < EMPTY_SHARE * foreignMs;
    const isLossy = this.#losses.isTooHigh(this.#datagramBytes, !isEmpty);
    this.#losses.restart();
    this.#foreignRounds = queueMs > foreignMs ? this.#foreignRounds + 1 : 0;
    this.#emptyRounds = isEmpty ? Math.min(this.#emptyRounds + 1, EMPTY_ROUNDS) : 0;
    if (isLossy) {
      this.#state = "steady";
      this.#setShare(LOSS_BETA * this.#shareBytes);
    } else if (this.#state === "slowdown") {
      this.#endSlowdown(now, queueMs <= foreignMs);
    } else if (this.#state === "steady") {
      if (this.#foreignRounds >= FOREIGN_ROUNDS) this.#setShare(FOREIGN_BETA * this.#shareBytes);
      else if (now >= this.#slowdownAt && this.#isSlowdownWorthwhile) {
        this.#startSlowdown(now, sample);
      } else this.#updateShare(queueMs, sample);
    }
  }

  #updateShare(queueMs: number, sample: RateSample): void {
    const share = this.#shareBytes;
    const baseMs = this.#base.value;
    const allowance = Math.max(
      ALLOWANCE * Math.sqrt(share * this.#datagramBytes),
      this.#datagramBytes,
    );
    let next = share * baseMs / (baseMs + queueMs) + allowance;
    const goal = EMPTY_GOAL * this.#carriedBytes;
    if (share < goal && this.#emptyRounds >= EMPTY_ROUNDS) {
      this.#emptyRounds -= EMPTY_ROUNDS_BETWEEN;
      next = Math.max(next, Math.min(EMPTY_GROWTH * share, goal));
    }
    if (next < share || !sample.isAppLimited) this.#setShare(next);
  }

  get #isSlowdownWorthwhile(): boolean {
    return this.#shareBytes > SLOWDOWN_DATAGRAMS * this.#datagramBytes;
  }

  #startSlowdown(now: Instant, sample: RateSample): void {
    this.#state = "slowdown";
    this.#slowdownBegan = now;
    this.#slowdownRounds = SLOWDOWN_ROUNDS;
    this.#savedBytes = this.#shareBytes;
    this.#rounds.restart(sample.delivered);
    this.#setShare(SLOWDOWN_SHARE * this.#shareBytes);
  }

  /** @param isAlone Whether the queue is gone, and others did not take what was left to them. */
  #endSlowdown(now: Instant, isAlone: boolean): void {
    this.#state = "steady";
    const pauseMs = Math.max(SLOWDOWN_PAUSE * (now - this.#slowdownBegan), LEAST_PAUSE_MS);
    this.#slowdownAt = now + pauseMs;
    this.#foreignRounds = 0;
    if (isAlone) this.#setShare(RETURN_SHARE * this.#savedBytes);
  }

  #setShare(bytes: number): void {
    this.#shareBytes = Math.max(bytes, MIN_WINDOW_DATAGRAMS * this.#datagramBytes);
  }
}
