/**
 * CUBIC (RFC 9438) with HyStart++ (RFC 9406) for the start. Windows are in bytes, cubic arithmetic in
 * datagrams and seconds as the RFC has it.
 */
import { INITIAL_WINDOW_DATAGRAMS, MIN_WINDOW_DATAGRAMS } from "../params.ts";
import type { RttEstimator } from "../rtt.ts";
import { type Instant, instant } from "../../time.ts";
import type { CongestionController } from "./controller.ts";
import { HyStart } from "./hystart.ts";

/** Multiplicative decrease (RFC 9438, section 4.6). */
const BETA = 0.7;
/** Steepness of the cubic, datagrams per second cubed (RFC 9438, section 5.1). */
const C = 0.4;
/** Additive increase of the Reno-friendly region (RFC 9438, section 4.3). */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);
/** Pacing above the window's own rate: the window is the limit, the pacer only spreads it. */
const START_PACING_GAIN = 2;
const PACING_GAIN = 1.25;

const BEFORE_ANYTHING = instant(Number.NEGATIVE_INFINITY);

/** State that a spurious congestion event gives back (RFC 9438, section 4.9). */
interface Undo {
  recoveryStart: Instant;
  windowBytes: number;
  startThresholdBytes: number;
  maxWindow: number;
  priorWindow: number;
  epochStart: number;
  kSeconds: number;
  estimate: number;
  lostPackets: number;
}

/** The CUBIC congestion controller. */
export class Cubic implements CongestionController {
  /** Its name. */
  readonly name = "cubic";
  /** Most bytes that may be in flight. */
  windowBytes: number;
  #datagramBytes: number;
  #startThresholdBytes = Number.POSITIVE_INFINITY;
  readonly #hystart = new HyStart();
  /** Packets sent before this belong to the congestion event already answered. */
  #recoveryStart: Instant = BEFORE_ANYTHING;
  #ackedBytes = 0;
  /** W_max in datagrams; 0 before the first event. */
  #maxWindow = 0;
  /** cwnd_prior in datagrams: the window before the last reduction. */
  #priorWindow = 0;
  #epochStart = Number.NaN;
  #kSeconds = 0;
  /** W_est in datagrams. */
  #estimate = 0;
  #undo: Undo | undefined;

  /**
   * Begins in slow start.
   *
   * @param datagramBytes Size of full datagrams at the start.
   */
  constructor(datagramBytes: number) {
    this.#datagramBytes = datagramBytes;
    this.windowBytes = INITIAL_WINDOW_DATAGRAMS * datagramBytes;
  }

  /**
   * Goes on from a window that something else found: without slow start, on a curve that begins
   * there.
   */
  resumeAt(windowBytes: number): void {
    this.#reduceTo(windowBytes);
    this.#startThresholdBytes = this.windowBytes;
    this.#maxWindow = this.windowBytes / this.#datagramBytes;
    this.#priorWindow = this.#maxWindow;
    this.#undo = undefined;
  }

