/**
 * One direction of a network path, as a pure model: what becomes of a datagram that enters at a
 * given time. It holds no datagrams and no timers; `SimWorld` runs it on virtual time and
 * `link_emulator.ts` on the system's.
 *
 * A datagram passes, in this order: the cut cable (`up`), the MTU, the drop-tail queue in front of
 * the transmitter, the transmitter (rate), then the wire: random loss, burst loss, damage,
 * duplication, delay with jitter, reordering. Loss comes after the transmitter, as on a radio: a
 * lost datagram has used its share of the rate.
 */
import type { Prng } from "./prng.ts";

/** IPv4 and UDP headers; every datagram is counted with them. */
const IP_UDP_BYTES = 28;

/** Properties of a path, which stay, and faults, which {@linkcode Link.heal} ends. */
export interface LinkOptions {
  /** Time on the wire (default 0). */
  readonly delayMs?: number;
  /** Bytes per second, IP and UDP headers included (default unlimited). */
  readonly rateBytesPerSecond?: number;
  /** What waits in front of the transmitter, headers included (default unlimited). */
  readonly queueBytes?: number;
  /** Largest IP packet: a datagram of more than this minus 28 bytes is dropped (default unlimited). */
  readonly mtuBytes?: number;

  /** Fault: extra delay from 0 to this many milliseconds. */
  readonly jitterMs?: number;
  /**
   * How the extra delay changes. `smooth` (default): it wanders, as a queue elsewhere fills and
   * drains, and datagrams keep their order. `independent`: each datagram has its own, so that they
   * overtake one another.
   */
  readonly jitterKind?: "smooth" | "independent";
  /** Fault: probability that a datagram is lost. */
  readonly lossRate?: number;
  /** Fault: losses that come together (Gilbert and Elliott). */
  readonly burstLoss?: BurstLoss;
  /** Fault: probability that bits of a datagram are flipped. */
  readonly corruptRate?: number;
  /** Fault: probability that a datagram arrives twice. */
  readonly duplicateRate?: number;
  /** Fault: probability that a datagram is held back. */
  readonly reorderRate?: number;
  /** How long it is held back (default 10 ms). */
  readonly reorderMs?: number;
}

/** A two-state channel: datagrams are lost only while it is bad. */
export interface BurstLoss {
  /** Probability, at each datagram, that a good channel turns bad. */
  readonly enterRate: number;
  /** Probability, at each datagram, that a bad channel turns good; 1 / the mean burst length. */
  readonly leaveRate: number;
  /** Probability that a datagram is lost while the channel is bad (default 1). */
  readonly lossRate?: number;
}

/** What becomes of one datagram. The link reuses one object: read it before the next call. */
export interface Fate {
  /** When the first copy arrives; undefined when nothing does. */
  arrivalMs: number | undefined;
  /** When a second copy arrives, if there is one. */
  duplicateMs: number | undefined;
  /** The bit to flip in every copy, counted from the first bit of the datagram, if any. */
  corruptBit: number | undefined;
}

/** How many datagrams met which end. */
export interface LinkCounters {
  entered: number;
  enteredBytes: number;
  delivered: number;
  deliveredBytes: number;
  lost: number;
  queueDropped: number;
  mtuDropped: number;
  downDropped: number;
  corrupted: number;
  duplicated: number;
  reordered: number;
}

/** A path without any fault or limit. */
const PERFECT: Required<LinkOptions> = {
  delayMs: 0,
  rateBytesPerSecond: Number.POSITIVE_INFINITY,
  queueBytes: Number.POSITIVE_INFINITY,
  mtuBytes: Number.POSITIVE_INFINITY,
  jitterMs: 0,
  jitterKind: "smooth",
  lossRate: 0,
  burstLoss: { enterRate: 0, leaveRate: 1 },
  corruptRate: 0,
  duplicateRate: 0,
  reorderRate: 0,
  reorderMs: 10,
};

/** The smooth extra delay heads for a new value this often. */
const JITTER_STEP_MS = 20;

/** One direction of a path. */
export class Link {
  /** While false, everything is dropped. */
  up = true;
  /** Totals since the beginning. Bytes are counted with {@linkcode IP_UDP_BYTES}. */
  readonly counters: LinkCounters = {
    entered: 0,
    enteredBytes: 0,
    delivered: 0,
    deliveredBytes: 0,
    lost: 0,
    queueDropped: 0,
    mtuDropped: 0,
    downDropped: 0,
    corrupted: 0,
    duplicated: 0,
    reordered: 0,
  };
  readonly #prng: Prng;
  readonly #fate: Fate = { arrivalMs: undefined, duplicateMs: undefined, corruptBit: undefined };
  #options: Required<LinkOptions>;
  // When the transmitter will have sent everything that was queued so far.
  #freeMs = Number.NEGATIVE_INFINITY;
  #lastInOrderMs = Number.NEGATIVE_INFINITY;
  #channelBad = false;
  #jitterFromMs = 0;
  #jitterFrom = 0;
  #jitterTo = 0;

  constructor(options: LinkOptions, prng: Prng) {
    this.#options = checked({ ...PERFECT, ...options });
    this.#prng = prng;
  }

  /** What the link is like now. */
  get options(): Required<LinkOptions> {
    return this.#options;
  }

  /** Changes properties or faults; what is on its way already is not touched. */
  change(options: LinkOptions): void {
    this.#options = checked({ ...this.#options, ...options });
  }

  /** Ends every fault; delay, rate, queue and MTU stay, for they are what the path is like. */
  heal(): void {
    const { delayMs, rateBytesPerSecond, queueBytes, mtuBytes } = this.#options;
    this.#options = { ...PERFECT, delayMs, rateBytesPerSecond, queueBytes, mtuBytes };
    this.up = true;
    this.#channelBad = false;
  }

