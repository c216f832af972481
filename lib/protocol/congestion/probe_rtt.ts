/**
 * ProbeRTT: inflight is cut for a moment so that the path's own round trip can be seen
 * (draft-ietf-ccwg-bbr, section 5.3.4). All flows of a link that look for it at once empty its queue.
 */
import type { Instant } from "../../time.ts";

/** How long inflight stays low, ms; at least a round trip. */
const LOW_MS = 200;
/** What is left of the share. */
const SHARE = 0.05;

/** One search for the least round trip. */
export class ProbeRtt {
  #endsAt = 0;
  #hasFallen = false;
  #hasRoundPassed = false;

  /** Begins. */
  begin(): void {
    this.#hasFallen = false;
    this.#hasRoundPassed = false;
  }

  /** The window meanwhile. */
  windowBytes(shareBytes: number): number {
    return SHARE * shareBytes;
  }

  /** Whether inflight has just fallen to the window. Tells it once; the caller begins a round. */
  handleInFlight(now: Instant, inFlightBytes: number, windowBytes: number): boolean {
    if (this.#hasFallen || inFlightBytes > windowBytes) return false;
    this.#hasFallen = true;
    this.#endsAt = now + LOW_MS;
    return true;
  }

  /** Takes an ACK; whether it is over. */
  isOver(now: Instant, isRoundStart: boolean): boolean {
    if (!this.#hasFallen) return false;
    if (isRoundStart) this.#hasRoundPassed = true;
    return this.#hasRoundPassed && now > this.#endsAt;
  }
}
