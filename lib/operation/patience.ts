/**
 * Waiting for the other side, on a machine that may sleep meanwhile: where its clock ran on, a timer
 * comes due the moment it wakes, before anybody had a chance to be heard.
 */
import { WAKE_GAP_MS } from "../protocol/params.ts";
import { after, type Instant } from "../time.ts";
import type { Clock } from "../transport/clock.ts";

/** How long is waited at least after such a sleep, ms: for networks to come up and people to look. */
export const AWAKE_GRACE_MS = 60_000;

/**
 * Calls `onOver` once at `deadline`, or later when the machine slept until then.
 *
 * @returns A function that calls it off.
 */
export function waitUntil(clock: Clock, deadline: Instant, onOver: () => void): () => void {
  let cancel = clock.setTimer(deadline, () => {
    const now = clock.now();
    if (now - deadline <= WAKE_GAP_MS) return onOver();
    cancel = waitUntil(clock, after(now, AWAKE_GRACE_MS), onOver);
  });
  return () => cancel();
}
