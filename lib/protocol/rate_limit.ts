/**
 * [RATE-1] A limit of bytes a second, as a token bucket that one or several connections draw from
 * before their pacers. It counts what is in flight, datagrams whole, as the socket sees them: headers,
 * encryption and what is sent again are in it, the 28 or 48 bytes of IP and UDP are not. Of what a
 * datagram of 1472 bytes costs a line this is 2 % less, of the file's bytes in it 3 % more, so that
 * the limit is true within 5 % whichever of them is looked at. ACKs alone, and probes of paths and
 * sizes, neither wait nor count: a hundred bytes a second, and ten kilobytes once.
 *
 * Not a pacer: how fast the path takes bytes is the congestion controller's matter.
 */
import {
  BURST_MS,
  ETHERNET_DATAGRAM_BYTES_V4,
  MAX_RATE_LIMIT_DEBT_BYTES,
  MIN_RATE_LIMIT_BYTES,
  RATE_LIMIT_BURST_MS,
  RATE_LIMIT_CATCH_UP_MS,
} from "./params.ts";
import { after, type Instant } from "../time.ts";

/** Full datagrams in a second of a limit, at least, where they are larger than Ethernet's. */
const DATAGRAMS_PER_SECOND = 100;

/** One bucket. It starts empty and may go below zero, so that the mean is exact. */
export class RateLimit {
  /** Bytes per millisecond; infinite while nothing is limited. */
  #rate: number;
  #tokens = 0;
  #updatedAt: Instant;
  /** Once empty it stays closed until here, for all who draw from it: then they take turns. */
  #closedUntil: Instant;
  #hasReopened = true;
  /** Somebody waits for it to open. */
  #isAwaited = false;

  /**
   * Begins now.
   *
   * @param bytesPerSecond From {@linkcode MIN_RATE_LIMIT_BYTES}; without it there is no limit.
   * @throws {RangeError} If it is less, or no number.
   */
  constructor(now: Instant, bytesPerSecond?: number) {
    this.#updatedAt = this.#closedUntil = now;
    this.#rate = perMillisecond(bytesPerSecond);
  }

  /** The limit, in bytes per second; infinite without one. */
  get bytesPerSecond(): number {
    return this.#rate * 1000;
  }

  /**
   * Sets another limit from now on.
   *
   * @param bytesPerSecond As for the constructor.
   * @throws {RangeError} As the constructor.
   */
  setRate(now: Instant, bytesPerSecond?: number): void {
    const rate = perMillisecond(bytesPerSecond);
    this.#refill(now);
    // What was saved or owed under the old limit is as much time under the new one.
    this.#tokens = this.#rate === Infinity || rate === Infinity
      ? 0
      : this.#tokens / this.#rate * rate;
    this.#rate = rate;
    this.#closedUntil = now;
  }

  /** Whether a datagram may leave now. */
  isOpen(now: Instant): boolean {
    if (this.#rate === Infinity) return true;
    if (now < this.#closedUntil) return false;
    this.#refill(now);
    this.#isAwaited = this.#tokens <= 0;
    if (!this.#isAwaited) return true;
    this.#hasReopened = false;
    // Until there is something for a burst: a timer sleeps so long anyway.
    this.#closedUntil = after(now, BURST_MS - this.#tokens / this.#rate);
    return false;
  }

  /** When it opens again, while it is not open. */
  get opensAt(): Instant {
    return this.#closedUntil;
  }

  /** Whether so much is owed that probes after a timeout wait as well [RATE-3]. */
  get isOverdrawn(): boolean {
    return this.#tokens < -MAX_RATE_LIMIT_DEBT_BYTES;
  }

  /** Whether it has opened since it was last closed; told once. */
  takeReopened(now: Instant): boolean {
    if (this.#hasReopened || now < this.#closedUntil) return false;
    this.#hasReopened = true;
    return true;
  }

  /** A datagram left. Probes after a timeout leave although it is closed, and are owed. */
  onSent(bytes: number): void {
    if (this.#rate !== Infinity) this.#tokens -= bytes;
  }

  #refill(now: Instant): void {
    const elapsedMs = now - this.#updatedAt;
    if (elapsedMs <= 0) return;
    this.#updatedAt = now;
    const most = this.#rate * (this.#isAwaited ? RATE_LIMIT_CATCH_UP_MS : RATE_LIMIT_BURST_MS);
    if (this.#tokens < most) {
      this.#tokens = Math.min(this.#tokens + elapsedMs * this.#rate, most);
    }
  }
}

/** All limits of one connection [RATE-2]. */
export class SendLimits {
  readonly #wish: RateLimit | undefined;
  readonly #all: readonly RateLimit[];

  /**
   * Begins now.
   *
   * @param limits `shared`: with other connections; `ownBytesPerSecond`: of this one;
   *   `wishBytesPerSecond`: what the peer asked for, 0 for nothing.
   */
  constructor(
    now: Instant,
    limits: {
      readonly shared: RateLimit | undefined;
      readonly ownBytesPerSecond: number | undefined;
      readonly wishBytesPerSecond: number;
    },
  ) {
    const { shared, ownBytesPerSecond, wishBytesPerSecond } = limits;
    if (wishBytesPerSecond > 0) this.#wish = new RateLimit(now, wishBytesPerSecond);
    const own = ownBytesPerSecond === undefined ? undefined : new RateLimit(now, ownBytesPerSecond);
    this.#all = [shared, own, this.#wish].filter((limit) => limit !== undefined);
  }

  /**
   * Full datagrams under these limits. Those larger than Ethernet's are there to save work where much
   * is sent; a slow session would get one at a time, and then nothing for long.
   *
   * @param most What the path carries.
   */
  datagramBytes(most: number): number {
    if (most <= ETHERNET_DATAGRAM_BYTES_V4) return most;
    let bytes = most;
    for (const limit of this.#all) {
      bytes = Math.min(bytes, limit.bytesPerSecond / DATAGRAMS_PER_SECOND);
    }
    return Math.max(Math.floor(bytes), ETHERNET_DATAGRAM_BYTES_V4);
  }

  /** The limit that lets nothing out now, if one does. */
  holdingAt(now: Instant): RateLimit | undefined {
    for (const limit of this.#all) if (!limit.isOpen(now)) return limit;
    return undefined;
  }

  /** The limit that lets not even a probe out now, if one does [RATE-3]. */
  holdingProbesAt(now: Instant): RateLimit | undefined {
    for (const limit of this.#all) if (!limit.isOpen(now) && limit.isOverdrawn) return limit;
    return undefined;
  }

  /** Whether a limit is the peer's wish. */
  isWish(limit: RateLimit): boolean {
    return limit === this.#wish;
  }

  /** The least limit of this side, bytes per second; infinite without one. */
  get ownBytesPerSecond(): number {
    return Math.min(
      ...this.#all.filter((limit) => limit !== this.#wish).map((limit) => limit.bytesPerSecond),
    );
  }

  /** What the peer asked for, bytes per second; infinite when nothing. */
  get wishBytesPerSecond(): number {
    return this.#wish?.bytesPerSecond ?? Infinity;
  }

  /** A datagram left. Probes after a timeout leave although it is closed, and are owed. */
  onSent(bytes: number): void {
    for (const limit of this.#all) limit.onSent(bytes);
  }
}

function perMillisecond(bytesPerSecond = Infinity): number {
  if (bytesPerSecond >= MIN_RATE_LIMIT_BYTES) return bytesPerSecond / 1000;
  throw new RangeError(
    `Cannot limit to ${bytesPerSecond} bytes per second: at least ${MIN_RATE_LIMIT_BYTES}`,
  );
}
