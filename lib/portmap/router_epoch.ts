/**
 * Finds out from a router's clock that it lost its mappings. NAT-PMP and PCP put into every answer
 * how many seconds ago the router began; a router that began anew counts from zero again.
 */
import type { Instant } from "../time.ts";

/** Clocks may differ by one part in this. RFC 6887, section 8.5; RFC 6886, section 3.6, has 8. */
const DRIFT_PARTS = 16;

/** What delivery and whole seconds may hide. RFC 6887, section 8.5. */
const SLACK_SECONDS = 2;

/** The clock of one router. */
export class RouterEpoch {
  #last: { readonly epochSeconds: number; readonly at: Instant } | undefined;

  /** Notes the epoch of an answer that was asked for. */
  note(epochSeconds: number, now: Instant): void {
    this.#last = { epochSeconds, at: now };
  }

  /**
   * True when the router, by this epoch, began anew since the one noted last. A clock that runs ahead
   * of ours is no sign of that: this machine may have slept.
   */
  hasRestarted(epochSeconds: number, now: Instant): boolean {
    const last = this.#last;
    if (last === undefined) return false;
    const oursSeconds = (now - last.at) / 1000;
    const theirsSeconds = epochSeconds - last.epochSeconds;
    return theirsSeconds + SLACK_SECONDS < oursSeconds - oursSeconds / DRIFT_PARTS;
  }
}
