/**
 * Goal: the link does what its options say, to the statistics' precision, and equally for equal
 * seeds. Method: many datagrams through one link; bounds are five standard errors wide, and the
 * seeds are fixed, so nothing here fails by chance.
 */
import assert from "node:assert/strict";
import { corruptDatagram, Link, type LinkOptions } from "../../support/link.ts";
import { Prng } from "../../support/prng.ts";

const COUNT = 100_000;

function link(options: LinkOptions, seed = 1): Link {
  return new Link(options, new Prng(seed));
}

/** Arrival times of `count` datagrams that enter `gapMs` apart; undefined for lost ones. */
function arrivals(
  model: Link,
  { count, gapMs, bytes = 1000 }: { count: number; gapMs: number; bytes?: number },
): (number | undefined)[] {
  return Array.from({ length: count }, (_, i) => model.admit(i * gapMs, bytes).arrivalMs);
}

function assertNear(actual: number, expected: number, margin: number): void {
  assert.ok(Math.abs(actual - expected) <= margin, `${actual} is not ${expected} ± ${margin}`);
}

Deno.test("Link without options carries everything at once", () => {
  const model = link({});
  assert.deepEqual(arrivals(model, { count: 3, gapMs: 5 }), [0, 5, 10]);
  assert.equal(model.counters.delivered, 3);
  assert.equal(model.counters.deliveredBytes, 3 * 1028);
});

Deno.test("Link delays by exactly its delay", () => {
  assert.deepEqual(arrivals(link({ delayMs: 25 }), { count: 3, gapMs: 1 }), [25, 26, 27]);
});

Deno.test("Link loses at random as often as asked", () => {
  const model = link({ lossRate: 0.05 });
  const lost = arrivals(model, { count: COUNT, gapMs: 1 }).filter((at) => at === undefined).length;
  assertNear(lost / COUNT, 0.05, 5 * Math.sqrt(0.05 * 0.95 / COUNT));
  assert.equal(model.counters.lost, lost);
  assert.equal(model.counters.delivered, COUNT - lost);
});

Deno.test("Link loses in bursts of the mean length asked for", () => {
  const model = link({ burstLoss: { enterRate: 0.01, leaveRate: 0.1 } });
  const lost = arrivals(model, { count: COUNT, gapMs: 1 }).map((at) => at === undefined);
  const bursts = lost.filter((now, i) => now && lost[i - 1] !== true).length;
  const total = lost.filter(Boolean).length;
  // Stationary share of the bad state: enter / (enter + leave).
  assertNear(total / COUNT, 0.01 / 0.11, 0.01);
  assertNear(total / bursts, 10, 5 * Math.sqrt(90 / bursts));
});

Deno.test("Link sends at exactly its rate, headers included", () => {
  const model = link({ rateBytesPerSecond: 1_000_000 });
  const times = arrivals(model, { count: 1000, gapMs: 0, bytes: 972 });
  // 972 + 28 = 1000 bytes take 1 ms.
  times.forEach((at, i) => assertNear(at!, i + 1, 1e-6));
});

Deno.test("Link does not save up an idle transmitter's time", () => {
  const model = link({ rateBytesPerSecond: 1_000_000 });
  model.admit(0, 972);
  assert.equal(model.admit(100, 972).arrivalMs, 101);
  assert.equal(model.admit(100, 972).arrivalMs, 102);
});

Deno.test("Link drops what its queue has no room for, and only that", () => {
  const model = link({ rateBytesPerSecond: 1_000_000, queueBytes: 5000 });
  const burst = Array.from({ length: 8 }, () => model.admit(0, 972).arrivalMs !== undefined);
  assert.deepEqual(burst, [true, true, true, true, true, false, false, false]);
  assert.equal(model.queuedBytes(0), 5000);
  assert.equal(model.counters.queueDropped, 3);
  // One millisecond later one datagram has left.
  assert.notEqual(model.admit(1, 972).arrivalMs, undefined);
  assert.equal(model.admit(1, 972).arrivalMs, undefined);
  assert.equal(model.queuedBytes(100), 0);
});

Deno.test("Link with an idle transmitter takes a datagram larger than its queue", () => {
  const model = link({ rateBytesPerSecond: 1_000_000, queueBytes: 100 });
  assert.equal(model.admit(0, 972).arrivalMs, 1);
});

Deno.test("Link drops datagrams above its MTU and carries those that just fit", () => {
  const model = link({ mtuBytes: 1280 });
  assert.notEqual(model.admit(0, 1252).arrivalMs, undefined);
  assert.equal(model.admit(0, 1253).arrivalMs, undefined);
  assert.equal(model.counters.mtuDropped, 1);
});

Deno.test("Link that is down drops everything until it is up", () => {
  const model = link({});
  model.up = false;
  assert.equal(model.admit(0, 10).arrivalMs, undefined);
  model.up = true;
  assert.equal(model.admit(1, 10).arrivalMs, 1);
  assert.equal(model.counters.downDropped, 1);
});

