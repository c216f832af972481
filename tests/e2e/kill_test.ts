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
 * What was in the memory of a receiver that writes at once: groups that are not complete, small files
 * that are not in their places. Twice what it is on a machine that is not busy.
 */
const MOST_LOST_BYTES = 4 * 1_048_576;
/** Where the disk waits for its turn a kill may cost more, but few of them do. */
const MOST_COSTLY_KILLS = KILLS / 10;

/** There are no signals that end a process without its knowledge. */
const posix = { ignore: Deno.build.os === "windows" };

Deno.test(`a transfer ends well after each of ${KILLS} kills of either side`, posix, async () => {
  const seed = Number(Deno.env.get("KILL_SEED") ?? Math.floor(Math.random() * 2 ** 31));
  const series = await runKillSeries(KILLS, seed);
  // deno-lint-ignore no-console -- what was survived is the point of it
  console.log(describeKillSeries(series));
  const { sender, receiver, both } = series.survived;
  assert.equal(sender + receiver + both, KILLS);
  const costly = series.resentBytesEach.filter((bytes) => bytes > MOST_LOST_BYTES);
  assert.ok(costly.length <= MOST_COSTLY_KILLS, `${costly}; ${describeKillSeries(series)}`);
});
