/**
 * Down, the part of BBR's cycle in which inflight falls so that the queue empties and the path's own
 * round trip can be seen (draft-ietf-ccwg-bbr, section 5.3.3.1). A flow alone on its link only takes
 * its own queue away. With several flows nobody sees the empty queue like that, and newcomers would
 * take the standing queue for the path: then Down is deep, and waits a few round trips for the queue
 * to go.
 */
import type { Instant } from "../../time.ts";
import type { MinRtt } from "./min_rtt.ts";
import type { QueueWatch } from "./queue_watch.ts";

/** What is left of the share without its queue, and at least of the share itself. */
const OWN_SHARE = 0.98;
const MIN_SHARE = 0.88;
/** What is left of that when others are on the link; and how much of the share it may be queue. */
const DEEP_SHARE = 0.6;
const MIN_UNQUEUED = 0.5;
/** After how long without as low a sample Down is deep, ms; at least since the last Down. */
const DEEP_AFTER_MS = 2500;
/** And when the least round trip has become so much lower since the last: it may not be the least. */
const LOWER_SHARE = 0.95;
/** Round trips with little in flight after which a deep one is over, whatever was seen. */
const DEEP_ROUNDS = 3;
/**
 * A queue of this share of the round trip, and so many ms, so long after Down: a newcomer starts. All
 * flows of the link see it at once, and Down of all of them shows it the empty queue.
 */
const SURGE_SHARE = 0.7;
const SURGE_MS = 8;
const SURGE_PAUSE_MS = 500;
const SLACK_DATAGRAMS = 2;

/** One fall of inflight. */
export class Down {
  #share = OWN_SHARE;
  #isDeep = false;
  #isSearching = false;
  /** The least round trip when the last one began, ms. */
  #minRttMs = 0;
  #beganAt = 0;
  #fallenAt: number | undefined;
  #rounds = 0;

  /**
   * Begins.
   *
   * @param mustBeDeep Whether there are signs of others on the link.
   */
  begin(now: Instant, minRtt: MinRtt, queue: QueueWatch, mustBeDeep: boolean): void {
    const withinMs = Math.max(now - this.#beganAt, DEEP_AFTER_MS);
    const minRttMs = minRtt.valueMs;
    this.#isSearching = minRttMs < LOWER_SHARE * this.#minRttMs;
    this.#isDeep = mustBeDeep || this.#isSearching || !minRtt.isConfirmed(now, withinMs);
    this.#minRttMs = minRttMs;
    const unqueued = minRttMs / (minRttMs + queue.standingMs(minRttMs));
    this.#share = this.#isDeep
      ? DEEP_SHARE * Math.max(unqueued, MIN_UNQUEUED)
      : Math.max(OWN_SHARE * unqueued, MIN_SHARE);
    this.#beganAt = now;
    this.#fallenAt = undefined;
    this.#rounds = 0;
  }

  /** Whether the queue calls for one, a deep one, before its time. */
  isCalledFor(now: Instant, minRttMs: number, queue: QueueWatch): boolean {
    return this.ageMs(now) > SURGE_PAUSE_MS &&
      queue.recentMs(minRttMs) > Math.max(SURGE_SHARE * minRttMs, SURGE_MS);
  }

  /** Whether it takes so much away that a queue that is there nevertheless is not ours. */
  get isTest(): boolean {
    return this.#isDeep;
  }

  /** How long ago it began, ms. */
  ageMs(now: Instant): number {
    return now - this.#beganAt;
  }

  /**
   * The window meanwhile.
   *
   * @param bunchBytes What is acknowledged at once, at most: it counts as in flight for too long.
   */
  windowBytes(shareBytes: number, bunchBytes: number): number {
    return this.#share * shareBytes + (this.#isDeep ? 0 : bunchBytes);
  }

  /** Whether inflight has just fallen to the window. Tells it once. */
  handleInFlight(
    now: Instant,
    inFlightBytes: number,
    windowBytes: number,
    datagramBytes: number,
  ): boolean {
    if (this.#fallenAt !== undefined) return false;
    if (inFlightBytes > windowBytes + SLACK_DATAGRAMS * datagramBytes) return false;
    this.#fallenAt = now;
    return true;
  }

  /** Takes an ACK; whether it is over: the least round trip was seen, or looked for long enough. */
  isOver(now: Instant, minRtt: MinRtt, isRoundStart: boolean): boolean {
    if (this.#fallenAt === undefined) return false;
    if (isRoundStart) this.#rounds++;
    if (!this.#isDeep) return isRoundStart;
    if (this.#rounds >= DEEP_ROUNDS) return true;
    return !this.#isSearching && minRtt.isConfirmed(now, now - this.#fallenAt);
  }
}
