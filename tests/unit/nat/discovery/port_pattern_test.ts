import assert from "node:assert/strict";
import { findPortPattern } from "../../../../lib/nat/discovery/port_pattern.ts";
import { Prng } from "../../../support/prng.ts";

/** The pattern of ports given to sockets with other ones inside. */
function patternOf(...ports: readonly number[]): unknown {
  const { pattern, step } = findPortPattern(
    ports.map((port, index) => ({ localPort: 5000 + index, port })),
  );
  return step === undefined ? pattern : `${pattern} ${step}`;
}

Deno.test("findPortPattern knows nothing of nothing", () => {
  assert.deepEqual(findPortPattern([]), { pattern: "unknown" });
  assert.equal(patternOf(40_000), "unknown");
  assert.equal(patternOf(40_000, 40_001), "unknown", "two may be chance");
});

Deno.test("findPortPattern sees ports that are kept", () => {
  assert.equal(patternOf(5000), "preserving");
  assert.equal(patternOf(5000, 5001, 5002), "preserving");
  assert.equal(patternOf(5000, 40_000), "unknown", "one that is not kept");
  const unknownInside = findPortPattern([{ localPort: undefined, port: 5000 }]);
  assert.deepEqual(unknownInside, { pattern: "unknown", newestPort: 5000 });
});

Deno.test("findPortPattern sees steps of 1 to 16, with others in between", () => {
  assert.equal(patternOf(40_000, 40_001, 40_002), "sequential 1");
  assert.equal(patternOf(40_000, 40_002, 40_004, 40_006), "sequential 2");
  assert.equal(patternOf(40_000, 40_016, 40_032), "sequential 16");
  assert.equal(patternOf(40_000, 40_003, 40_004, 40_011), "sequential 1");
  assert.equal(patternOf(40_000, 40_017, 40_034), "random");
  assert.equal(patternOf(40_000, 40_001, 40_010), "random", "nine steps at once");
  assert.equal(patternOf(40_000, 40_002, 40_001, 40_003), "sequential 1", "one repeated request");
  assert.equal(patternOf(40_002, 40_001, 40_000), "random", "downwards");
  assert.equal(patternOf(80, 81, 82), "random", "no NAT hands out such ports in turn");
});

Deno.test("findPortPattern sees a step through the end of the ports", () => {
  assert.equal(patternOf(65_534, 65_535, 1024, 1025), "sequential 1");
});

Deno.test("findPortPattern takes ports that were kept for no part of a sequence", () => {
  assert.equal(patternOf(5000, 40_001, 40_002, 40_003), "sequential 1");
});

Deno.test("findPortPattern tells the newest port", () => {
  const samples = [1025, 50_000, 3000].map((port) => ({ localPort: 1, port }));
  assert.deepEqual(findPortPattern(samples), { pattern: "random", newestPort: 3000 });
});

Deno.test("findPortPattern calls random ports random", () => {
  const prng = new Prng(1);
  const draw = (low: number, high: number) =>
    patternOf(...[0, 1, 2].map(() => prng.integer(low, high)));
  const count = (low: number, high: number) =>
    Array.from({ length: 20_000 }, () => draw(low, high)).filter((found) => found !== "random")
      .length;
  assert.equal(count(6000, 65_535), 0);
  assert.ok(count(30_000, 31_023) < 20_000 * 0.01, "a block of 1024");
});
