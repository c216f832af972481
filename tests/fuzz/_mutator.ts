/**
 * Changes an input into another, near it: bytes, numbers of the wire, and, where the format of a
 * target is known, whole pieces of it. All chance comes from a seed.
 */
import { concatBytes } from "../../lib/bytes/concat.ts";
import { ByteReader, MAX_VARINT, varintLength, writeVarint } from "../../lib/bytes/varint.ts";
import type { Prng } from "../support/prng.ts";

/** Takes an input apart into pieces that mean something, and puts pieces together again. */
export interface Pieces {
  /** The pieces of an input; what cannot be read is a piece of its own. */
  readonly split: (input: Uint8Array) => Uint8Array[];
  /** One input of pieces, with the lengths that belong to it. */
  readonly join: (pieces: readonly Uint8Array[]) => Uint8Array;
}

/** Longer inputs find nothing that shorter ones do not, and cost time. */
export const MAX_INPUT_BYTES = 16_384;

/** Where bounds are: of varints, of lengths, and of what the formats allow. */
const INTERESTING: readonly number[] = [
  ...[0, 1, 2, 3, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 1023, 1024, 1025, 4096, 4097],
  ...[16_383, 16_384, 32_767, 32_768, 65_535, 65_536, 262_144, 262_145, 999_999, 1_000_001],
  ...[1_048_575, 1_048_576, 1_048_577, 4_194_304, 268_435_457, 2 ** 30 - 1, 2 ** 30],
  ...[2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 51 - 1, 2 ** 52, MAX_VARINT - 1, MAX_VARINT],
];

/** One changed copy of `input`; `others` are inputs that parts may be taken from. */
export function mutate(
  input: Uint8Array,
  others: readonly Uint8Array[],
  prng: Prng,
  pieces?: Pieces,
): Uint8Array {
  let changed: Uint8Array = input.slice();
  for (let count = prng.pick([1, 1, 1, 2, 2, 3, 5]); count > 0; count--) {
    changed = pieces !== undefined && prng.chance(0.5)
      ? changePieces(changed, prng.pick(others), prng, pieces)
      : changeBytes(changed, prng.pick(others), prng);
  }
  return changed.length > MAX_INPUT_BYTES ? changed.slice(0, MAX_INPUT_BYTES) : changed;
}

function changePieces(
  input: Uint8Array,
  other: Uint8Array,
  prng: Prng,
  { split, join }: Pieces,
): Uint8Array {
  const list = split(input);
  const strange = split(other);
  const at = prng.integer(0, list.length);
  const there = Math.min(at, list.length - 1);
  switch (prng.integer(0, 5)) {
    case 0: // one less
      list.splice(at, 1);
      break;
    case 1: // one again, perhaps many times
      if (list.length > 0) {
        const count = prng.pick([1, 1, 2, 20]);
        list.splice(at, 0, ...Array.from({ length: count }, () => prng.pick(list)));
      }
      break;
    case 2: // one of another input
      if (strange.length > 0) list.splice(at, prng.integer(0, 1), prng.pick(strange));
      break;
    case 3: // two in the other order
      if (list.length > 1) {
        const with_ = prng.integer(0, list.length - 1);
        [list[there], list[with_]] = [list[with_]!, list[there]!];
      }
      break;
    case 4: // the rest of another input
      list.splice(at, Infinity, ...strange.slice(prng.integer(0, strange.length)));
      break;
    default: // one changed inside, its length made to fit
      if (list.length > 0) list[there] = changeBytes(list[there]!, other, prng);
  }
  return join(list);
}

function changeBytes(input: Uint8Array, other: Uint8Array, prng: Prng): Uint8Array {
  if (input.length === 0) return prng.bytes(prng.integer(1, 16));
  const bytes = input.slice();
  const at = prng.integer(0, bytes.length - 1);
  switch (prng.integer(0, 10)) {
    case 0:
      bytes[at]! ^= 1 << prng.integer(0, 7);
      return bytes;
    case 1:
      bytes[at] = prng.integer(0, 255);
      return bytes;
    case 2:
      bytes[at] = prng.pick([0x00, 0x01, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xfe, 0xff]);
      return bytes;
    case 3:
      return concatBytes(bytes.subarray(0, at), prng.bytes(prng.integer(1, 8)), bytes.subarray(at));
    case 4:
      return concatBytes(bytes.subarray(0, at), bytes.subarray(at + prng.integer(1, 8)));
    case 5:
      return bytes.slice(0, at);
    case 6: {
      const from = prng.integer(0, bytes.length - 1);
      const part = bytes.subarray(from, from + prng.integer(1, 32));
      return concatBytes(bytes.subarray(0, at), part, bytes.subarray(at));
    }
    case 7: {
      const from = prng.integer(0, other.length);
      return concatBytes(bytes.subarray(0, at), other.subarray(from, from + prng.integer(1, 64)));
    }
    case 8: {
      const value = prng.pick(INTERESTING) % 0x1_0000;
      bytes[at] = value >>> 8;
      if (at + 1 < bytes.length) bytes[at + 1] = value;
      return bytes;
    }
    default:
      return replaceVarint(bytes, at, prng);
  }
}

/** Puts another number where one might be, in its shortest form or, now and then, a longer one. */
function replaceVarint(bytes: Uint8Array, at: number, prng: Prng): Uint8Array {
  const reader = new ByteReader(bytes);
  reader.offset = at;
  const old = reader.varint();
  const value = prng.chance(0.5)
    ? prng.pick(INTERESTING)
    : Math.min(MAX_VARINT, Math.max(0, old + prng.integer(-2, 2)));
  const after = reader.ok ? reader.offset : Math.min(bytes.length, at + 1);
  return concatBytes(
    bytes.subarray(0, at),
    prng.chance(0.2) ? longVarint(value) : shortVarint(value),
    bytes.subarray(after),
  );
}

function shortVarint(value: number): Uint8Array {
  const out = new Uint8Array(varintLength(value));
  writeVarint(value, out, 0);
  return out;
}

function longVarint(value: number): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, BigInt(value) | (3n << 62n));
  return out;
}
