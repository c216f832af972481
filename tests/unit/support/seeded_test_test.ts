import assert from "node:assert/strict";
import { replayCommand, runSeed, seededTest, seedsOf } from "../../support/seeded_test.ts";

Deno.test("seedsOf runs the fixed seeds, then fresh ones, or only the one asked for", () => {
  assert.deepEqual(seedsOf(3, undefined, undefined), [1, 2, 3]);
  assert.deepEqual(seedsOf(3, 77, 10), [77]);
  assert.deepEqual(seedsOf(3, undefined, 2), [1, 2]);
  const many = seedsOf(3, undefined, 6);
  assert.deepEqual(many.slice(0, 3), [1, 2, 3]);
  assert.equal(new Set(many).size, 6);
});

Deno.test("replayCommand quotes a name for the shell", () => {
  assert.equal(
    replayCommand('carries "all" of $HOME', 7),
    'SIM_SEED=7 deno task test:sim --filter "carries \\"all\\" of \\$HOME"',
  );
});

Deno.test("runSeed tells a failure with the command that replays it and keeps the cause", async () => {
  const cause = new Error("byte 3 differs");
  await assert.rejects(
    runSeed("transfer survives", 9, () => Promise.reject(cause)),
    (error: unknown) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, /SIM_SEED=9 deno task test:sim --filter "transfer survives"/);
      assert.equal(error.cause, cause);
      return true;
    },
  );
});

const seen: number[] = [];
seededTest("seededTest runs its body once per seed", 4, (seed) => {
  seen.push(seed);
});
Deno.test("seededTest ran every fixed seed in order", () => {
  assert.deepEqual(seen, [1, 2, 3, 4]);
});
