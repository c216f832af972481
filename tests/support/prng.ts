/**
 * The one source of chance in simulations: xoshiro128** (Blackman and Vigna, 2018), seeded through
 * SplitMix32. Fast, well spread and the same on every machine; it is no secret generator, though it
 * fills the place of one (`RandomSource`) so that keys, too, come from the seed.
 */
import type { RandomSource } from "../../lib/crypto/provider.ts";

/** A seeded generator. Equal seeds give equal sequences. */
export class Prng implements RandomSource {
  readonly #state = new Uint32Array(4);

  /** @param seed Any integer; only its low 32 bits count. */
  constructor(seed: number) {
    let mixed = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      mixed = (mixed + 0x9e3779b9) >>> 0;
      let z = mixed;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      this.#state[i] = z ^ (z >>> 16);
    }
  }

  /** An integer from 0 to 2^32 − 1. */
  nextUint32(): number {
    const state = this.#state;
    const [s0, s1, s2, s3] = [state[0]!, state[1]!, state[2]!, state[3]!];
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    const next2 = s2 ^ s0;
    const next3 = s3 ^ s1;
    state[1] = s1 ^ next2;
    state[0] = s0 ^ next3;
    state[2] = next2 ^ (s1 << 9);
    state[3] = rotateLeft(next3, 11);
    return result;
  }

  /** A number from 0 (included) to 1 (excluded), in steps of 2^−53. */
  fraction(): number {
    return ((this.nextUint32() >>> 5) * 2 ** 26 + (this.nextUint32() >>> 6)) / 2 ** 53;
  }

  /** A number from `low` (included) to `high` (excluded). */
  between(low: number, high: number): number {
    return low + this.fraction() * (high - low);
  }

  /** An integer from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  /** True with the given probability; 0 and 1 are certain and draw all the same. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length - 1)]!;
  }

  /** Overwrites all of `out`. */
  fill(out: Uint8Array): void {
    for (let i = 0; i < out.length; i += 4) {
      let word = this.nextUint32();
      for (let j = i; j < i + 4 && j < out.length; j++) {
        out[j] = word & 0xff;
        word >>>= 8;
      }
    }
  }

  /** `length` bytes. */
  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length);
    this.fill(out);
    return out;
  }

  /**
   * A generator of its own, whose draws do not disturb this one's: a part of the world that is
   * given one can change how often it draws without changing the luck of the others.
   */
  fork(): Prng {
    return new Prng(this.nextUint32());
  }
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
