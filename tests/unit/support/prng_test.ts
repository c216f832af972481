import assert from "node:assert/strict";
import { Prng } from "../../support/prng.ts";

Deno.test("Prng gives equal sequences for equal seeds and others for others", () => {
  const draw = (seed: number) => {
    const prng = new Prng(seed);
    return Array.from({ length: 50 }, () => prng.nextUint32());
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
  assert.notDeepEqual(draw(0), draw(1));
});

Deno.test("Prng keeps its sequence from release to release, or kept seeds mean nothing", () => {
  const prng = new Prng(1);
  assert.deepEqual(Array.from({ length: 4 }, () => prng.nextUint32()), [
    2442144158,
    3238099751,
    3819917871,
    2104621829,
  ]);
});

Deno.test("Prng spreads evenly over 16 cells", () => {
  const prng = new Prng(3);
  const cells = new Uint32Array(16);
  const draws = 160_000;
  for (let i = 0; i < draws; i++) cells[prng.integer(0, 15)]!++;
  // Chi-squared with 15 degrees of freedom: above 37.7 in one of a thousand seeds.
  const expected = draws / 16;
  const chi = cells.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  assert.ok(chi < 37.7, `chi-squared ${chi}`);
});

Deno.test("Prng draws within bounds", () => {
  const prng = new Prng(4);
  const seen = new Set<number>();
  for (let i = 0; i < 2000; i++) {
    const fraction = prng.fraction();
    assert.ok(fraction >= 0 && fraction < 1);
    const between = prng.between(-2, 3);
    assert.ok(between >= -2 && between < 3);
    seen.add(prng.integer(5, 7));
  }
  assert.deepEqual([...seen].sort(), [5, 6, 7]);
  assert.equal(prng.chance(0), false);
  assert.equal(prng.chance(1), true);
});

Deno.test("Prng fills every byte of any length, the same way", () => {
  for (const length of [0, 1, 3, 4, 5, 33]) {
    const bytes = new Prng(9).bytes(length);
    assert.equal(bytes.length, length);
    assert.deepEqual(bytes, new Prng(9).bytes(length));
  }
  assert.ok(new Set(new Prng(9).bytes(1000)).size > 200);
});

Deno.test("Prng fork is not disturbed by later draws of its parent", () => {
  const parent = new Prng(5);
  const child = parent.fork();
  const expected = new Prng(5).fork().bytes(40);
  parent.nextUint32();
  assert.deepEqual(child.bytes(40), expected);
});
