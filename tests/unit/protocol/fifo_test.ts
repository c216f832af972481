import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import fc from "fast-check";
import { Fifo } from "../../../lib/protocol/fifo.ts";

type Step = { push: number } | { unshift: number } | { shift: number } | { clear: true };

const anySteps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ push: fc.nat(2000) }) },
    { weight: 3, arbitrary: fc.record({ unshift: fc.nat(3) }) },
    { weight: 6, arbitrary: fc.record({ shift: fc.nat(2000) }) },
    { weight: 1, arbitrary: fc.constant<Step>({ clear: true }) },
  ),
  { maxLength: 60, size: "max" },
);

Deno.test("Fifo equals an array, through compaction too", () => {
  fc.assert(
    fc.property(fc.nat(9000), anySteps, (atFirst, steps) => {
      const queue = new Fifo<number>();
      const model: number[] = [];
      let next = 0;
      const push = (times: number) => {
        for (let count = 0; count < times; count++) {
          queue.push(next);
          model.push(next++);
        }
      };
      push(atFirst);
      for (const step of steps) {
        if ("push" in step) push(step.push);
        else if ("unshift" in step) {
          for (let count = 0; count < step.unshift; count++) {
            queue.unshift(next);
            model.unshift(next++);
          }
        } else if ("shift" in step) {
          const taken = model.splice(0, step.shift);
          for (const item of taken) assert.equal(queue.shift(), item);
          if (taken.length < step.shift) assert.equal(queue.shift(), undefined);
        } else {
          queue.clear();
          model.length = 0;
        }
        assert.equal(queue.length, model.length);
        assert.equal(queue.peek(), model[0]);
      }
      for (const item of model) assert.equal(queue.shift(), item);
      assert.equal(queue.shift(), undefined);
    }),
    { numRuns: 30 },
  );
});

Deno.test("Fifo lets go of what was taken while others still wait", async () => {
  const queue = new Fifo<{ bytes: Uint8Array }>();
  queue.push({ bytes: new Uint8Array(1024) });
  queue.push({ bytes: new Uint8Array(1024) });
  const taken = new WeakRef(queue.shift()!);
  const waiting = new WeakRef(queue.peek()!);
  await endOfJob();
  v8.setFlagsFromString("--expose-gc");
  vm.runInNewContext("gc")();
  assert.ok(taken.deref() === undefined);
  assert.ok(waiting.deref() !== undefined);
  assert.equal(queue.length, 1);
});

/** A weak reference holds its target until the job that made it ends. */
function endOfJob(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
