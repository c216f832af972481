/**
 * BBR: states, rounds, filters and probing as BBRv3 has them (draft-ietf-ccwg-bbr), with a window of
 * its own in between, by which flows come to equal shares.
 *
 * ```
 * startup ──full pipe, queue or loss──▶ drain ──inflight = BDP──▶ down ◀────────────┐
 *                                                                │  ▲ a newcomer's  │ queue, loss
 *   least round trip not seen for 5 s;             queue drained ▼  │ queue, doubt  │ or full pipe
 *   any, beside rivals loss ──▶ probe_rtt ──200 ms──▶ cruise ───────┘               │
 *                                                       └──2 to 3 s──▶ refill ──▶ up ┘
 * ```
 * Where it departs from the draft, and why:
 * - In ProbeBW the model is not the largest rate but the *share* of `queue_share.ts`. It takes the
 *   place of inflight_hi, inflight_lo and bw_lo: those scale with what a flow has already, so that
 *   who came first stays ahead. Up probes at 1.2 instead of 1.25 and ends when it built a queue.
 * - Startup grows faster, and ends with a queue (`startup.ts`).
 * - Losses are judged by `round_losses.ts`; what the path loses anyway is not congestion.
 * - Against flows that fill queues it is CUBIC (`rivalry.ts`).
 * - Down is deep when there may be others on the link (`down.ts`).
 * - Round trips are without the peer's ACK delay, and what the path's own delay wanders (`jitter.ts`)
 *   is no queue.
 */
import { INITIAL_WINDOW_DATAGRAMS, MIN_WINDOW_DATAGRAMS } from "../params.ts";
import type { RttEstimator } from "../rtt.ts";
import type { RandomSource } from "../../crypto/provider.ts";
import type { Instant } from "../../time.ts";
import type { CongestionController } from "./controller.ts";
import type { RateSample } from "./delivery_rate.ts";
import { Down } from "./down.ts";
import { FullPipe } from "./full_pipe.ts";
import { Jitter } from "./jitter.ts";
import { MinRtt } from "./min_rtt.ts";
import { nextShare } from "./queue_share.ts";
import { ProbeRtt } from "./probe_rtt.ts";
import { QueueWatch } from "./queue_watch.ts";
import { Rivalry } from "./rivalry.ts";
import { RoundLosses } from "./round_losses.ts";
import { Rounds } from "./rounds.ts";
import {
  hasStartupLosses,
  hasStartupQueue,
  STARTUP_GAIN,
  startupRate,
  startupWindow,
} from "./startup.ts";
import { WindowedMax } from "./windowed_max.ts";

const DRAIN_GAIN = 0.5;
const UP_GAIN = 1.2;
/** Above 1, so that the window decides, and the pacer only spreads it. */
const CRUISE_GAIN = 1.1;
/** Beside CUBIC the pacer only spreads the window, too. */
const PACING_GAIN = 1.25;
/**
 * Queues and losses are judged in turns of a round trip, but of no less than this, ms: jitter of Wi-Fi
 * lasts longer than short round trips, and would look like a queue.
 */
const MIN_TURN_MS = 30;
/** Round trips after Startup whose losses are those of Startup. */
const STARTUP_ECHO_ROUNDS = 3;
/** What is left of the share after too many losses, and after one with a queue. */
const LOSSY_BETA = 0.7;
const LOSS_BETA = 0.85;
/**
 * Beside rivals, a loss is the moment to see whether they are of our kind: flows that took each other
 * for rivals lose together, and the queue is gone when all take inflight away. Not so soon again, ms.
 */
const TRUCE_PAUSE_MS = 4000;
/** Pause between probes for bandwidth, ms; up to so much more by chance. */
const PROBE_WAIT_MS = 2000;
const PROBE_WAIT_SPREAD_MS = 1000;
const MIN_SHARE_DATAGRAMS = 4;
/** A round trip longer by so many times the jitter is as good as the least. */
const CONFIRM_JITTERS = 2;
/** Round trips over which the largest bunch of bytes acknowledged at once is remembered. */
const BUNCH_ROUNDS = 8;

