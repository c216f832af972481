/**
 * Goal: whatever call of a disk a power cut or an error comes at, no file is ever wrong, what was told
 * to be done stays done, and the same command again completes it without moving again what is there
 * [DISK-3] [DISK-6] [DISK-7] [DISK-8] [XFER-13].
 * Method: transfers in memory, from and to disks that lose what was not synced (`crash_disk.ts`);
 * every call is counted and struck by every kind of fault. `SIM_RUNS=n` leaves n random disks, at
 * most 20, after each power cut, beside those with all and with as little as may be.
 */
import { CrashScene } from "../support/crash_scene.ts";
import { type SurveyTally, surveyTarget } from "../support/crash_survey.ts";
import { wantedRuns } from "../support/seeded_test.ts";
import { surveySource } from "../support/source_survey.ts";

/** More disks at each of hundreds of calls find less than other places to look at. */
const MAX_RANDOM_DISKS = 20;
const RANDOM_DISKS = { small: randomDisks(4), large: randomDisks(1) };
/** A local disk, where FFI is granted. */
const QUICK = { answersAtOnce: true, syncsAll: true, renamesExclusively: true };

function randomDisks(fewest: number): number {
  return Math.min(wantedRuns() ?? fewest, MAX_RANDOM_DISKS);
}

function surveyTest(name: string, survey: () => Promise<SurveyTally>): void {
  Deno.test(name, async () => {
    const startMs = performance.now();
    const tally = await survey();
    // deno-lint-ignore no-console -- what was visited is the point of it
    console.log(tally.line((performance.now() - startMs) / 1000));
  });
}

surveyTest(
  "a power cut or an error at any call of the disk harms no small file",
  () => surveyTarget(CrashScene.of("small"), RANDOM_DISKS.small),
);

surveyTest(
  "a power cut or an error at any call of a quick disk harms no small file",
  () => surveyTarget(CrashScene.of("small", QUICK), RANDOM_DISKS.small),
);

surveyTest(
  "a power cut or an error at any call of the disk harms no large file",
  () => surveyTarget(CrashScene.of("large"), RANDOM_DISKS.large),
);

surveyTest(
  "a power cut or an error at any call harms nothing that an earlier run left of other versions",
  async () => {
    const scene = CrashScene.of("large");
    // One file has two names then, another is half done.
    const link = (await scene.calls()).findIndex((call) => call.startsWith("link"));
    return await surveyTarget((await scene.begun(link)).changed(), RANDOM_DISKS.large);
  },
);

surveyTest(
  "small files that cannot be read, change or go away at any call of the sharer are never mixed",
  () => surveySource(CrashScene.of("small")),
);

surveyTest(
  "large files that cannot be read, change or go away at any call of the sharer are never mixed",
  () => surveySource(CrashScene.of("large")),
);