  get #inSlowStart(): boolean {
    return this.windowBytes < this.#startThresholdBytes;
  }

  /** HyStart++ is for the first slow start only (RFC 9406, section 4.3): later ones know their end. */
  get #isFirstSlowStart(): boolean {
    return this.#startThresholdBytes === Number.POSITIVE_INFINITY;
  }

  get #growthDivisor(): number {
    return this.#isFirstSlowStart ? this.#hystart.growthDivisor : 1;
  }

  pacingRate(rtt: RttEstimator): number {
    const isDoubling = this.#inSlowStart && this.#growthDivisor === 1;
    const gain = isDoubling ? START_PACING_GAIN : PACING_GAIN;
    return gain * this.windowBytes / Math.max(rtt.smoothedMs, 0.1);
  }

  onSent(_now: Instant, packetNumber: number, _bytes: number, _inFlightBytes: number): void {
    this.#hystart.onSent(packetNumber);
  }

  onAcked(_packetNumber: number, bytes: number, sentAt: Instant): void {
    // What was sent before the last event neither grows the window nor proves anything.
    if (sentAt > this.#recoveryStart) this.#ackedBytes += bytes;
  }

  onAckDone(
    now: Instant,
    rtt: RttEstimator,
    largestAcked: number,
    _inFlightBytes: number,
    isWindowLimited: boolean,
  ): void {
    const acked = this.#ackedBytes;
    this.#ackedBytes = 0;
    if (this.#inSlowStart) {
      if (this.#isFirstSlowStart) this.#hystart.onAck(largestAcked, rtt.latestMs);
      if (acked === 0 || !isWindowLimited) return;
      this.windowBytes += acked / this.#growthDivisor;
      if (this.#isFirstSlowStart && this.#hystart.isOver) {
        this.#startThresholdBytes = this.windowBytes;
        this.#maxWindow = this.windowBytes / this.#datagramBytes;
        this.#priorWindow = this.#maxWindow;
      }
      return;
    }
    if (acked === 0 || !isWindowLimited) {
      // Time without use does not count as time to grow (RFC 9438, section 5.8).
      if (!isWindowLimited) this.#epochStart = Number.NaN;
      return;
    }
    this.#growCubic(now, rtt, acked);
  }

  #growCubic(now: Instant, rtt: RttEstimator, ackedBytes: number): void {
    const window = this.windowBytes / this.#datagramBytes;
    if (Number.isNaN(this.#epochStart)) {
      this.#epochStart = now;
      if (window < this.#maxWindow) {
        this.#kSeconds = Math.cbrt((this.#maxWindow - window) / C);
      } else {
        this.#kSeconds = 0;
        this.#maxWindow = window;
      }
      this.#estimate = window;
    }
    const elapsed = (now - this.#epochStart + rtt.smoothedMs) / 1000;
    const cubic = C * (elapsed - this.#kSeconds) ** 3 + this.#maxWindow;
    const target = Math.min(Math.max(cubic, window), 1.5 * window);
    const ackedDatagrams = ackedBytes / this.#datagramBytes;
    this.#estimate += (this.#estimate < this.#priorWindow ? ALPHA : 1) * ackedDatagrams / window;
    const grown = cubic < this.#estimate
      ? Math.max(window, this.#estimate)
      : window + (target - window) / window * ackedDatagrams;
    this.windowBytes = grown * this.#datagramBytes;
  }

  onLost(now: Instant, _bytes: number, packets: number, largestSentAt: Instant): void {
    if (largestSentAt <= this.#recoveryStart) {
      if (this.#undo) this.#undo.lostPackets += packets;
      return;
    }
    this.#undo = {
      recoveryStart: this.#recoveryStart,
      windowBytes: this.windowBytes,
      startThresholdBytes: this.#startThresholdBytes,
      maxWindow: this.#maxWindow,
      priorWindow: this.#priorWindow,
      epochStart: this.#epochStart,
      kSeconds: this.#kSeconds,
      estimate: this.#estimate,
      lostPackets: packets,
    };
    this.#recoveryStart = now;
    const window = this.windowBytes / this.#datagramBytes;
    // Fast convergence (RFC 9438, section 4.7): leave room for newcomers.
    this.#maxWindow = window < this.#maxWindow ? window * (1 + BETA) / 2 : window;
    this.#priorWindow = window;
    this.#reduceTo(this.windowBytes * BETA);
    this.#startThresholdBytes = this.windowBytes;
  }

  onSpuriousLoss(_packetNumber: number, sentAt: Instant): void {
    const undo = this.#undo;
    // Only a packet of the last event: sent after the answer to the one before, before its own.
    if (!undo || sentAt <= undo.recoveryStart || sentAt > this.#recoveryStart) return;
    undo.lostPackets--;
    if (undo.lostPackets > 0) return;
    this.#undo = undefined;
    // The event never was: a real loss of the same flight is answered.
    this.#recoveryStart = undo.recoveryStart;
    if (undo.windowBytes <= this.windowBytes) return;
    this.windowBytes = undo.windowBytes;
    this.#startThresholdBytes = undo.startThresholdBytes;
    this.#maxWindow = undo.maxWindow;
    this.#priorWindow = undo.priorWindow;
    this.#epochStart = undo.epochStart;
    this.#kSeconds = undo.kSeconds;
    this.#estimate = undo.estimate;
  }

  onPersistentCongestion(): void {
    this.#undo = undefined;
    // Slow start up to the threshold of the loss (RFC 9002, section 7.3.1), then a curve that begins
    // where that ends (RFC 9438, section 4.8).
    this.#reduceTo(0);
    this.#maxWindow = 0;
  }

  onDatagramSize(bytes: number): void {
    const before = this.#datagramBytes;
    this.#datagramBytes = bytes;
    // Before anything was learned the window is a count of datagrams.
    if (this.windowBytes === INITIAL_WINDOW_DATAGRAMS * before) {
      this.windowBytes = INITIAL_WINDOW_DATAGRAMS * bytes;
    }
    this.windowBytes = Math.max(this.windowBytes, MIN_WINDOW_DATAGRAMS * bytes);
    // What was learned in datagrams stays the same number of bytes, on a curve that begins anew.
    this.#maxWindow *= before / bytes;
    this.#priorWindow *= before / bytes;
    this.#epochStart = Number.NaN;
    this.#undo = undefined;
  }

  #reduceTo(bytes: number): void {
    this.windowBytes = Math.max(bytes, MIN_WINDOW_DATAGRAMS * this.#datagramBytes);
    this.#epochStart = Number.NaN;
  }
}