/** What the controller is doing. */
export type BbrState = "startup" | "drain" | "down" | "cruise" | "refill" | "up" | "probe_rtt";

/** The BBR congestion controller. */
export class Bbr implements CongestionController {
  /** Its name. */
  readonly name = "bbr";
  /** Most bytes that may be in flight. */
  windowBytes: number;
  #state: BbrState = "startup";
  #datagramBytes: number;
  readonly #random: RandomSource;
  readonly #randomByte = new Uint8Array(1);
  readonly #rounds = new Rounds();
  /** Bytes per millisecond, by cycles of probing. */
  readonly #maxRate = new WindowedMax();
  readonly #bunch = new WindowedMax();
  readonly #pipe = new FullPipe();
  readonly #minRtt = new MinRtt();
  readonly #jitter = new Jitter();
  readonly #queue = new QueueWatch(this.#jitter);
  readonly #losses = new RoundLosses();
  readonly #rivalry: Rivalry;
  /** What should be in flight; 0 until Startup has found it. */
  #shareBytes = 0;
  #rate = 0;
  #echoRounds = 0;
  /** Whether this ACK begins a turn: a round trip, or several of a short path. */
  #isTurn = false;
  #turnedAt = Number.NEGATIVE_INFINITY;
  readonly #down = new Down();
  readonly #probeRtt = new ProbeRtt();
  #waitMs = 0;
  #isTruceDue = false;

  /**
   * Begins in Startup.
   *
   * @param datagramBytes Size of full datagrams at the start.
   */
  constructor(datagramBytes: number, random: RandomSource) {
    this.#datagramBytes = datagramBytes;
    this.#random = random;
    this.#rivalry = new Rivalry(datagramBytes, this.#jitter);
    this.windowBytes = INITIAL_WINDOW_DATAGRAMS * datagramBytes;
  }

  /** What it is doing. */
  get state(): BbrState {
    return this.#state;
  }

  /** The path's round trip without queues, ms; infinite before the first sample. */
  get minRttMs(): number {
    return this.#minRtt.valueMs;
  }

  /** Whether it holds its own against flows that fill queues. */
  get isCompeting(): boolean {
    return this.#rivalry.isOn;
  }

