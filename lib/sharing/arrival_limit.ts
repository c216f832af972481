/**
 * How many sessions of one host may end without having been let in: each is told of, and whoever has
 * the code could fill screens and logs with them.
 */
import type { Instant } from "../time.ts";

/** Sessions of one host in a minute that were not let in, before more are turned away unheard. */
export const MAX_NOT_LET_IN = 32;

/** How long those are counted together, ms. */
export const ARRIVAL_WINDOW_MS = 60_000;

/** Hosts that are remembered. */
const MAX_HOSTS = 1024;

interface Count {
  readonly since: Instant;
  sessions: number;
  isSaid: boolean;
}

/** The counts of one share. */
export class ArrivalLimit {
  /** By host; the one whose minute began last is last. */
  readonly #counts = new Map<string, Count>();

  /** A session from a host ended that was not let in. */
  note(host: string, now: Instant): void {
    const known = this.#current(host, now);
    if (known !== undefined) {
      known.sessions++;
      return;
    }
    this.#counts.delete(host);
    this.#counts.set(host, { since: now, sessions: 1, isSaid: false });
    if (this.#counts.size > MAX_HOSTS) this.#counts.delete(this.#counts.keys().next().value!);
  }

  /**
   * Whether somebody new from a host is to be turned away: `first` the first time within a minute,
   * which is to be told.
   */
  refuses(host: string, now: Instant): false | "first" | "again" {
    const count = this.#current(host, now);
    if (count === undefined || count.sessions < MAX_NOT_LET_IN) return false;
    if (count.isSaid) return "again";
    count.isSaid = true;
    return "first";
  }

  #current(host: string, now: Instant): Count | undefined {
    const count = this.#counts.get(host);
    return count === undefined || now - count.since >= ARRIVAL_WINDOW_MS ? undefined : count;
  }
}
