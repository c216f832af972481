/**
 * Goal: `deno task bench:reliability` measures everything it says, whatever the sizes.
 * Method: the smallest sizes; calls of disks and kills are counted by tests of their own.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const BENCH = fileURLToPath(new URL("../../bench/reliability/run.ts", import.meta.url));

Deno.test("bench:reliability measures chaos, input, resuming and a soak", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const sizes = {
    only: "swarm,fuzzing,resuming,soak",
    "swarm-seeds": 3,
    "swarm-hours": 0.001,
    "fuzz-seconds": 0.02,
    "resume-gib": 0.05,
    "soak-minutes": 0.05,
    seed: 1,
  };
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", BENCH]
      .concat(Object.entries(sizes).flatMap(([name, size]) => [`--${name}`, `${size}`])),
  }).output();
  const [said, complaints] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  // How memory and times compare says nothing at such sizes, so the exit status says nothing either.
  const count = (pattern: RegExp): number => Number(pattern.exec(said!)?.[1]);
  assert.ok(count(/\| (\d+) +\| 0\.\d+ hours/) >= 3, said! + complaints!);
  assert.ok(count(/\| all \d+ +\| (\d+)/) > 0, said);
  assert.match(said!, /\| 53\.7 MB +\| [1-9]\d*\.\d MB/);
  assert.ok(count(/\| 0\.05 +\| (\d+)/) >= 2, said);
});
