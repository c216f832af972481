/**
 * When the keys of a connection are replaced, and when the old ones go (docs/protocol.md, "Key
 * update"). How is in `lib/crypto/packet_sealer.ts` and `lib/crypto/packet_opener.ts`.
 */
import type { PacketOpener } from "../crypto/packet_opener.ts";
import type { PacketSealer } from "../crypto/packet_sealer.ts";
import { KEY_UPDATE_MS, KEY_UPDATE_PACKETS, LAST_PACKETS } from "./params.ts";
import type { RttEstimator } from "./rtt.ts";
import { after, type Instant } from "../time.ts";
import { Timer, type TimerTable } from "./timer_table.ts";

/** Probe timeouts for which packets under old keys may still come [KEY-3]. */
const OLD_KEY_TIMEOUTS = 3;
/** Probe timeouts between two updates: the peer must have forgotten the keys of before the first. */
const REST_TIMEOUTS = 2 * OLD_KEY_TIMEOUTS;
/** An update that was not yet allowed is looked at again after this, ms. */
const RETRY_MS = 60_000;

/** What {@linkcode KeyUpdates} works with. */
export interface KeyUpdatesOptions {
  /** Its keys are replaced when they are worn out, or the peer's were. */
  readonly sealer: PacketSealer;
  /** Tells of the peer's updates. */
  readonly opener: PacketOpener;
  /** Where {@linkcode Timer.KEY} and {@linkcode Timer.OLD_KEY} are armed. */
  readonly timers: TimerTable;
  /** Of the path. */
  readonly rtt: RttEstimator;
  /** Packets after which keys are replaced; less than the suite's number only in tests. */
  readonly packets?: number;
}

/** The key updates of one connection. */
export class KeyUpdates {
  readonly #sealer: PacketSealer;
  readonly #opener: PacketOpener;
  readonly #timers: TimerTable;
  readonly #rtt: RttEstimator;
  readonly #packets: number;
  readonly #wornOutPackets: number;
  #openerGeneration = 0;
  #nextAt: Instant;

  /** Arms the timer of the first update. */
  constructor(now: Instant, options: KeyUpdatesOptions) {
    this.#sealer = options.sealer;
    this.#opener = options.opener;
    this.#timers = options.timers;
    this.#rtt = options.rtt;
    const { suite } = options.sealer;
    this.#packets = options.packets ?? Math.min(KEY_UPDATE_PACKETS, suite.maxSealedPackets / 2);
    this.#wornOutPackets = suite.maxSealedPackets - LAST_PACKETS;
    this.#nextAt = now;
    this.#timers.set(Timer.KEY, after(now, KEY_UPDATE_MS));
  }

  /** Whether the present keys may seal nothing but the end, because no update came about [KEY-4]. */
  get isWornOut(): boolean {
    return this.#sealer.packetsSealed >= this.#wornOutPackets;
  }

  /** Before each packet: replaces keys that have sealed enough. */
  handleSealing(now: Instant): void {
    if (this.#sealer.packetsSealed >= this.#packets) this.begin(now);
  }

  /** Begins an update, or tries again later where none is allowed yet [KEY-1]. */
  begin(now: Instant): void {
    // A second update too soon would find a peer that still keeps the keys of before the first
    // (RFC 9001, section 6.5).
    if (!this.#sealer.canUpdateKeys || now < this.#nextAt) {
      this.#timers.set(Timer.KEY, after(now, RETRY_MS));
      return;
    }
    this.#sealer.updateKeys();
    this.#noteUpdate(now);
  }

  /** After each packet that opened: goes with the peer to new keys, before anything is sent [KEY-2]. */
  handleOpened(now: Instant): void {
    if (this.#opener.generation === this.#openerGeneration) return;
    this.#openerGeneration = this.#opener.generation;
    const keepMs = OLD_KEY_TIMEOUTS * this.#rtt.probeTimeoutMs;
    this.#timers.set(Timer.OLD_KEY, after(now, keepMs));
    this.#sealer.followUpdate(this.#openerGeneration);
    this.#noteUpdate(now);
  }

  #noteUpdate(now: Instant): void {
    this.#timers.set(Timer.KEY, after(now, KEY_UPDATE_MS));
    this.#nextAt = after(now, REST_TIMEOUTS * this.#rtt.probeTimeoutMs);
  }
}
