import assert from "node:assert/strict";
import fc from "fast-check";
import { nextShare } from "../../../../lib/protocol/congestion/queue_share.ts";

const SIZE = 1472;

Deno.test("nextShare grows by half its allowance where there is no queue", () => {
  assert.equal(nextShare(100 * SIZE, 40, 0, SIZE), (100 + 0.5 * 1.2 * 10) * SIZE);
  assert.equal(nextShare(SIZE, 40, 0, SIZE), 2 * SIZE, "at least two datagrams of allowance");
});

Deno.test("nextShare brings any division of a link to equal shares and a short queue", () => {
  const anyShare = fc.double({ min: 0.01, max: 3, noNaN: true });
  fc.assert(
    fc.property(fc.array(anyShare, { minLength: 2, maxLength: 6 }), (divisions) => {
      const bdp = 340 * SIZE;
      let shares = divisions.map((division) => division * bdp);
      let queueMs = 0;
      for (let round = 0; round < 600; round++) {
        const inFlight = shares.reduce((a, b) => a + b, 0);
        queueMs = Math.max(inFlight / bdp - 1, 0) * 40;
        shares = shares.map((share) => nextShare(share, 40, queueMs, SIZE));
      }
      assert.ok(Math.max(...shares) / Math.min(...shares) < 1.1, `${shares}`);
      assert.ok(queueMs < 0.2 * 40, `${queueMs}`);
    }),
    { numRuns: 50 },
  );
});
