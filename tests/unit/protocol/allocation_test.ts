// Goal: a datagram that is sent, received and acknowledged leaves nothing for the garbage collector
// but the two views without which JavaScript cannot copy from one buffer into another.
// Method: two connections without cipher and network; the heap is looked at every few hundred
// datagrams, and what it grew by is summed up. The best of some rounds counts: in the first the
// compiler is still at work.
import assert from "node:assert/strict";
import { DirectPair, type DirectPairOptions } from "../../support/direct_pair.ts";
import { plainProvider } from "../../support/plain_provider.ts";

const ROUNDS = 12;
const STEPS = 100;
const STEP_DATAGRAMS = 300;
/** Beside the views: numbers that functions hand to one another outside of compiled code. */
const MOST_OTHER_BYTES = 80;

/** Bytes of heap that each of `count` steps takes, by the best of all rounds. */
function bytesPerStep(count: number, step: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    let grownBytes = 0;
    let before = Deno.memoryUsage().heapUsed;
    for (let index = 0; index < count; index++) {
      step();
      const now = Deno.memoryUsage().heapUsed;
      grownBytes += Math.max(now - before, 0);
      before = now;
    }
    least = Math.min(least, grownBytes / count);
  }
  return least;
}

const source = new Uint8Array(100_000);
const target = new Uint8Array(2000);

function bytesOfTwoViews(): number {
  return 2 * bytesPerStep(STEPS, () => {
    for (let index = 0; index < STEP_DATAGRAMS; index++) {
      target.set(source.subarray(index, index + 1443), index);
    }
  }) / STEP_DATAGRAMS;
}

const CASES: readonly [name: string, options: DirectPairOptions][] = [
  ["with CUBIC", { congestion: "cubic" }],
  ["with BBR", { congestion: "bbr" }],
  ["with BBR and 1 % loss", { congestion: "bbr", lossEvery: 100 }],
];
for (const [name, options] of CASES) {
  Deno.test(`Connection allocates nothing for a datagram but views, ${name}`, () => {
    const pair = new DirectPair(plainProvider, options);
    const bytes = bytesPerStep(STEPS, () => pair.run(STEP_DATAGRAMS)) / STEP_DATAGRAMS;
    const most = bytesOfTwoViews() + MOST_OTHER_BYTES;
    assert.ok(bytes <= most, `${bytes.toFixed(1)} bytes of heap for a datagram, not ${most}`);
  });
}
