/** Goal: ratios are those of one run, and aims are held against the right rows. */
import assert from "node:assert/strict";
import { median, percentile, spread } from "../../../bench/process/statistics.ts";
import {
  isReached,
  peakMegabytes,
  ratioOfSmallFiles,
  shareOfLine,
  speedRatio,
  TARGETS,
} from "../../../bench/process/targets.ts";
import { benchRow } from "./_bench_row.ts";

Deno.test("median is the middle value, or the mean of the two", () => {
  assert.equal(median([3]), 3);
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

Deno.test("percentile is the value that so many do not exceed", () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.equal(percentile(values, 0.95), 95);
  assert.equal(percentile([7], 0), 7);
});

Deno.test("spread of one value has no brackets", () => {
  assert.equal(spread([], 1), "–");
  assert.equal(spread([2.26], 1), "2.3");
  assert.equal(spread([3, 1, 2], 0), "2 (1–3)");
});

Deno.test("speedRatio pairs the runs before it takes the median", () => {
  // A slow minute of the machine hits both tools of the second run.
  const rows = [1000, 4000, 1000].flatMap((wallMs, index) => [
    benchRow("loopback", "p2pft", index + 1, { wallMs }),
    benchRow("loopback", "scp", index + 1, { wallMs: wallMs * [2, 3, 1][index]! }),
  ]);
  assert.equal(speedRatio(rows, "loopback", "p2pft", "scp"), 2);
  assert.equal(speedRatio(rows, "loopback", "p2pft", "quic"), undefined);
});

Deno.test("speedRatio leaves out runs in which the other was cut off", () => {
  const rows = [
    benchRow("loopback", "p2pft", 1, { wallMs: 1000 }),
    benchRow("loopback", "scp", 1, { isDone: false, bytesDone: 1 }),
  ];
  assert.equal(speedRatio(rows, "loopback", "p2pft", "scp"), undefined);
});

Deno.test("shareOfLine counts what had arrived when a run was cut off", () => {
  assert.equal(shareOfLine(benchRow("clean", "p2pft", 1)), 0.8);
  const cut = { isDone: false, bytesDone: 25_000_000 };
  assert.equal(shareOfLine(benchRow("clean", "p2pft", 1, cut)), 0.2);
  assert.equal(shareOfLine(benchRow("clean", "iperf3", 1, { isDone: false })), undefined);
  assert.equal(shareOfLine(benchRow("loopback", "p2pft", 1)), undefined);
});

Deno.test("ratioOfSmallFiles compares times for the same number of bytes", () => {
  assert.equal(ratioOfSmallFiles([benchRow("small", "p2pft", 1)], "p2pft"), undefined);
  const rows = [
    benchRow("small", "p2pft", 1, { wallMs: 3000 }),
    benchRow("same", "p2pft", 1, { wallMs: 500, bytes: 50_000_000 }),
  ];
  assert.equal(ratioOfSmallFiles(rows, "p2pft"), 3);
});

Deno.test("the memory aim takes the worst of all our rows", () => {
  const usage = (peakBytes: number) => ({ cpuSeconds: 1, peakBytes });
  const rows = [
    benchRow("clean", "p2pft", 1, { sender: usage(90e6), receiver: usage(151e6) }),
    benchRow("lossy", "p2pft-base", 1, { sender: usage(100e6) }),
    benchRow("lossy", "scp", 1, { sender: usage(900e6) }),
  ];
  assert.equal(peakMegabytes(rows[1]!), 100);
  const target = TARGETS.find(({ title }) => title.startsWith("peak memory"))!;
  assert.equal(target.measure(rows), 151);
  assert.equal(isReached(target, 151), false);
  assert.equal(isReached(target, 150), true);
});

Deno.test("no aim is measured where there are no rows", () => {
  assert.deepEqual(TARGETS.flatMap((target) => target.measure([]) ?? []), []);
});
