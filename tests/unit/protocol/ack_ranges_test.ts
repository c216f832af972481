// Goal: AckRanges is the set of packet numbers it was told, whatever the order.
// Method: random insertions and removals against a Set, ranges computed from the Set each time.
import assert from "node:assert/strict";
import fc from "fast-check";
import { AckRanges } from "../../../lib/protocol/ack_ranges.ts";
import { MAX_REMEMBERED_RANGES } from "../../../lib/protocol/params.ts";

type Range = [smallest: number, largest: number];

function rangesOf(ranges: AckRanges): Range[] {
  return Array.from(
    { length: ranges.count },
    (_, index) => [ranges.smallest(index), ranges.largest(index)],
  );
}

/** The ranges of a set, newest first. */
function modelRanges(numbers: ReadonlySet<number>): Range[] {
  const ranges: Range[] = [];
  for (const number of [...numbers].sort((a, b) => b - a)) {
    const last = ranges.at(-1);
    if (last && last[0] === number + 1) last[0] = number;
    else ranges.push([number, number]);
  }
  return ranges;
}

/** Drops the oldest ranges of a set until no more than the bound are left. */
function forgetOldest(numbers: Set<number>): void {
  for (const [smallest, largest] of modelRanges(numbers).slice(MAX_REMEMBERED_RANGES)) {
    for (let number = smallest; number <= largest; number++) numbers.delete(number);
  }
}

type Step = { add: number } | { removeBelow: number };

function steps(highest: number, maxLength: number): fc.Arbitrary<Step[]> {
  const number = fc.nat(highest);
  return fc.array(
    fc.oneof(
      { weight: 20, arbitrary: fc.record({ add: number }) },
      { weight: 1, arbitrary: fc.record({ removeBelow: number }) },
    ),
    { minLength: maxLength / 2, maxLength, size: "max" },
  );
}

function compareWithSet(allSteps: readonly Step[], base = 0): void {
  const ranges = new AckRanges();
  const numbers = new Set<number>();
  for (const step of allSteps) {
    if ("add" in step) {
      const number = base + step.add;
      assert.equal(ranges.add(number), !numbers.has(number), `add ${number}`);
      numbers.add(number);
      forgetOldest(numbers);
    } else {
      const bound = base + step.removeBelow;
      ranges.removeBelow(bound);
      for (const number of numbers) if (number < bound) numbers.delete(number);
    }
    assert.deepEqual(rangesOf(ranges), modelRanges(numbers));
  }
}

Deno.test("AckRanges equals a set while ranges join, split and go", () => {
  fc.assert(fc.property(steps(40, 60), (all) => compareWithSet(all)));
});

Deno.test("AckRanges equals a set that forgets its oldest ranges", () => {
  fc.assert(fc.property(steps(2000, 900), (all) => compareWithSet(all)), { numRuns: 10 });
});

Deno.test("AckRanges keeps numbers beyond 2^32 apart", () => {
  fc.assert(fc.property(steps(30, 40), (all) => compareWithSet(all, 2 ** 40)), { numRuns: 30 });
});

Deno.test("AckRanges keeps the newest 256 ranges", () => {
  const ranges = new AckRanges();
  for (let number = 0; number < 2 * MAX_REMEMBERED_RANGES + 20; number += 2) ranges.add(number);
  assert.equal(ranges.count, MAX_REMEMBERED_RANGES);
  assert.equal(ranges.largest(0), 2 * MAX_REMEMBERED_RANGES + 18);
  assert.equal(ranges.smallest(MAX_REMEMBERED_RANGES - 1), 20);
});

Deno.test("AckRanges has no room for a number older than 256 ranges", () => {
  const ranges = new AckRanges();
  for (let index = 0; index < MAX_REMEMBERED_RANGES; index++) ranges.add(100 + 2 * index);
  const before = rangesOf(ranges);
  ranges.add(50);
  assert.deepEqual(rangesOf(ranges), before);
});

Deno.test("AckRanges.removeBelow cuts a range in two and keeps the upper part", () => {
  const ranges = new AckRanges();
  for (const number of [1, 2, 3, 7, 8, 9]) ranges.add(number);
  ranges.removeBelow(8);
  assert.deepEqual(rangesOf(ranges), [[8, 9]]);
  ranges.removeBelow(10);
  assert.equal(ranges.count, 0);
});

Deno.test("AckRanges says what is news until three ACKs have named it", () => {
  const ranges = new AckRanges();
  for (const number of [1, 3, 5, 7]) ranges.add(number);
  const news = () => [0, 1, 2, 3].slice(0, ranges.count).map((index) => ranges.isNews(index));
  for (let acks = 0; acks < 3; acks++) {
    assert.deepEqual(news(), [true, true, true, true]);
    for (let index = 0; index < 4; index++) ranges.markTold(index);
  }
  assert.deepEqual(news(), [false, false, false, false]);
  ranges.add(2); // joins the two oldest
  assert.deepEqual(news(), [false, false, true]);
  ranges.add(8);
  ranges.add(4);
  assert.deepEqual(rangesOf(ranges), [[7, 8], [1, 5]]);
  assert.deepEqual(news(), [true, true]);
});
