import assert from "node:assert/strict";
import { Lanes } from "../../../lib/storage/lanes.ts";

Deno.test("Lanes runs a few at a time, in order, and goes on after a failure", async () => {
  const lanes = new Lanes(2);
  const log: string[] = [];
  const finish: (() => void)[] = [];
  const task = (name: string) =>
    lanes.run(async () => {
      log.push(`+${name}`);
      await new Promise<void>((resolve) => finish.push(resolve));
      log.push(`-${name}`);
      if (name === "b") throw new Error("b failed");
    });
  const results = Promise.allSettled(["a", "b", "c", "d"].map(task));
  let isIdle = false;
  const idle = lanes.idle().then(() => void (isIdle = true));
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await null;
  };
  await settle();
  assert.deepEqual(log, ["+a", "+b"]);
  finish[1]!();
  await settle();
  assert.deepEqual(log, ["+a", "+b", "-b", "+c"]);
  finish[0]!();
  await settle();
  assert.deepEqual(log, ["+a", "+b", "-b", "+c", "-a", "+d"]);
  assert.equal(isIdle, false);
  finish[2]!();
  finish[3]!();
  const settled = await results;
  assert.deepEqual(settled.map((result) => result.status), [
    "fulfilled",
    "rejected",
    "fulfilled",
    "fulfilled",
  ]);
  await idle;
  await lanes.idle();
});
