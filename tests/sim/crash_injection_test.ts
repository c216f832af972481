/**
 * Goal: whatever call of a disk a power cut or an error comes at, no file is ever wrong, what was told
 * to be done stays done, and the same command again completes it without moving again what is there
 * [DISK-3] [DISK-6] [DISK-7] [DISK-8] [XFER-13].
 * Method: transfers in memory, from and to disks that lose what was not synced (`crash_disk.ts`);
 * every call is counted and struck by every kind of fault. `SIM_RUNS=n` leaves n random disks, at
 * most 20, after each power cut, beside those with all and with as little as may be.
 */
import { CRASH_SURVEYS } from "../support/crash_surveys.ts";
import { wantedRuns } from "../support/seeded_test.ts";

/** More disks at each of hundreds of calls find less than other places to look at. */
const MAX_RANDOM_DISKS = 20;

for (const { name, run } of CRASH_SURVEYS) {
  Deno.test(name, async () => {
    const startMs = performance.now();
    const tally = await run((short) => Math.min(wantedRuns() ?? short, MAX_RANDOM_DISKS));
    // deno-lint-ignore no-console -- what was visited is the point of it
    console.log(tally.line((performance.now() - startMs) / 1000));
  });
}
