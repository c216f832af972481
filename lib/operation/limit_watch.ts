/**
 * Finds out what limits a transfer, from what its connection accounts for, the processor time this
 * program takes, and what the other side says of itself; and tells the other side what it cannot see.
 *
 * The sending side sees nearly everything: what it waits for before each datagram. The receiving
 * side knows its own processor, and takes the rest from the sender.
 */
import type { LimitedBy, LimitReport } from "../events.ts";
import { PROGRESS_INTERVAL_MS } from "./progress_ticker.ts";
import type { Connection } from "../protocol/connection.ts";
import { Hold, type HoldId } from "../protocol/hold_times.ts";
import type { Limitation, LimitationReason } from "../protocol/limited_frame.ts";
import { after, type Instant } from "../time.ts";
import type { Clock } from "../transport/clock.ts";

/** What is judged is the last so long. */
const WINDOW_MS = 2000;
/** Less than this tells nothing. */
const MIN_WINDOW_MS = 1000;
/** For so long it must have been the same before it is said, or taken back. */
const STEADY_MS = 2000;
/** Share of lost packets from which a line is said to lose them. */
const LOSSY_SHARE = 0.01;
/** Below this share it is not said any more. */
const CLEAN_SHARE = 0.007;
/** Share of one processor from which the program could not do much more: it has one main thread. */
const BUSY_SHARE = 0.9;
/**
 * By so much timers of a program are late that gets too little of its processor: it waits for other
 * programs, or has a heap of datagrams before each timer. Elsewhere it is a millisecond.
 */
const LATE_MS = 10;
const PER_MILLION = 1e6;

/** What is needed of a connection. */
export type WatchedConnection = Pick<
  Connection,
  "holdTimes" | "limits" | "peerLimitation" | "tellLimitation" | "statistics"
>;

/** Whose connection it is. */
export interface LimitWatchOptions {
  readonly clock: Clock;
  readonly connection: WatchedConnection;
  /** Sender: whether the other side waits for something it asked for. Without it: a receiver. */
  readonly isAsked?: () => boolean;
}

interface Sample {
  readonly at: Instant;
  readonly holdMs: Float64Array;
  readonly sentPackets: number;
  readonly lostPackets: number;
  readonly processorMs: number;
  /** By how much it was taken too late. */
  readonly lateMs: number;
  readonly wasAsked: boolean;
}

/** How much this program has to do. */
type Load =
  | "light"
  /** Its timers are late. */
  | "late"
  /** It takes all of a processor. */
  | "full";

/** The watch over one transfer. */
export class LimitWatch {
  readonly #options: LimitWatchOptions;
  readonly #samples: Sample[] = [];
  /** What is said now, and since when. */
  #said: LimitReport | undefined;
  #saidAt: Instant;
  /** What would be said if it stays so. */
  #candidate: LimitedBy | undefined;
  #candidateAt: Instant;

  /** Begins now. */
  constructor(options: LimitWatchOptions) {
    this.#options = options;
    this.#saidAt = this.#candidateAt = options.clock.now();
    this.#samples.push(this.#sample());
  }

