/**
 * Goal: whoever is killed, and whenever, the same command again completes the transfer, and moves again
 * only what was in memory.
 * Method: real processes and `kill -9` at random moments; the system lives, so what was written is
 * there. `KILL_SEED=n` replays a series.
 */
import assert from "node:assert/strict";
import { describeKillSeries, runKillSeries } from "../support/kill_series.ts";

const KILLS = 50;
/**
 * Of what had arrived before the kills, the most that may have been in memory alone: groups that are
 * not complete, small files that are not in their places. A tenth is usual; where the disk waits for
 * its turn a single kill costs more, so the whole series is judged. Without resumption it is all.
 */
const MOST_LOST_SHARE = 1 / 3;

/** There are no signals that end a process without its knowledge. */
const posix = { ignore: Deno.build.os === "windows" };

Deno.test(`a transfer ends well after each of ${KILLS} kills of either side`, posix, async () => {
  const seed = Number(Deno.env.get("KILL_SEED") ?? Math.floor(Math.random() * 2 ** 31));
  const series = await runKillSeries(KILLS, seed);
  // deno-lint-ignore no-console -- what was survived is the point of it
  console.log(describeKillSeries(series));
  const { survived, arrivedBytes, resentBytes } = series;
  assert.equal(survived.sender + survived.receiver + survived.both, KILLS);
  assert.ok(resentBytes <= MOST_LOST_SHARE * arrivedBytes, describeKillSeries(series));
});
