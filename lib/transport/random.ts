import type { RandomSource } from "../crypto/provider.ts";

/** The system's cryptographic random generator. */
export const systemRandom: RandomSource = {
  fill(out) {
    // getRandomValues serves at most 65,536 bytes a call.
    for (let offset = 0; offset < out.length; offset += 65_536) {
      crypto.getRandomValues(out.subarray(offset, offset + 65_536) as Uint8Array<ArrayBuffer>);
    }
  },
};
