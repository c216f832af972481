/**
 * Goal: wrong symbols are named exactly, or nothing is named.
 * Method: the syndrome depends on the differences only, so for every length the differences are
 * tried against the checksum of the text that is all zeros: all single ones, pairs by sample.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { bech32m } from "npm:@scure/base@2.4.0";
import { checksumSyndrome, locateErrors } from "../../../lib/bytes/bech32m_errors.ts";

const MIN_LENGTH = 40;
const MAX_LENGTH = 120;
/** BIP 173: up to here any two words differ in at least five symbols. */
const LENGTH_OF_DISTANCE_FIVE = 89;

/** The syndrome of a correct word in which the symbols at `indexes` were changed by `differences`. */
function syndromeOf(length: number, indexes: readonly number[], differences: readonly number[]) {
  const symbols = new Uint8Array(length);
  const correct = checksumSyndrome("p2p", symbols, 0);
  for (const [at, index] of indexes.entries()) symbols[index] = differences[at]!;
  return checksumSyndrome("p2p", symbols, correct);
}

const difference = fc.integer({ min: 1, max: 31 });

function placesIn(count: number, length: number): fc.Arbitrary<number[]> {
  return fc.uniqueArray(fc.nat(length - 1), { minLength: count, maxLength: count })
    .map((places) => places.sort((a, b) => a - b));
}

/** A length, `count` places below it and a difference for each. */
function damage(count: number, maxLength = MAX_LENGTH) {
  return fc.integer({ min: MIN_LENGTH, max: maxLength }).chain((length) =>
    fc.tuple(
      fc.constant(length),
      placesIn(count, length),
      fc.array(difference, { minLength: count, maxLength: count }),
    )
  );
}

Deno.test("checksumSyndrome is 0 for the valid strings of BIP 350", () => {
  const valid = [
    "a1lqfn3a",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
  ];
  for (const text of valid) {
    const separator = text.lastIndexOf("1");
    const symbols = Uint8Array.from(
      text.slice(separator + 1),
      (character) => "qpzry9x8gf2tvdw0s3jn54khce6mua7l".indexOf(character),
    );
    assert.equal(checksumSyndrome(text.slice(0, separator), symbols, 0), 0, text);
    assert.notEqual(checksumSyndrome("x" + text.slice(0, separator), symbols, 0), 0, text);
    assert.equal(checksumSyndrome(text.slice(0, separator), symbols, 0x2a), 0x2a, text);
  }
});

Deno.test("checksumSyndrome agrees with @scure/base", () => {
  fc.assert(fc.property(fc.array(fc.nat(31), { maxLength: 150 }), (words) => {
    const text = bech32m.encode("p2p", words, false);
    const symbols = Uint8Array.from(
      text.slice(4),
      (character) => "qpzry9x8gf2tvdw0s3jn54khce6mua7l".indexOf(character),
    );
    assert.equal(checksumSyndrome("p2p", symbols, 0), 0);
  }));
});

Deno.test("locateErrors names every single wrong symbol, whatever the length", () => {
  for (let length = MIN_LENGTH; length <= MAX_LENGTH; length++) {
    const correct = checksumSyndrome("p2p", new Uint8Array(length), 0);
    const symbols = new Uint8Array(length);
    for (let index = 0; index < length; index++) {
      for (let value = 1; value < 32; value++) {
        symbols[index] = value;
        const found = locateErrors(checksumSyndrome("p2p", symbols, correct), length, []);
        if (found?.length !== 1 || found[0] !== index) {
          assert.fail(`${length} symbols, ${value} at ${index}: ${found}`);
        }
      }
      symbols[index] = 0;
    }
  }
});

Deno.test("locateErrors finds nothing wrong where nothing is", () => {
  assert.deepEqual(locateErrors(0, 45, []), []);
});

Deno.test("locateErrors names any two wrong symbols among at most 89", () => {
  fc.assert(
    fc.property(damage(2, LENGTH_OF_DISTANCE_FIVE), ([length, places, differences]) => {
      const syndrome = syndromeOf(length, places, differences);
      assert.deepEqual(locateErrors(syndrome, length, []), places);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("locateErrors names two wrong symbols or nothing above 89", () => {
  const runs = 3000;
  let silent = 0;
  fc.assert(
    fc.property(damage(2), ([length, places, differences]) => {
      const found = locateErrors(syndromeOf(length, places, differences), length, []);
      if (found === undefined) silent++;
      else assert.deepEqual(found, places);
    }),
    { numRuns: runs },
  );
  // One in 300 at 120 symbols.
  assert.ok(silent < runs / 50, `nothing named in ${silent} of ${runs} cases`);
});

Deno.test("locateErrors says nothing when two pairs explain the same syndrome", () => {
  // The halves of a word of weight four, found by search among 100 symbols.
  const syndrome = syndromeOf(100, [3, 13], [17, 16]);
  assert.equal(syndromeOf(100, [78, 92], [9, 8]), syndrome);
  assert.equal(locateErrors(syndrome, 100, []), undefined);
  // With the first ten symbols gone only one of the pairs is left.
  assert.deepEqual(locateErrors(syndrome, 90, []), [68, 82]);
});

Deno.test("locateErrors finds one more wrong symbol beside an unreadable one", () => {
  fc.assert(
    fc.property(damage(2), fc.boolean(), ([length, places, differences], firstUnreadable) => {
      const [unreadable, other] = firstUnreadable ? places : [places[1], places[0]];
      const syndrome = syndromeOf(length, places, differences);
      assert.deepEqual(locateErrors(syndrome, length, [unreadable!]), [other]);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("locateErrors takes unreadable symbols as the whole damage when they are", () => {
  // An unreadable symbol may be one that happens to be right, so differences of 0 count too.
  const anyDifference = fc.nat(31);
  fc.assert(
    fc.property(damage(2), anyDifference, anyDifference, ([length, places], a, b) => {
      assert.deepEqual(locateErrors(syndromeOf(length, places, [a, b]), length, places), []);
      const [first] = places;
      assert.deepEqual(locateErrors(syndromeOf(length, [first!], [a]), length, [first!]), []);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("locateErrors never explains a third wrong symbol beside two unreadable ones", () => {
  fc.assert(
    fc.property(damage(3), ([length, places, differences]) => {
      const syndrome = syndromeOf(length, places, differences);
      assert.equal(locateErrors(syndrome, length, places.slice(0, 2)), undefined);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("locateErrors says nothing about long texts and many unreadable symbols", () => {
  assert.equal(locateErrors(1, 161, []), undefined);
  assert.deepEqual(locateErrors(1, 160, []), [159]);
  assert.equal(locateErrors(0, 45, [1, 2, 3]), undefined);
});
