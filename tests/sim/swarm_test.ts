/**
 * Goal: whatever befalls a transfer, no file is ever wrong, and when the troubles are over it comes
 * to its end by itself or by the same command again, within bounds of time and memory.
 * Method: share() and receive() as a user calls them, in virtual time, over a line with faults, on
 * disks that lose what was not synced; each seed turns on a random subset of troubles. In the end
 * both trees are compared, after a power cut.
 */
import assert from "node:assert/strict";
import { seededTest } from "../support/seeded_test.ts";
import { Swarm } from "../support/swarm.ts";

/** A run keeps some worlds alive; this is far more than they take. */
const MAX_HEAP_BYTES = 500_000_000;

seededTest("a transfer comes to its end whatever befalls it", 400, async (seed) => {
  const swarm = new Swarm(seed);
  try {
    await swarm.run();
  } catch (cause) {
    throw new Error(`It went like this:\n${swarm.troubles.join("\n")}`, { cause });
  }
  const { heapUsed, external } = Deno.memoryUsage();
  assert.ok(heapUsed + external < MAX_HEAP_BYTES, `${heapUsed + external} bytes are in use`);
});
