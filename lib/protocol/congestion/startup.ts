/**
 * Startup of BBR (draft-ietf-ccwg-bbr, section 5.3.1): how its window grows, and what ends it beside
 * the search of `full_pipe.ts`. The draft doubles in each round trip until the path is full. Here the
 * window grows by twice what is acknowledged while there is no sign of a queue, and by as much as is
 * acknowledged from then on; and a queue ends Startup before it is as long as the path.
 */
import { INITIAL_WINDOW_DATAGRAMS } from "../params.ts";
import type { QueueWatch } from "./queue_watch.ts";
import type { RoundLosses } from "./round_losses.ts";

/** 4 · ln 2: doubles the rate in a round trip (draft, section 5.6.1). */
export const STARTUP_GAIN = 2.77;
/** What may be in flight, of what the largest rate needs. */
const WINDOW_GAIN = 2.5;
/** The rate is at least so many windows in a round trip: the first samples are of few datagrams. */
const RATE_BY_WINDOW = 2;
/** Below this share of the round trip, or so many ms, there is no sign of a queue. */
const QUIET_SHARE = 1 / 16;
const QUIET_MS = 1;
const QUIET_GROWTH = 2;
/** A queue of this share of the round trip, and so many ms, ends Startup. */
const FULL_SHARE = 0.2;
const FULL_MS = 5;
/** Losses in one round trip that may end it (draft, BBRStartupFullLossCnt). */
const FULL_LOSSES = 6;

/** Whether the queue tells that the path is full. */
export function hasStartupQueue(queue: QueueWatch, minRttMs: number): boolean {
  return queue.recentMs(minRttMs) > Math.max(FULL_SHARE * minRttMs, FULL_MS);
}

/** Whether the losses of a round trip tell that the path is full. */
export function hasStartupLosses(
  losses: RoundLosses,
  datagramBytes: number,
  hasQueue: boolean,
): boolean {
  return losses.packets >= FULL_LOSSES && losses.isTooHigh(datagramBytes, hasQueue);
}

/** The rate of Startup, bytes per millisecond, for the largest so far and a window. */
export function startupRate(maxRate: number, windowBytes: number, smoothedRttMs: number): number {
  return Math.max(STARTUP_GAIN * maxRate, RATE_BY_WINDOW * windowBytes / smoothedRttMs);
}

/**
 * The window after an ACK.
 *
 * @param maxRate The largest rate so far, bytes per millisecond. Until it is known well, at least what
 *   the connection began with is allowed on top of what it needs.
 */
export function startupWindow(
  windowBytes: number,
  ackedBytes: number,
  maxRate: number,
  minRttMs: number,
  queue: QueueWatch,
  datagramBytes: number,
): number {
  const most = WINDOW_GAIN * maxRate * minRttMs + INITIAL_WINDOW_DATAGRAMS * datagramBytes;
  if (windowBytes >= most) return windowBytes;
  const isQuiet = queue.recentMs(minRttMs) < Math.max(QUIET_SHARE * minRttMs, QUIET_MS);
  return windowBytes + (isQuiet ? QUIET_GROWTH : 1) * ackedBytes;
}
