import assert from "node:assert/strict";
import type { LimitedBy, LimitReport } from "../../../lib/events.ts";
import { limitLine, shortLimit } from "../../../lib/cli/limit_messages.ts";

Deno.test("limitLine has one line for each cause, which fits into 59 columns", () => {
  const lines: Record<LimitedBy, string | undefined> = {
    "line": undefined,
    "loss": "Slow: the line loses 12 % of packets",
    "limit": "Limited by --limit 123 MB/s",
    "peer-limit": "Limited by the other side's --limit 123 MB/s",
    "disk": "Slow: waiting for this computer's disk",
    "peer-disk": "Slow: waiting for the other side's disk",
    "processor": "This computer's processor is the limit",
    "peer-processor": "The other side's processor is the limit",
    "peer": "Waiting for the other side",
  };
  for (const [limitedBy, line] of Object.entries(lines)) {
    const report = { limitedBy, lostShare: 0.12, limitBytesPerSecond: 123_000_000 } as LimitReport;
    assert.equal(limitLine(report), line);
    assert.ok((line?.length ?? 0) <= 59);
  }
});

Deno.test("limitLine says nothing before anything is known", () => {
  assert.equal(limitLine({}), undefined);
});

Deno.test("limitLine gives limits as they were written, and no loss of 0 %", () => {
  const limited = (rate: number) => limitLine({ limitedBy: "limit", limitBytesPerSecond: rate });
  assert.equal(limited(2_000_000), "Limited by --limit 2 MB/s");
  assert.equal(limited(1_250_000), "Limited by --limit 1.25 MB/s");
  assert.equal(limited(12_345_678), "Limited by --limit 12.345678 MB/s");
  assert.equal(limited(500_000), "Limited by --limit 500 kB/s");
  assert.match(limitLine({ limitedBy: "loss", lostShare: 0.008 })!, / 1 % /);
});

Deno.test("shortLimit says the same in a few columns, and nothing of the line", () => {
  const kinds = [
    "loss",
    "limit",
    "peer-limit",
    "disk",
    "peer-disk",
    "processor",
    "peer-processor",
    "peer",
  ] as const;
  const texts = kinds.map((limitedBy) => shortLimit({ limitedBy, lostShare: 0.021 })!);
  assert.equal(new Set(texts).size, kinds.length);
  assert.ok(texts.every((text) => text.length <= 16), texts.join());
  assert.equal(texts[0], "loses 2 %");
  assert.equal(shortLimit({ limitedBy: "line" }), undefined);
  assert.equal(shortLimit({}), undefined);
});