  /** Looks again; called every {@linkcode PROGRESS_INTERVAL_MS}. What limits, once it is steady. */
  poll(): LimitReport | undefined {
    const samples = this.#samples;
    const newest = this.#sample();
    samples.push(newest);
    while (samples.length > 2 && samples[1]!.at <= newest.at - WINDOW_MS) samples.shift();
    const oldest = samples[0]!;
    if (newest.at - oldest.at < MIN_WINDOW_MS) return undefined;
    const found = this.#judge(oldest, newest);
    if (found.limitedBy !== this.#candidate) {
      this.#candidate = found.limitedBy;
      this.#candidateAt = newest.at;
    }
    const isSteady = newest.at >= after(this.#candidateAt, STEADY_MS);
    // Figures change no more often than the rest.
    const isFresh = newest.at < after(this.#saidAt, STEADY_MS);
    const isHeld = !isSteady || (isFresh && this.#said !== undefined);
    if (isHeld && !this.#isNews(found)) return this.#said;
    this.#said = found;
    this.#saidAt = newest.at;
    this.#options.connection.tellLimitation(this.#toldAs(found));
    return found;
  }

  #sample(): Sample {
    const { clock, connection, isAsked } = this.#options;
    const { sentPackets, lostPackets, spuriousPackets } = connection.statistics;
    const now = clock.now();
    const before = this.#samples.at(-1)?.at ?? now;
    return {
      at: now,
      holdMs: connection.holdTimes(now).slice(),
      sentPackets,
      lostPackets: lostPackets - spuriousPackets,
      processorMs: clock.processorMs?.() ?? 0,
      lateMs: now - before - PROGRESS_INTERVAL_MS,
      wasAsked: isAsked?.() ?? false,
    };
  }

  /**
   * Whether the other side says it, where nothing was wrong so far: it has been the same for long
   * enough there.
   */
  #isNews({ limitedBy }: LimitReport): boolean {
    return !this.#options.isAsked && TOLD_TO_RECEIVERS.has(limitedBy) &&
      (this.#said === undefined || this.#said.limitedBy === "line");
  }

  #judge(oldest: Sample, newest: Sample): LimitReport {
    return this.#options.isAsked ? this.#judgeSending(oldest, newest) : this.#judgeReceiving();
  }

  get #load(): Load {
    const oldest = this.#samples[0]!;
    const newest = this.#samples.at(-1)!;
    const usedMs = newest.processorMs - oldest.processorMs;
    if (usedMs >= BUSY_SHARE * (newest.at - oldest.at)) return "full";
    // One long pause, as of a machine that slept, says nothing.
    const late = this.#samples.map(({ lateMs }) => lateMs).sort((a, b) => a - b);
    return late[late.length >> 1]! >= LATE_MS ? "late" : "light";
  }

  #judgeSending(oldest: Sample, newest: Sample): LimitReport {
    const { limits, peerLimitation } = this.#options.connection;
    const isPeerBusy = peerLimitation.reason === "processor";
    const load = this.#load;
    const hold = longest(oldest.holdMs, newest.holdMs);
    switch (hold) {
      case Hold.LIMIT:
        // Taken away since.
        if (limits.ownBytesPerSecond === Infinity) return { limitedBy: "line" };
        return { limitedBy: "limit", limitBytesPerSecond: limits.ownBytesPerSecond };
      case Hold.WISH:
        return { limitedBy: "peer-limit", limitBytesPerSecond: limits.wishBytesPerSecond };
      case Hold.CREDIT:
        return { limitedBy: isPeerBusy ? "peer-processor" : "peer-disk" };
      case Hold.APPLICATION:
        if (!this.#samples.some(({ wasAsked }) => wasAsked)) return { limitedBy: "peer" };
        return { limitedBy: load === "light" ? "disk" : "processor" };
      default:
        if (load === "full" || hold === Hold.NOTHING) return { limitedBy: "processor" };
        if (isPeerBusy) return { limitedBy: "peer-processor" };
        return this.#judgeLine(oldest, newest) ??
          { limitedBy: load === "late" ? "processor" : "line" };
    }
  }

  /** Losses, if there are enough of them. */
  #judgeLine(oldest: Sample, newest: Sample): LimitReport | undefined {
    const sent = newest.sentPackets - oldest.sentPackets;
    const lostShare = (newest.lostPackets - oldest.lostPackets) / Math.max(sent, 1);
    const leastShare = this.#said?.limitedBy === "loss" ? CLEAN_SHARE : LOSSY_SHARE;
    return lostShare >= leastShare ? { limitedBy: "loss", lostShare } : undefined;
  }

  #judgeReceiving(): LimitReport {
    const { reason, value } = this.#options.connection.peerLimitation;
    const load = this.#load;
    switch (reason) {
      case "limit":
        return { limitedBy: "peer-limit", limitBytesPerSecond: value };
      case "wish":
        return { limitedBy: "limit", limitBytesPerSecond: value };
      case "disk":
        return { limitedBy: "peer-disk" };
    }
    // A machine that has too much to do loses packets and keeps the sender waiting.
    if (load === "full") return { limitedBy: "processor" };
    switch (reason) {
      case "loss":
        return { limitedBy: "loss", lostShare: Math.min(value / PER_MILLION, 1) };
      case "processor":
        return { limitedBy: "peer-processor" };
      case "credit":
        return { limitedBy: load === "late" ? "processor" : "disk" };
      default:
        return { limitedBy: load === "late" ? "processor" : "line" };
    }
  }

  /** What the other side is told: of a receiver only what the sender cannot see. */
  #toldAs(report: LimitReport): Limitation {
    const { limitedBy, lostShare = 0, limitBytesPerSecond = 0 } = report;
    if (!this.#options.isAsked) {
      return { reason: limitedBy === "processor" ? "processor" : "none", value: 0 };
    }
    const value = limitedBy === "loss" ? lostShare * PER_MILLION : limitBytesPerSecond;
    return { reason: REASON_OF[limitedBy], value: Math.round(value) };
  }
}

/** A sender's reasons on the wire, where they are seen from the sender. */
const REASON_OF: Readonly<Record<LimitedBy, LimitationReason>> = {
  "line": "none",
  "loss": "loss",
  "limit": "limit",
  "peer-limit": "wish",
  "disk": "disk",
  "peer-disk": "credit",
  "processor": "processor",
  "peer-processor": "none",
  "peer": "credit",
};

/** What a receiver does not find out by itself: its own processor's part comes and goes. */
const TOLD_TO_RECEIVERS: ReadonlySet<LimitedBy> = new Set([
  "limit",
  "peer-limit",
  "loss",
  "peer-disk",
  "peer-processor",
]);

/** What held sending back the longest. */
function longest(before: Float64Array, now: Float64Array): HoldId {
  let longest = 0;
  for (let hold = 1; hold < now.length; hold++) {
    if (now[hold]! - before[hold]! > now[longest]! - before[longest]!) longest = hold;
  }
  return longest as HoldId;
}