  pacingRate(rtt: RttEstimator): number {
    if (this.#rate > 0) return this.#rate;
    return STARTUP_GAIN * this.windowBytes / Math.max(rtt.smoothedMs, 0.1);
  }

  onSent(_now: Instant, _packetNumber: number, _bytes: number, _inFlightBytes: number): void {}

  onAcked(packetNumber: number, bytes: number, sentAt: Instant): void {
    if (this.#rivalry.isOn) this.#rivalry.onAcked(packetNumber, bytes, sentAt);
  }

  onLost(now: Instant, bytes: number, packets: number, largestSentAt: Instant): void {
    this.#losses.handleLost(bytes, packets);
    if (this.#rivalry.isOn && this.#queue.isStanding(this.#minRtt.valueMs)) {
      const gaveWay = this.#rivalry.onLost(now, bytes, packets, largestSentAt);
      if (gaveWay && !this.#minRtt.isConfirmed(now, TRUCE_PAUSE_MS)) this.#isTruceDue = true;
    }
  }

  onSpuriousLoss(packetNumber: number, sentAt: Instant): void {
    if (this.#rivalry.isOn) this.#rivalry.onSpuriousLoss(packetNumber, sentAt);
  }

  onPersistentCongestion(): void {
    // It may be another path by now: look at it anew.
    this.windowBytes = MIN_WINDOW_DATAGRAMS * this.#datagramBytes;
    this.#state = "startup";
    this.#rate = 0;
    this.#shareBytes = 0;
    this.#maxRate.clear();
    this.#pipe.restart(0);
    this.#rivalry.reset();
    // Or the losses of the outage end Startup before it began.
    this.#losses.restart();
  }

  onDatagramSize(bytes: number): void {
    // Before anything was learned the window is a count of datagrams.
    if (this.windowBytes === INITIAL_WINDOW_DATAGRAMS * this.#datagramBytes) {
      this.windowBytes = INITIAL_WINDOW_DATAGRAMS * bytes;
    }
    this.#datagramBytes = bytes;
    this.windowBytes = Math.max(this.windowBytes, MIN_WINDOW_DATAGRAMS * bytes);
    this.#rivalry.onDatagramSize(bytes);
  }

  onAckDone(
    now: Instant,
    rtt: RttEstimator,
    largestAcked: number,
    inFlightBytes: number,
    isWindowLimited: boolean,
    sample: RateSample,
  ): void {
    this.#updateModel(now, sample);
    if (this.#shareBytes === 0) {
      this.#updateStart(now, inFlightBytes);
    } else {
      if (this.#isTurn) this.#updateShare(now, sample, isWindowLimited);
      if (this.#rivalry.isOn) {
        const { ackedBytes } = sample;
        this.#rivalry.onAckDone(now, rtt, largestAcked, inFlightBytes, isWindowLimited, ackedBytes);
      }
      this.#updateCycle(now, sample, inFlightBytes);
      this.#updateProbeRtt(now, sample, inFlightBytes);
    }
    if (this.#isTurn) {
      const isKnown = this.#shareBytes > 0 && this.#echoRounds === 0;
      this.#losses.restart(isKnown && !this.#queue.isBuilding(this.#minRtt.valueMs));
    }
    this.#setRate(rtt);
    this.#setWindow(sample, isWindowLimited);
  }

  #updateModel(now: Instant, sample: RateSample): void {
    this.#losses.handleAcked(sample.ackedBytes);
    this.#rounds.handleAck(sample);
    const isRoundStart = this.#rounds.isStart;
    this.#bunch.add(sample.ackedBytes);
    if (isRoundStart && this.#rounds.count % BUNCH_ROUNDS === 0) this.#bunch.advance();
    const rate = this.#maxRate.value;
    const bunchMs = rate > 0 ? this.#bunch.value / rate : 0;
    const wanderMs = bunchMs + CONFIRM_JITTERS * this.#jitter.valueMs;
    const rttMs = sample.rttMs - sample.ackDelayMs;
    this.#minRtt.handleAck(now, rttMs, wanderMs, this.#rivalry.isOn);
    this.#isTurn = isRoundStart && now - this.#turnedAt >= MIN_TURN_MS;
    if (this.#isTurn) this.#turnedAt = now;
    this.#queue.handleAck(rttMs, this.#isTurn);
    // What the application limited tells of the path only when it is more than was known.
    if (!sample.isAppLimited || sample.rate >= this.#maxRate.value) this.#maxRate.add(sample.rate);
    this.#pipe.handleAck(sample, isRoundStart);
  }

  /** The queue that stands, without what the path's own delay wanders, ms. */
  get #queueMs(): number {
    return Math.max(this.#queue.standingMs(this.#minRtt.valueMs) - this.#jitter.valueMs, 0);
  }

  #isLossy(): boolean {
    const hasQueue = this.#queue.isStanding(this.#minRtt.valueMs);
    return this.#losses.isTooHigh(this.#datagramBytes, hasQueue);
  }

  /** Startup and Drain. */
  #updateStart(now: Instant, inFlightBytes: number): void {
    const minRttMs = this.#minRtt.valueMs;
    // The first ACK after an outage may tell of many losses and give no round trip: without one
    // nothing is known of the path, and what it holds cannot be said.
    if (minRttMs === Number.POSITIVE_INFINITY) return;
    if (this.#state === "startup") {
      const isOverrun = this.#isTurn &&
        hasStartupLosses(this.#losses, this.#datagramBytes, this.#queue.isStanding(minRttMs));
      if (!this.#pipe.isFull && !isOverrun && !hasStartupQueue(this.#queue, minRttMs)) return;
      this.#state = "drain";
    }
    const needed = this.#maxRate.value * minRttMs;
    if (inFlightBytes > needed) return;
    this.#shareBytes = Math.max(needed, MIN_SHARE_DATAGRAMS * this.#datagramBytes);
    this.#echoRounds = STARTUP_ECHO_ROUNDS;
    this.#rivalry.handleStarted(this.#shareBytes);
    this.#startDown(now);
  }

  /** Once in a round trip. */
  #updateShare(now: Instant, sample: RateSample, isWindowLimited: boolean): void {
    const minRttMs = this.#minRtt.valueMs;
    if (this.#state === "cruise" && !this.#rivalry.isOn) {
      const deviationMs = this.#queue.recentMs(minRttMs) - this.#queue.standingMs(minRttMs);
      this.#jitter.handleRound(deviationMs, minRttMs);
    }
    const queueMs = this.#queueMs;
    const state = this.#state;
    if (state === "cruise" || state === "down") {
      this.#rivalry.handleRound(now, this.#shareBytes, minRttMs, queueMs, this.#datagramBytes);
      if (this.#rivalry.isOn) this.#state = "cruise";
      else if (this.#rivalry.isInDoubt && state === "cruise") this.#startDown(now, true);
    }
    const isEcho = this.#echoRounds > 0;
    if (isEcho) this.#echoRounds--;
    const isLossy = !isEcho && this.#isLossy();
    const hasLoss = !isEcho && this.#queue.isBuilding(minRttMs) &&
      this.#losses.isUnusual(this.#datagramBytes);
    if (isLossy || hasLoss) {
      this.#shareBytes *= isLossy ? LOSSY_BETA : LOSS_BETA;
      if (this.#state === "up") this.#startDown(now);
    } else if (sample.isAppLimited && !isWindowLimited) {
      return;
    } else if (this.#state === "cruise") {
      this.#shareBytes = this.#rivalry.isOn
        ? this.windowBytes * minRttMs / (minRttMs + queueMs)
        : nextShare(this.#shareBytes, minRttMs, queueMs, this.#datagramBytes);
    } else if (this.#state === "up" && !this.#queue.isBuilding(minRttMs)) {
      const needed = sample.inFlightAtSend * minRttMs / (minRttMs + queueMs);
      this.#shareBytes = Math.max(this.#shareBytes, needed);
    }
    const least = MIN_SHARE_DATAGRAMS * this.#datagramBytes;
    this.#shareBytes = Math.max(this.#shareBytes, least);
  }

  #startDown(now: Instant, mustBeDeep = false): void {
    this.#state = "down";
    this.#random.fill(this.#randomByte);
    this.#waitMs = PROBE_WAIT_MS + PROBE_WAIT_SPREAD_MS * this.#randomByte[0]! / 256;
    this.#down.begin(now, this.#minRtt, this.#queue, mustBeDeep);
    this.#maxRate.advance();
  }

  /** The cycle of ProbeBW. */
  #updateCycle(now: Instant, sample: RateSample, inFlightBytes: number): void {
    if (this.#rivalry.isOn) return;
    switch (this.#state) {
      case "down":
        if (this.#down.handleInFlight(now, inFlightBytes, this.#downWindow, this.#datagramBytes)) {
          this.#rounds.restart(sample.delivered);
        } else if (this.#down.isOver(now, this.#minRtt, this.#rounds.isStart)) {
          if (this.#down.isTest) this.#rivalry.handleTested(this.#queueMs);
          this.#state = "cruise";
        }
        return;
      case "cruise":
        if (this.#down.isCalledFor(now, this.#minRtt.valueMs, this.#queue)) {
          return this.#startDown(now, true);
        }
        if (this.#down.ageMs(now) <= this.#waitMs) return;
        this.#state = "refill";
        this.#rounds.restart(sample.delivered);
        return;
      case "refill":
        if (!this.#rounds.isStart) return;
        this.#state = "up";
        this.#pipe.restart(sample.rate);
        this.#rounds.restart(sample.delivered);
        return;
      case "up":
        if (this.#queue.isBuilding(this.#minRtt.valueMs) || this.#pipe.isFull) this.#startDown(now);
        return;
    }
  }

  get #downWindow(): number {
    return this.#down.windowBytes(this.#shareBytes, this.#bunch.value);
  }

  #updateProbeRtt(now: Instant, sample: RateSample, inFlightBytes: number): void {
    if (this.#state !== "probe_rtt") {
      if (!this.#minRtt.isProbeDue && !this.#isTruceDue) return;
      this.#isTruceDue = false;
      this.#state = "probe_rtt";
      this.#probeRtt.begin();
    }
    if (this.#probeRtt.handleInFlight(now, inFlightBytes, this.#probeRttWindow)) {
      return this.#rounds.restart(sample.delivered);
    }
    if (!this.#probeRtt.isOver(now, this.#rounds.isStart)) return;
    this.#minRtt.handleProbed(now);
    const minRttMs = this.#minRtt.valueMs;
    this.#rivalry.handleEmptied(now, this.#queueMs, minRttMs);
    this.#startDown(now);
    this.#state = "cruise";
  }

  get #probeRttWindow(): number {
    return Math.max(
      this.#probeRtt.windowBytes(this.#shareBytes),
      MIN_SHARE_DATAGRAMS * this.#datagramBytes,
    );
  }

  #setRate(rtt: RttEstimator): void {
    const minRttMs = this.#minRtt.valueMs;
    if (this.#state === "startup") {
      const rate = startupRate(this.#maxRate.value, this.windowBytes, rtt.smoothedMs);
      this.#rate = Math.max(this.#rate, rate);
    } else if (this.#state === "drain") {
      this.#rate = DRAIN_GAIN * this.#maxRate.value;
    } else if (this.#rivalry.isOn) {
      this.#rate = PACING_GAIN * this.windowBytes / rtt.smoothedMs;
    } else if (this.#state === "up") {
      this.#rate = UP_GAIN * this.#shareBytes / minRttMs;
    } else {
      const queueMs = Math.min(this.#queue.standingMs(minRttMs), this.#queue.recentMs(minRttMs));
      const delayMs = Math.max(queueMs, this.#jitter.valueMs);
      this.#rate = CRUISE_GAIN * this.#shareBytes / (minRttMs + delayMs);
    }
  }

  #setWindow(sample: RateSample, isWindowLimited: boolean): void {
    const share = this.#shareBytes;
    switch (this.#state) {
      case "startup":
        if (isWindowLimited) {
          this.windowBytes = startupWindow(
            this.windowBytes,
            sample.ackedBytes,
            this.#maxRate.value,
            this.#minRtt.valueMs,
            this.#queue,
            this.#datagramBytes,
          );
        }
        return;
      case "drain":
        return;
      case "probe_rtt":
        this.windowBytes = Math.min(this.windowBytes, this.#probeRttWindow);
        return;
      case "down":
        this.windowBytes = this.#downWindow;
        break;
      case "up":
        this.windowBytes = UP_GAIN * share + 3 * this.#datagramBytes;
        break;
      default:
        this.windowBytes = this.#rivalry.isOn
          ? Math.max(this.#rivalry.windowBytes, share)
          : share + this.#bunch.value;
    }
    const least = MIN_SHARE_DATAGRAMS * this.#datagramBytes;
    this.windowBytes = Math.max(this.windowBytes, least);
  }
}
