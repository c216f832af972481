/**
 * Bad luck for one run: a random subset of a path's limits and faults, each with a random strength.
 * No run is "a bit of all": what only breaks when, say, duplication meets a small MTU and nothing
 * else hides it, has its chance.
 */
import type { LinkOptions } from "./link.ts";
import type { Prng } from "./prng.ts";

/** Small links and large: from 256 kbit/s to 1 Gbit/s, spread evenly over the orders of magnitude. */
const SLOWEST_BYTES_PER_SECOND = 32_000;
const FASTEST_BYTES_PER_SECOND = 125_000_000;

/** IPv6's minimum, a tunnel's, PPPoE's and Ethernet's. */
const MTUS = [1280, 1400, 1492, 1500];

/** Draws the options of one direction. Delay is always there; up to 20 % are lost, more in bursts. */
export function randomFaults(prng: Prng): LinkOptions {
  const delayMs = prng.pick([0.1, 1, 10, 40, 100, 300]) * prng.between(0.5, 1);
  const faults: { -readonly [K in keyof LinkOptions]: LinkOptions[K] } = { delayMs };
  if (prng.chance(0.5)) {
    const orders = Math.log(FASTEST_BYTES_PER_SECOND / SLOWEST_BYTES_PER_SECOND);
    const rate = SLOWEST_BYTES_PER_SECOND * Math.exp(prng.between(0, orders));
    faults.rateBytesPerSecond = rate;
    // From a quarter to four times what the path itself holds, and never less than ten datagrams.
    faults.queueBytes = Math.max(15_000, rate * delayMs / 500 * 4 ** prng.between(-1, 1));
  }
  if (prng.chance(0.3)) faults.mtuBytes = prng.pick(MTUS);
  if (prng.chance(0.5)) {
    faults.jitterMs = prng.between(0.1, 30);
    faults.jitterKind = prng.pick(["smooth", "independent"]);
  }
  if (prng.chance(0.5)) faults.lossRate = prng.pick([0.001, 0.01, 0.05, 0.2]) * prng.fraction();
  if (prng.chance(0.3)) {
    faults.burstLoss = {
      enterRate: prng.between(0.0005, 0.02),
      leaveRate: 1 / prng.between(2, 8),
      lossRate: prng.between(0.3, 1),
    };
  }
  if (prng.chance(0.3)) faults.corruptRate = prng.between(0.0001, 0.05);
  if (prng.chance(0.3)) faults.duplicateRate = prng.between(0.001, 0.2);
  if (prng.chance(0.3)) {
    faults.reorderRate = prng.between(0.001, 0.2);
    faults.reorderMs = prng.between(0.5, 50);
  }
  return faults;
}
