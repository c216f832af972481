/** Congestion control by name. */
import type { RandomSource } from "../../crypto/provider.ts";
import { Bbr } from "./bbr.ts";
import type { CongestionController } from "./controller.ts";
import { Cubic } from "./cubic.ts";

/** `bbr` models the path and tells loss from congestion; `cubic` is what most of the net uses. */
export type CongestionName = "bbr" | "cubic";

/** What is used unless something else is asked for. */
export const DEFAULT_CONGESTION: CongestionName = "cubic";

/**
 * Makes the controller of a path.
 *
 * @param datagramBytes Size of full datagrams at the start.
 * @param random Spreads probes, so that flows do not probe at once.
 */
export function createCongestion(
  name: CongestionName,
  datagramBytes: number,
  random: RandomSource,
): CongestionController {
  return name === "cubic" ? new Cubic(datagramBytes) : new Bbr(datagramBytes, random);
}
