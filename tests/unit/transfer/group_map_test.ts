import assert from "node:assert/strict";
import fc from "fast-check";
import { GroupMap } from "../../../lib/transfer/receiving/group_map.ts";

Deno.test("GroupMap agrees with a Map", () => {
  const step = fc.tuple(fc.nat(5), fc.constantFrom("add", "delete", "clear"));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const map = new GroupMap<string>();
      const model = new Map<number, string>();
      for (const [index, [group, what]] of steps.entries()) {
        if (what === "delete") {
          assert.equal(map.delete(group), model.delete(group));
        } else if (what === "clear") {
          map.clear();
          model.clear();
        } else if (!model.has(group)) {
          map.add(group, `${index}`);
          model.set(group, `${index}`);
        }
        assert.equal(map.size, model.size);
        for (let group = -1; group < 7; group++) assert.equal(map.get(group), model.get(group));
        assert.deepEqual(new Map(map.entries()), model);
        assert.equal(map.entries().length, model.size);
      }
    }),
    { numRuns: 500 },
  );
});
