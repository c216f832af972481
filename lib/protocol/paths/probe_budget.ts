/**
 * [PATH-4] How many packets may go to addresses that never answered: a peer can list whomever it
 * likes, and nobody else is to be flooded for it.
 */
import { MAX_UNPROVEN_PROBES } from "../params.ts";
import type { Instant } from "../../time.ts";

/** The time in which the whole budget comes back, ms. */
const REFILL_MS = 30_000;

/** A token bucket that begins full. */
export class ProbeBudget {
  #tokens = MAX_UNPROVEN_PROBES / 2;
  #updatedAt: Instant;

  constructor(now: Instant) {
    this.#updatedAt = now;
  }

  /** Takes one packet out of the budget; false when none is left now. */
  take(now: Instant): boolean {
    const refilled = (now - this.#updatedAt) / REFILL_MS * (MAX_UNPROVEN_PROBES / 2);
    this.#tokens = Math.min(this.#tokens + refilled, MAX_UNPROVEN_PROBES / 2);
    this.#updatedAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
