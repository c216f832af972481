import assert from "node:assert/strict";
import fc from "fast-check";
import { RangeSet } from "../../../lib/transfer/receiving/range_set.ts";

Deno.test("RangeSet agrees with a set of positions", () => {
  const range = fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 20 }));
  fc.assert(
    fc.property(fc.array(range, { maxLength: 40 }), (ranges) => {
      const set = new RangeSet();
      const model = new Set<number>();
      const gaps: number[] = [];
      for (const [start, length] of ranges) {
        const expected: number[] = [];
        for (let at = start; at < start + length; at++) if (!model.has(at)) expected.push(at);
        const added = set.add(start, start + length, gaps);
        const found: number[] = [];
        for (let index = 0; index < gaps.length; index += 2) {
          for (let at = gaps[index]!; at < gaps[index + 1]!; at++) found.push(at);
        }
        assert.deepEqual(found, expected);
        assert.equal(added, expected.length);
        for (const at of expected) model.add(at);
      }
      let count = 0;
      for (let at = 0; at < 90; at++) {
        assert.equal(set.covers(at, at + 1), model.has(at));
        assert.equal(set.covers(at, at + 3), [0, 1, 2].every((more) => model.has(at + more)));
        if (model.has(at) && !model.has(at - 1)) count++;
      }
      assert.equal(set.count, count);
    }),
    { numRuns: 500 },
  );
});
