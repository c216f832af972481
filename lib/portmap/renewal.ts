/** When a lease is to be renewed: at half of it, then at half of what is left, until it has ended. */
import { after, type Instant } from "../time.ts";
import type { Clock } from "../transport/clock.ts";
import { EXCHANGE_LIMIT_MS } from "./router_exchange.ts";

/**
 * Bounds of what a router may grant, seconds. A lease of seconds would be a load on the network and
 * one of weeks would never be looked at again.
 */
const MIN_LIFETIME_SECONDS = 60;
const MAX_LIFETIME_SECONDS = 86_400;

/** A renewal that cannot end before the lease does is not begun. */
const LAST_RENEWAL_MS = 2 * EXCHANGE_LIMIT_MS;

/** What {@linkcode Renewal} calls. */
export interface RenewalEvents {
  /** Ask again. */
  readonly onDue: () => void;
  /** The lease has ended. */
  readonly onExpired: () => void;
}

/** The deadlines of one lease. */
export class Renewal {
  readonly #clock: Clock;
  readonly #events: RenewalEvents;
  #expiresAt: Instant | undefined;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, events: RenewalEvents) {
    this.#clock = clock;
    this.#events = events;
  }

  /** A lease began, or was renewed. */
  handleGranted(lifetimeSeconds: number): void {
    const seconds = Math.min(Math.max(lifetimeSeconds, MIN_LIFETIME_SECONDS), MAX_LIFETIME_SECONDS);
    this.#expiresAt = after(this.#clock.now(), seconds * 1000);
    this.#arm();
  }

  /** The router did not answer when it was asked again. */
  handleSilence(): void {
    if (this.#expiresAt !== undefined) this.#arm();
  }

  /** Disarms. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#expiresAt = undefined;
  }

  #arm(): void {
    this.#cancel?.();
    const expiresAt = this.#expiresAt!;
    const leftMs = expiresAt - this.#clock.now();
    this.#cancel = leftMs > LAST_RENEWAL_MS
      ? this.#clock.setTimer(after(this.#clock.now(), leftMs / 2), this.#events.onDue)
      : this.#clock.setTimer(expiresAt, () => {
        this.stop();
        this.#events.onExpired();
      });
  }
}
