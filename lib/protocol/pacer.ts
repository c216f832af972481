/**
 * [PACE-1] Spreads datagrams over time with a token bucket, so that queues see no bursts. Where the
 * socket takes trains of datagrams in one call, it lets them out in trains: a call costs the same for
 * forty datagrams as for one. A program with many sessions that has too much to do comes late to each
 * of them; what the rate allowed meanwhile is kept up to a whole train, so that calls become fewer
 * just where they are too many, and nobody's rate suffers.
 */
import {
  BURST_MS,
  MAX_BURST_DATAGRAMS,
  MAX_DATAGRAM_BYTES,
  MIN_BURST_DATAGRAMS,
  TRAIN_BURST_MS,
  TRAIN_DATAGRAMS,
} from "./params.ts";
import { after, type Instant } from "../time.ts";

/** Bytes of full datagrams that a socket which takes trains takes in one call. */
export function trainBytes(datagramBytes: number): number {
  return Math.min(TRAIN_DATAGRAMS * datagramBytes, MAX_DATAGRAM_BYTES);
}

/** A token bucket in bytes. It may go below zero by one datagram. */
export class Pacer {
  #tokens: number;
  #updatedAt: Instant;
  #rate = 0;
  #burstBytes: number;
  /** Tokens from which a bucket that was empty lets something out again. */
  #reopenBytes = 0;
  #wasOpen = true;
  /** Somebody waits for it to open. */
  #isAwaited = false;
  /** Room of the bucket for who waits and comes too late. */
  #lateBytes: number;

  /** Starts full. */
  constructor(now: Instant, datagramBytes: number) {
    this.#burstBytes = this.#lateBytes = MIN_BURST_DATAGRAMS * datagramBytes;
    this.#tokens = this.#burstBytes;
    this.#updatedAt = now;
  }

  /**
   * Sets the rate, in bytes per millisecond, from now on.
   *
   * @param takesTrains Whether the socket takes trains; without it each datagram costs a call, and
   *   larger bursts would save nothing.
   * @param peerBytes Most that the peer takes at once; at least a datagram is let out.
   */
  setRate(
    now: Instant,
    rate: number,
    datagramBytes: number,
    takesTrains = false,
    peerBytes = Number.POSITIVE_INFINITY,
  ): void {
    this.#refill(now);
    this.#rate = rate;
    const mostBytes = takesTrains
      ? Math.max(trainBytes(datagramBytes), rate * TRAIN_BURST_MS)
      : MAX_BURST_DATAGRAMS * datagramBytes;
    this.#burstBytes = Math.min(
      Math.max(rate * BURST_MS, MIN_BURST_DATAGRAMS * datagramBytes),
      Math.max(Math.min(mostBytes, peerBytes), datagramBytes),
    );
    this.#lateBytes = takesTrains
      ? Math.max(this.#burstBytes, Math.min(trainBytes(datagramBytes), peerBytes))
      : this.#burstBytes;
    // Each ACK wakes the sender: without this it would send what the last few microseconds allow.
    this.#reopenBytes = takesTrains ? this.#burstBytes / 2 : 0;
  }

  /** Whether a datagram may leave now. */
  isOpen(now: Instant): boolean {
    this.#refill(now);
    this.#wasOpen = this.#tokens > 0 && (this.#wasOpen || this.#tokens >= this.#reopenBytes);
    this.#isAwaited = !this.#wasOpen;
    return this.#wasOpen;
  }

  /** When the next datagram may leave. A few at once are worth waiting for: a timer costs more. */
  nextAt(now: Instant): Instant {
    const wanted = Math.max(this.#burstBytes / 4, this.#reopenBytes) - this.#tokens;
    return after(now, Math.max(wanted / this.#rate, 0.1));
  }

  /** A datagram left. */
  onSent(bytes: number): void {
    this.#tokens -= bytes;
  }

  /** Nobody waits for it any more: there is nothing to send, or something else holds it. */
  giveUp(): void {
    this.#isAwaited = false;
  }

  #refill(now: Instant): void {
    const elapsed = now - this.#updatedAt;
    if (elapsed <= 0) return;
    this.#updatedAt = now;
    const most = this.#isAwaited ? this.#lateBytes : this.#burstBytes;
    this.#tokens = Math.min(this.#tokens + elapsed * this.#rate, most);
  }
}
