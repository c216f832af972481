/** Congestion control by name. */
import type { RandomSource } from "../../crypto/provider.ts";
import { Background } from "./background.ts";
import { Bbr } from "./bbr.ts";
import type { CongestionController } from "./controller.ts";
import { Cubic } from "./cubic.ts";

/**
 * `bbr` models the path and tells loss from congestion; `cubic` is what most of the net uses;
 * `background` gives way to all others.
 */
export type CongestionName = "bbr" | "cubic" | "background";

/** What is used unless something else is asked for. */
export const DEFAULT_CONGESTION: CongestionName = "bbr";

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
  switch (name) {
    case "bbr":
      return new Bbr(datagramBytes, random);
    case "cubic":
      return new Cubic(datagramBytes);
    case "background":
      return new Background(datagramBytes);
  }
}
