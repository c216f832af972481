/**
 * What an onlooker can make of datagrams: whether their bytes can be told from noise, whether
 * something that must not be seen stands in them, and what their lengths say.
 */
import assert from "node:assert/strict";
import { CONNECTION_ID_BYTES } from "../../lib/protocol/params.ts";

/** Degrees of freedom of a test of bytes. */
const BYTE_DEGREES = 255;
/** Fewest bytes from which the distribution of the statistic is that of the table. */
const MIN_BYTES = 256 * 5;

/**
 * The value that chi-square exceeds for even bytes with the probability of a standard normal variable
 * to exceed `z` (Wilson and Hilferty, 1931): 3.09 is one in 1,000, 4.75 one in 1,000,000, 6 one in
 * 1,000,000,000.
 */
export function chiSquareLimit(z: number, degrees = BYTE_DEGREES): number {
  const part = 2 / (9 * degrees);
  return degrees * (1 - part + z * Math.sqrt(part)) ** 3;
}

/** Counts of byte values. */
export class ByteCounts {
  readonly #counts = new Float64Array(256);
  /** How many bytes were counted. */
  total = 0;

  /** Counts bytes. */
  add(bytes: Uint8Array): void {
    for (const byte of bytes) this.#counts[byte]!++;
    this.total += bytes.length;
  }

  /** Counts one byte. */
  addByte(byte: number): void {
    this.#counts[byte]!++;
    this.total++;
  }

  /** How far the counts are from even. */
  get chiSquare(): number {
    const expected = this.total / 256;
    return this.#counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  }

  /** Fails when even bytes would look like this less often than `z` allows. */
  assertEven(what: string, z: number): void {
    assert.ok(this.total >= MIN_BYTES, `${what}: ${this.total} bytes say nothing`);
    const limit = chiSquareLimit(z);
    const { chiSquare } = this;
    assert.ok(
      chiSquare <= limit,
      `${what}: chi-square ${chiSquare} of ${this.total}, not ${limit}`,
    );
  }
}

/** How many positions behind the connection id are looked at one by one: header, sample, content. */
const POSITIONS = 40;

/**
 * Fails when the bytes behind the connection ids can be told from noise: all together, those at each
 * of the first positions, and how these change from one datagram to the next.
 *
 * @param datagrams Of one direction, in the order they were sent.
 * @param z As {@linkcode chiSquareLimit}, for each of the 81 tests.
 */
export function assertNoise(datagrams: readonly Uint8Array[], z: number): void {
  const all = new ByteCounts();
  for (const datagram of datagrams) all.add(datagram.subarray(CONNECTION_ID_BYTES));
  all.assertEven("all bytes", z);
  if (datagrams.length <= MIN_BYTES) return;
  for (let at = CONNECTION_ID_BYTES; at < CONNECTION_ID_BYTES + POSITIONS; at++) {
    const here = new ByteCounts();
    const changes = new ByteCounts();
    let before: number | undefined;
    for (const datagram of datagrams) {
      const byte = datagram[at];
      if (byte === undefined) continue;
      here.addByte(byte);
      if (before !== undefined) changes.addByte(byte ^ before);
      before = byte;
    }
    if (here.total < MIN_BYTES + 1) continue;
    here.assertEven(`byte ${at}`, z);
    changes.assertEven(`changes of byte ${at}`, z);
  }
}

/** What must not be seen, by what it is. */
export type Needles = Readonly<Record<string, Uint8Array>>;

/** Fails when a needle stands in a datagram; each must be long enough not to be there by chance. */
export function assertHidden(datagrams: readonly Uint8Array[], needles: Needles): void {
  // Latin 1 keeps each byte a character, and searching strings is quick.
  const latin1 = (bytes: Uint8Array): string => {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return text;
  };
  const texts = datagrams.map(latin1);
  for (const [what, needle] of Object.entries(needles)) {
    assert.ok(needle.length >= 6, `${what} may be there by chance`);
    const hidden = latin1(needle);
    for (const text of texts) assert.ok(!text.includes(hidden), `${what} is in clear`);
  }
}
