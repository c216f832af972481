import assert from "node:assert/strict";
import {
  formatBytes,
  formatBytesOf,
  formatCount,
  formatElapsed,
  formatLasting,
  formatRate,
  formatSeconds,
  percentOf,
} from "../../../lib/cli/format.ts";

Deno.test("formatBytes uses decimal units and few digits", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [50_249_999, "50.2 MB"],
    [99_949_999, "99.9 MB"],
    [99_960_000, "100 MB"],
    [999_499_999, "999 MB"],
    [999_500_000, "1.0 GB"],
    [Number.MAX_SAFE_INTEGER, "9.0 PB"],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});

Deno.test("formatBytesOf shows both sizes in the unit of the larger", () => {
  assert.equal(formatBytesOf(300, 50_200_000), "0.0/50.2 MB");
  assert.equal(formatBytesOf(12_300_000, 50_200_000), "12.3/50.2 MB");
  assert.equal(formatBytesOf(0, 0), "0/0 B");
});

Deno.test("formatRate adds the second", () => {
  assert.equal(formatRate(11_200_000), "11.2 MB/s");
});

Deno.test("formatSeconds shows the two largest units", () => {
  const cases: [number, string][] = [
    [0, "0s"],
    [0.2, "1s"],
    [59, "59s"],
    [59.5, "1m00s"],
    [185, "3m05s"],
    [3599.9, "1h00m"],
    [7640, "2h07m"],
    [86_400 * 4 + 3600 * 3 + 59, "4d03h"],
  ];
  for (const [seconds, text] of cases) assert.equal(formatSeconds(seconds), text);
});

Deno.test("formatElapsed is exact to a tenth below ten seconds", () => {
  assert.equal(formatElapsed(80), "0.1s");
  assert.equal(formatElapsed(4480), "4.5s");
  assert.equal(formatElapsed(9960), "10s");
  assert.equal(formatElapsed(61_000), "1m01s");
});

Deno.test("percentOf says 100 only when all is done", () => {
  assert.equal(percentOf(999_999, 1_000_000), 99);
  assert.equal(percentOf(1_000_000, 1_000_000), 100);
  assert.equal(percentOf(0, 0), 100);
  assert.equal(percentOf(12, 10), 100);
});

Deno.test("formatCount knows one from many", () => {
  assert.equal(formatCount(1, "item"), "1 item");
  assert.equal(formatCount(0, "item"), "0 items");
});

Deno.test("formatLasting says a long time in two units", () => {
  const times: [number, string][] = [
    [400, "0 s"],
    [42_000, "42 s"],
    [119_400, "119 s"],
    [720_000, "12 min"],
    [7_800_000, "2 h 10 min"],
    [3_600_000, "1 h"],
    [86_400_000 * 4 + 3_600_000 * 3, "4 d 3 h"],
    [86_400_000, "1 d"],
  ];
  for (const [ms, text] of times) assert.equal(formatLasting(ms), text);
});
