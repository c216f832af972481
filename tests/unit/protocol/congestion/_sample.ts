/** Rate samples made by hand. */
import type { RateSample } from "../../../../lib/protocol/congestion/delivery_rate.ts";

/** A sample in which nothing is special but what is given. */
export function sampleOf(parts: Partial<RateSample>): RateSample {
  return {
    rate: 0,
    isAppLimited: false,
    delivered: 0,
    priorDelivered: 0,
    inFlightAtSend: 0,
    ackedBytes: 0,
    rttMs: Number.NaN,
    ackDelayMs: 0,
    ...parts,
  };
}