  /** Bytes in front of the transmitter, headers included. */
  queuedBytes(nowMs: number): number {
    const rate = this.#options.rateBytesPerSecond;
    return rate === Number.POSITIVE_INFINITY
      ? 0
      : Math.max(0, (this.#freeMs - nowMs) * rate / 1000);
  }

  /**
   * Lets a datagram in.
   *
   * @param nowMs Never before an earlier call's.
   * @param datagramBytes Without IP and UDP headers.
   * @returns What becomes of it; the object is reused by the next call.
   */
  admit(nowMs: number, datagramBytes: number): Fate {
    const { delayMs, rateBytesPerSecond: rate, queueBytes, mtuBytes } = this.#options;
    const fate = this.#fate;
    fate.arrivalMs = fate.duplicateMs = fate.corruptBit = undefined;
    const wireBytes = datagramBytes + IP_UDP_BYTES;
    this.counters.entered++;
    this.counters.enteredBytes += wireBytes;

    if (!this.up) {
      this.counters.downDropped++;
      return fate;
    }
    if (wireBytes > mtuBytes) {
      this.counters.mtuDropped++;
      return fate;
    }

    let sentMs = nowMs;
    if (rate !== Number.POSITIVE_INFINITY) {
      // An idle transmitter takes a datagram whatever the queue holds.
      const idle = this.#freeMs <= nowMs;
      if (!idle && this.queuedBytes(nowMs) + wireBytes > queueBytes) {
        this.counters.queueDropped++;
        return fate;
      }
      sentMs = (idle ? nowMs : this.#freeMs) + wireBytes * 1000 / rate;
      this.#freeMs = sentMs;
    }

    if (this.#isLost()) {
      this.counters.lost++;
      return fate;
    }
    fate.arrivalMs = this.#arrival(sentMs, delayMs);
    this.#count(wireBytes);
    if (this.#draw(this.#options.corruptRate) && datagramBytes > 0) {
      fate.corruptBit = this.#prng.integer(0, datagramBytes * 8 - 1);
      this.counters.corrupted++;
    }
    if (this.#draw(this.#options.duplicateRate)) {
      fate.duplicateMs = fate.arrivalMs + this.#prng.between(0, 1 + delayMs / 4);
      this.counters.duplicated++;
      this.#count(wireBytes);
    }
    return fate;
  }

  #count(wireBytes: number): void {
    this.counters.delivered++;
    this.counters.deliveredBytes += wireBytes;
  }

  #draw(rate: number): boolean {
    return rate > 0 && this.#prng.chance(rate);
  }

  #isLost(): boolean {
    let lost = this.#draw(this.#options.lossRate);
    const { enterRate, leaveRate, lossRate = 1 } = this.#options.burstLoss;
    if (this.#draw(this.#channelBad ? leaveRate : enterRate)) this.#channelBad = !this.#channelBad;
    if (this.#channelBad && this.#draw(lossRate)) lost = true;
    return lost;
  }

  #arrival(sentMs: number, delayMs: number): number {
    const { jitterMs, jitterKind, reorderRate, reorderMs } = this.#options;
    let arrivalMs = sentMs + delayMs;
    if (this.#draw(reorderRate)) {
      this.counters.reordered++;
      return arrivalMs + reorderMs;
    }
    if (jitterMs > 0 && jitterKind === "independent") {
      return arrivalMs + this.#prng.between(0, jitterMs);
    }
    if (jitterMs > 0) arrivalMs += this.#smoothJitter(sentMs, jitterMs);
    if (arrivalMs < this.#lastInOrderMs) arrivalMs = this.#lastInOrderMs;
    this.#lastInOrderMs = arrivalMs;
    return arrivalMs;
  }

  #smoothJitter(sentMs: number, jitterMs: number): number {
    let elapsedMs = sentMs - this.#jitterFromMs;
    if (elapsedMs >= 2 * JITTER_STEP_MS) {
      // Nothing was sent for a while: wherever it wandered meanwhile is a fresh draw.
      this.#jitterFrom = this.#prng.between(0, jitterMs);
      this.#jitterTo = this.#prng.between(0, jitterMs);
      this.#jitterFromMs = sentMs;
      elapsedMs = 0;
    } else if (elapsedMs >= JITTER_STEP_MS) {
      this.#jitterFrom = this.#jitterTo;
      this.#jitterTo = this.#prng.between(0, jitterMs);
      this.#jitterFromMs += JITTER_STEP_MS;
      elapsedMs -= JITTER_STEP_MS;
    }
    return this.#jitterFrom + (this.#jitterTo - this.#jitterFrom) * elapsedMs / JITTER_STEP_MS;
  }
}

function checked(options: Required<LinkOptions>): Required<LinkOptions> {
  const { burstLoss, ...flat } = options;
  for (const [name, value] of [...Object.entries(flat), ...Object.entries(burstLoss)]) {
    if (typeof value !== "number") continue;
    const isProbability = name.endsWith("Rate");
    if (!(value >= 0) || (isProbability && value > 1)) {
      throw new RangeError(`Cannot use ${value} as ${name} of a link`);
    }
  }
  if (options.rateBytesPerSecond === 0) {
    throw new RangeError("Cannot use 0 as rateBytesPerSecond of a link: set up to false instead");
  }
  return options;
}

/** Flips the bit a {@linkcode Fate} names. */
export function corruptDatagram(datagram: Uint8Array, bit: number): void {
  datagram[bit >> 3]! ^= 1 << (bit & 7);
}
