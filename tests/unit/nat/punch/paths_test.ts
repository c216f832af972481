import assert from "node:assert/strict";
import type { Path } from "../../../../lib/nat/path.ts";
import { HEARD_PATHS, JOIN_SILENCE_MS } from "../../../../lib/nat/punch/limits.ts";
import { PunchPaths } from "../../../../lib/nat/punch/paths.ts";
import { instant } from "../../../../lib/time.ts";
import { ipv4 } from "./_punch.ts";

const path = (port: number, socket = 0): Path => ({ socket, remote: ipv4("203.0.113.9", port) });

Deno.test("PunchPaths tells new paths from known ones, by socket and address", () => {
  const paths = new PunchPaths();
  assert.equal(paths.hear(instant(0), path(1), false), "news");
  assert.equal(paths.hear(instant(1), path(1), false), "known");
  assert.equal(paths.hear(instant(2), path(2), false), "news");
  assert.equal(paths.hear(instant(3), path(1, 9), false), "news");
});

Deno.test("PunchPaths takes the first answer on a path for news, too", () => {
  const paths = new PunchPaths();
  assert.equal(paths.hear(instant(0), path(1), false), "news");
  assert.equal(paths.hear(instant(1), path(1), true), "news");
  assert.equal(paths.hear(instant(2), path(1), true), "known");
  assert.equal(paths.hear(instant(3), path(1), false), "known");
  assert.equal(paths.hear(instant(4), path(2), true), "news");
  assert.equal(paths.hear(instant(5), path(2), true), "known");
});

Deno.test("PunchPaths asks at once, a few times more, then seldom", () => {
  const paths = new PunchPaths();
  assert.equal(paths.nextAt, Infinity);
  paths.hear(instant(50), path(1), false);
  const asked: number[] = [];
  while (asked.length < 20) {
    const now = paths.nextAt;
    assert.equal(paths.take(instant(now - 1)), undefined);
    assert.deepEqual(paths.take(now), path(1));
    asked.push(now);
  }
  const gaps = asked.slice(1).map((atMs, index) => atMs - asked[index]!);
  assert.equal(asked[0], 50);
  assert.deepEqual(gaps, [100, 100, 200, 400, ...Array(12).fill(1000), 8000, 8000, 8000]);
});

Deno.test("PunchPaths is joined anew after a long silence", () => {
  const paths = new PunchPaths();
  paths.hear(instant(10), path(1), false);
  paths.hear(instant(9000), path(1), false);
  assert.equal(paths.joinedAt, 10);
  paths.hear(instant(9000 + JOIN_SILENCE_MS), path(1), false);
  assert.equal(paths.joinedAt, 9000 + JOIN_SILENCE_MS);
  assert.equal(paths.lastHeardAt, 9000 + JOIN_SILENCE_MS);
});

Deno.test("PunchPaths keeps a bounded number of paths", () => {
  const paths = new PunchPaths();
  for (let port = 1; port <= HEARD_PATHS; port++) {
    assert.equal(paths.hear(instant(0), path(port), false), "news");
  }
  assert.equal(paths.hear(instant(0), path(HEARD_PATHS + 1), true), "known");
  let asked = 0;
  while (paths.take(instant(0))) asked++;
  assert.equal(asked, HEARD_PATHS);
});