Deno.test("Link duplicates as often as asked, the copy never before the original", () => {
  const model = link({ duplicateRate: 0.1, delayMs: 10 });
  let duplicates = 0;
  for (let i = 0; i < COUNT; i++) {
    const { arrivalMs, duplicateMs } = model.admit(i, 100);
    if (duplicateMs === undefined) continue;
    duplicates++;
    assert.ok(duplicateMs >= arrivalMs!);
  }
  assertNear(duplicates / COUNT, 0.1, 5 * Math.sqrt(0.09 / COUNT));
  assert.equal(model.counters.delivered, COUNT + duplicates);
});

Deno.test("Link corrupts as often as asked, one bit inside the datagram", () => {
  const model = link({ corruptRate: 0.02 });
  let corrupted = 0;
  for (let i = 0; i < COUNT; i++) {
    const bit = model.admit(i, 3).corruptBit;
    if (bit === undefined) continue;
    corrupted++;
    const datagram = new Uint8Array(3);
    corruptDatagram(datagram, bit);
    assert.equal(datagram.filter((byte) => byte !== 0).length, 1);
  }
  assertNear(corrupted / COUNT, 0.02, 5 * Math.sqrt(0.0196 / COUNT));
  assert.equal(link({ corruptRate: 1 }).admit(0, 0).corruptBit, undefined);
});

Deno.test("Link with smooth jitter keeps the order and stays within the range", () => {
  const times = arrivals(link({ delayMs: 10, jitterMs: 8 }), { count: 20_000, gapMs: 0.7 });
  const extra = times.map((at, i) => at! - i * 0.7 - 10);
  assert.ok(times.every((at, i) => i === 0 || at! >= times[i - 1]!));
  assert.ok(extra.every((value) => value >= -1e-9 && value <= 8 + 1e-9));
  const mean = extra.reduce((sum, value) => sum + value, 0) / extra.length;
  assertNear(mean, 4, 0.5);
});

Deno.test("Link with independent jitter lets datagrams overtake one another", () => {
  const times = arrivals(link({ jitterMs: 8, jitterKind: "independent" }), {
    count: 1000,
    gapMs: 1,
  });
  assert.ok(times.some((at, i) => i > 0 && at! < times[i - 1]!));
  assert.ok(times.every((at, i) => at! >= i && at! <= i + 8));
});

Deno.test("Link holds datagrams back as often and as long as asked", () => {
  const model = link({ delayMs: 5, reorderRate: 0.1, reorderMs: 7 });
  const times = arrivals(model, { count: COUNT, gapMs: 1 });
  const late = times.filter((at, i) => at === i + 12).length;
  assert.equal(times.filter((at, i) => at === i + 5).length, COUNT - late);
  assertNear(late / COUNT, 0.1, 5 * Math.sqrt(0.09 / COUNT));
});

Deno.test("Link heal ends the faults and keeps what the path is like", () => {
  const path = { delayMs: 5, rateBytesPerSecond: 1e6, queueBytes: 9000, mtuBytes: 1400 };
  const model = link({
    ...path,
    jitterMs: 50,
    lossRate: 1,
    burstLoss: { enterRate: 1, leaveRate: 0 },
    corruptRate: 1,
    duplicateRate: 1,
    reorderRate: 1,
  });
  model.up = false;
  model.admit(0, 972);
  model.heal();
  const fate = model.admit(10, 972);
  assert.deepEqual({ ...fate }, { arrivalMs: 16, duplicateMs: undefined, corruptBit: undefined });
  assert.equal(model.admit(10, 1400).arrivalMs, undefined);
  assert.equal(model.options.queueBytes, 9000);
});

Deno.test("Link refuses options that mean nothing", () => {
  for (
    const options of [
      { lossRate: 1.1 },
      { delayMs: -1 },
      { jitterMs: NaN },
      { rateBytesPerSecond: 0 },
      { burstLoss: { enterRate: 2, leaveRate: 1 } },
    ]
  ) {
    assert.throws(() => link(options), RangeError);
  }
});

Deno.test("Link gives equal fates for equal seeds", () => {
  const options: LinkOptions = {
    delayMs: 20,
    jitterMs: 5,
    jitterKind: "independent",
    lossRate: 0.1,
    corruptRate: 0.1,
    duplicateRate: 0.1,
    reorderRate: 0.1,
    rateBytesPerSecond: 500_000,
    queueBytes: 20_000,
  };
  const trace = (seed: number) => {
    const model = link(options, seed);
    return Array.from({ length: 2000 }, (_, i) => ({ ...model.admit(i, 700) }));
  };
  assert.deepEqual(trace(11), trace(11));
  assert.notDeepEqual(trace(11), trace(12));
});
