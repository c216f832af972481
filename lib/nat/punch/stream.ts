/**
 * Probes that are sent round after round: to each candidate, to port after port, out of one socket
 * after the other. A stream knows when its next probe is due and where it goes, and makes good at
 * most 20 ms of time in which its owner slept: no burst follows a late timer.
 */
import { after, type Instant, NEVER } from "../../time.ts";
import type { SocketAddress } from "../address.ts";
import type { PunchBudget } from "./budget.ts";

/** Where a probe goes. */
export interface PunchTarget {
  /** Index of the local socket. */
  readonly socket: number;
  /** The address to ask. */
  readonly remote: SocketAddress;
  /** How many routers it may pass; undefined for all there are. */
  readonly hops?: number | undefined;
}

/** What a stream consists of. */
export interface PunchStreamOptions {
  /** When the first round begins. */
  readonly startAt: Instant;
  /** Probes in a round; asked again each time, so it may grow while the round runs. */
  readonly count: (round: number) => number;
  /**
   * From the start of a round to that of the next, ms, or as long as the round takes should that be
   * longer; infinite after the last.
   */
  readonly gapMs: (round: number) => number;
  /** Between two probes of a round, ms; 0 for all at once. */
  readonly spacingMs: number;
  /** Where a probe goes. */
  readonly target: (index: number, round: number) => PunchTarget;
  /** What its probes are taken from; such a stream is a spray, and stops when someone was heard. */
  readonly budget?: PunchBudget | undefined;
  /** Waits until this one has finished a round. */
  readonly following?: PunchStream | undefined;
}

/** How much of lost time is made good. */
const CATCH_UP_MS = 20;

/** One series of probes. */
export class PunchStream {
  readonly #options: PunchStreamOptions;
  #round = 0;
  #index = 0;
  #roundStartedAt: Instant;
  #pacedAt: Instant;
  #hasFinishedRound = false;

  /** Nothing is sent before `startAt`. */
  constructor(options: PunchStreamOptions) {
    this.#options = options;
    this.#roundStartedAt = options.startAt;
    this.#pacedAt = options.startAt;
  }

  /** Whether its probes are limited by a budget. */
  get isSpray(): boolean {
    return this.#options.budget !== undefined;
  }

  /** When it wants to send. */
  get nextAt(): Instant {
    const { count, gapMs, budget, following } = this.#options;
    if (following !== undefined && !following.#hasFinishedRound) return NEVER;
    const dueAt = this.#index < count(this.#round)
      ? this.#pacedAt
      : Math.max(this.#pacedAt, after(this.#roundStartedAt, gapMs(this.#round)));
    return Math.max(dueAt, budget?.nextAt ?? Number.NEGATIVE_INFINITY) as Instant;
  }

  /** The next probe; undefined when it is too early, or the round that begins is empty. */
  take(now: Instant): PunchTarget | undefined {
    if (now < this.nextAt) return undefined;
    const { count, spacingMs, budget, target } = this.#options;
    if (this.#index >= count(this.#round)) {
      this.#round++;
      this.#index = 0;
    }
    if (this.#index === 0) {
      this.#roundStartedAt = now;
      this.#pacedAt = Math.max(this.#pacedAt, now) as Instant;
    }
    if (this.#index >= count(this.#round)) return undefined;
    this.#pacedAt = after(Math.max(this.#pacedAt, now - CATCH_UP_MS) as Instant, spacingMs);
    budget?.spend(now);
    const next = target(this.#index++, this.#round);
    if (this.#index >= count(this.#round)) this.#hasFinishedRound = true;
    return next;
  }
}
