import assert from "node:assert/strict";
import fc from "fast-check";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { GroupHashes } from "../../../lib/transfer/receiving/group_hashes.ts";
import { TreeHasher } from "../../../lib/transfer/hash_tree.ts";

function hashOf(group: number): Uint8Array {
  return nodeProvider.sha256(new Uint8Array([group, group >> 8]));
}

Deno.test("GroupHashes makes the root of the tree, in whatever order hashes come [XFER-12]", () => {
  const orders = fc.integer({ min: 0, max: 3000 }).chain((count) =>
    fc.tuple(
      fc.integer({ min: 0, max: count }),
      fc.integer({ min: 1, max: 50 }),
      fc.constant(count),
    )
  );
  fc.assert(
    fc.property(orders, ([start, step, count]) => {
      const tree = new TreeHasher(nodeProvider);
      for (let group = 0; group < count; group++) tree.push(hashOf(group));
      for (const known of [count, Infinity]) {
        const hashes = new GroupHashes(nodeProvider, known);
        // From the middle to the end, then every so many of the first ones, then the rest.
        for (let group = start; group < count; group++) hashes.add(group, hashOf(group));
        for (let from = step - 1; from >= 0; from--) {
          for (let group = from; group < start; group += step) hashes.add(group, hashOf(group));
        }
        assert.equal(hashes.count, count);
        assert.deepEqual(hashes.root(), tree.root());
      }
    }),
    { numRuns: 25 },
  );
});
