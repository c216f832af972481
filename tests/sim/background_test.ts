/**
 * Goal: a background flow fills an idle link, leaves it within about a second to whoever begins to
 * use it, comes back when they are gone, and shares it with its like, whoever came first.
 * Method: flows with the real recovery, pacer and controllers over one simulated queue, in virtual
 * time.
 */
import assert from "node:assert/strict";
import type { LinkOptions } from "../support/link.ts";
import { jainIndex, SharedLink } from "../support/shared_link.ts";

const MBIT = 125_000;

function link(
  mbits: number,
  rttMs: number,
  queue: number,
  faults: LinkOptions = {},
): LinkOptions & { rateBytesPerSecond: number } {
  const rateBytesPerSecond = mbits * MBIT;
  const queueBytes = queue * rateBytesPerSecond * rttMs / 1000;
  return { delayMs: rttMs / 2, rateBytesPerSecond, queueBytes, ...faults };
}

/** Share of the link in 20 s, start included; the longest mean queue, ms. */
const IDLE: readonly [
  name: string,
  options: ReturnType<typeof link>,
  goal: number,
  most: number,
][] = [
  ["100 Mbit/s, 50 ms", link(100, 50, 1), 0.87, 4],
  ["100 Mbit/s, 50 ms and 1 % loss", link(100, 50, 1, { lossRate: 0.01 }), 0.85, 4],
  ["100 Mbit/s, 50 ms and a short queue", link(100, 50, 0.25), 0.87, 4],
  ["1 Gbit/s, 20 ms and 0.1 % loss", link(1000, 20, 1, { lossRate: 0.001 }), 0.85, 2],
  ["20 Mbit/s, 20 ms", link(20, 20, 2), 0.83, 6],
];
for (const [name, options, goal, most] of IDLE) {
  Deno.test(`Background fills an idle link of ${name}, with hardly a queue`, () => {
    const shared = new SharedLink(1, options, [{ congestion: "background" }]);
    const [share] = shared.shares(0, 20_000);
    assert.ok(share! >= goal, `${share}`);
    assert.ok(shared.meanQueueMs <= most, `${shared.meanQueueMs}`);
  });
}

/**
 * In the second second of the other flow the background flow must be down to `left` of the link; from
 * then on the other gets `kept` of what it gets alone. A tenth of 20 Mbit/s and 20 ms is no more than
 * four datagrams. A queue of a quarter of the path overflows in CUBIC's start: for some seconds its
 * window is small, and what that leaves free is not needed.
 */
const LINKS: readonly {
  readonly name: string;
  readonly options: ReturnType<typeof link>;
  readonly left: number;
  readonly kept: number;
}[] = [
  { name: "100 Mbit/s, 40 ms", options: link(100, 40, 1), left: 0.2, kept: 0.95 },
  { name: "100 Mbit/s, 40 ms, a deep queue", options: link(100, 40, 3), left: 0.2, kept: 0.95 },
  {
    name: "100 Mbit/s, 40 ms, a short queue",
    options: link(100, 40, 0.25),
    left: 0.35,
    kept: 0.85,
  },
  { name: "20 Mbit/s, 20 ms", options: link(20, 20, 2), left: 0.2, kept: 0.85 },
  { name: "1 Gbit/s, 20 ms", options: link(1000, 20, 1), left: 0.2, kept: 0.95 },
];
for (const congestion of ["cubic", "bbr"] as const) {
  for (const { name, options, left, kept } of LINKS) {
    Deno.test(`Background leaves ${name} to ${congestion} that begins`, () => {
      const startMs = 5000;
      const alone = new SharedLink(1, options, [{ congestion }]);
      const [most] = alone.shares(2000, 12_000);
      const shared = new SharedLink(1, options, [
        { congestion: "background" },
        { congestion, startMs },
      ]);
      const [second] = shared.shares(startMs + 1000, startMs + 2000);
      assert.ok(second! <= left, `${second} in the second second`);
      const [, other] = shared.shares(startMs + 2000, startMs + 12_000);
      assert.ok(other! >= kept * most!, `${other} of ${most}`);
    });
  }
}

Deno.test("Background takes the link back when the other flow is gone", () => {
  const shared = new SharedLink(1, link(100, 40, 1), [
    { congestion: "background" },
    { congestion: "cubic", startMs: 5000 },
  ]);
  const [yielded] = shared.shares(10_000, 15_000);
  assert.ok(yielded! <= 0.05, `${yielded}`);
  shared.flows[1]!.stop();
  const [again] = shared.shares(18_000, 28_000);
  assert.ok(again! >= 0.85, `${again}`);
});

for (
  const [name, options] of [["100 Mbit/s, 40 ms", link(100, 40, 1)], [
    "20 Mbit/s, 20 ms",
    link(20, 20, 2),
  ]] as const
) {
  for (const lateMs of [0, 5000]) {
    Deno.test(`Background shares ${name} with one that begins ${lateMs} ms later`, () => {
      const shared = new SharedLink(1, options, [
        { congestion: "background" },
        { congestion: "background", startMs: lateMs },
      ]);
      const shares = shared.shares(lateMs + 10_000, lateMs + 40_000);
      assert.ok(jainIndex(shares) >= 0.9, `${shares}`);
      assert.ok(shares[0]! + shares[1]! >= 0.85, `${shares}`);
    });
  }
}
