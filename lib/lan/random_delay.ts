import type { RandomSource } from "../crypto/provider.ts";

/** A random time from `leastMs` to less than `mostMs`, so that neighbours do not speak at once. */
export function randomDelay(random: RandomSource, leastMs: number, mostMs: number): number {
  const bytes = new Uint8Array(2);
  random.fill(bytes);
  return leastMs + (mostMs - leastMs) * ((bytes[0]! << 8) | bytes[1]!) / 65_536;
}
