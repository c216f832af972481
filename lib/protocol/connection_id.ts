/** Connection ids: 6 random bytes on the wire, one integer below 2^48 in tables. */
import type { RandomSource } from "../crypto/provider.ts";
import { CONNECTION_ID_BYTES } from "./params.ts";

/** The id at `offset`, as an integer. */
export function readConnectionId(bytes: Uint8Array, offset: number): number {
  const high = (bytes[offset]! << 8) | bytes[offset + 1]!;
  const low = ((bytes[offset + 2]! << 24) | (bytes[offset + 3]! << 16) |
    (bytes[offset + 4]! << 8) | bytes[offset + 5]!) >>> 0;
  return high * 0x1_0000_0000 + low;
}

/** Writes an id at the start of a packet, in a loop: for six bytes a call of the runtime costs more. */
export function writeConnectionId(id: Uint8Array, out: Uint8Array): void {
  for (let index = 0; index < CONNECTION_ID_BYTES; index++) out[index] = id[index]!;
}

/**
 * A new random id.
 *
 * @param isTaken Whether an id is in use already: two sessions under one id would lose both.
 */
export function createConnectionId(
  random: RandomSource,
  isTaken: (id: number) => boolean,
): Uint8Array {
  const id = new Uint8Array(CONNECTION_ID_BYTES);
  do random.fill(id); while (isTaken(readConnectionId(id, 0)));
  return id;
}
