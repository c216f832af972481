/** What several tests of this folder share: both providers, chosen randomness, small shorthands. */
import { decodeHex } from "../../../lib/bytes/hex.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { portableProvider } from "../../../lib/crypto/portable_provider.ts";
import type { CryptoProvider, RandomSource } from "../../../lib/crypto/provider.ts";

/** Every claim about a provider is made of both. */
export const PROVIDERS: readonly CryptoProvider[] = [nodeProvider, portableProvider];

/** Gives exactly the bytes of `hex`, once. */
export function fixedRandom(hex: string): RandomSource {
  return { fill: (out) => out.set(decodeHex(hex)) };
}

/** A different byte each time, and the same ones for the same seed. */
export function countingRandom(seed = 1): RandomSource {
  let state = seed >>> 0;
  return {
    fill(out) {
      for (let index = 0; index < out.length; index++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        out[index] = state >>> 24;
      }
    },
  };
}

/** ASCII. */
export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** `length` bytes from {@linkcode countingRandom}. */
export function someBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  countingRandom(seed).fill(bytes);
  return bytes;
}

/** A plain array, so that views and copies compare alike. */
export function plain(bytes: Uint8Array | undefined): number[] | undefined {
  return bytes && [...bytes];
}
