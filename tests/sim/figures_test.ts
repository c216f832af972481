/**
 * Goal: no change makes transfers slower, queues longer or repeats more frequent unnoticed.
 * Method: brief whole transfers in virtual time over the paths of the benchmark, held against the
 * figures that are stored; `deno task bench:sim --write` stores new ones, to be reviewed.
 */
import assert from "node:assert/strict";
import stored from "../../bench/sim/figures.json" with { type: "json" };
import { type FiguresByProfile, regressions } from "../../bench/sim/figures.ts";
import { PROFILES } from "../../bench/sim/profiles.ts";
import { type Figures, SimTransfer } from "../../bench/sim/transfer.ts";

const BRIEF: FiguresByProfile = stored.brief;

for (const profile of PROFILES) {
  const { name, title, brief } = profile;
  if (brief === undefined) continue;
  Deno.test(`a transfer is as good as its stored figures: ${title}`, async () => {
    const before = BRIEF[name];
    assert.ok(before, "no stored figures: deno task bench:sim --write");
    const measured = await new SimTransfer(profile, brief).run(undefined);
    assert.deepEqual(regressions(before, measured), []);
  });
}

Deno.test("a simulated transfer has the same figures whenever it runs", async () => {
  const profile = PROFILES.find(({ name }) => name === "wifi")!;
  const load = { fileCount: 20, fileBytes: 100_000 };
  const first = await new SimTransfer(profile, load).run("bbr");
  assert.deepEqual(await new SimTransfer(profile, load).run("bbr"), first);
});

Deno.test("a simulated transfer tells its course", async () => {
  const profile = PROFILES.find(({ name }) => name === "deep")!;
  const load = { fileCount: 1, fileBytes: 1_000_000 };
  const goodputs: number[] = [];
  let lost = 0;
  const figures = await new SimTransfer(profile, load).run("cubic", (moment) => {
    assert.ok(moment.rttMs >= 60 && Math.abs(moment.rttMs - moment.queueMs - 60) < 0.01);
    assert.ok(moment.windowBytes >= 0);
    assert.equal(moment.tMs, 100 * (goodputs.length + 1));
    goodputs.push(moment.goodputBytesPerSecond);
    lost += moment.lostPackets;
  });
  assert.equal(lost, 0);
  const total = goodputs.reduce((sum, rate) => sum + rate / 10, 0);
  assert.ok(Math.abs(total / load.fileBytes - 1) < 0.1, `${total}`);
  assert.ok(Math.abs(goodputs.length / 10 - figures.seconds) < 0.2);
});

Deno.test("regressions name each figure that is worse by more than the tolerance", () => {
  const before: Figures = {
    seconds: 1,
    share: 0.9,
    lost: 0.01,
    resent: 0.012,
    redundant: 0.001,
    queueMeanMs: 10,
    queueP95Ms: 20,
  };
  assert.deepEqual(regressions(before, { ...before, share: 0.892, queueMeanMs: 11.9 }), []);
  assert.deepEqual(
    regressions(before, {
      ...before,
      share: 0.89,
      resent: 0.018,
      redundant: 0.004,
      queueMeanMs: 12.1,
      queueP95Ms: 23.1,
    }),
    [
      "share is 0.89, was 0.9",
      "redundant is 0.004, was 0.001",
      "resent is 0.018, was 0.012",
      "queueMeanMs is 12.1, was 10",
      "queueP95Ms is 23.1, was 20",
    ],
  );
});
