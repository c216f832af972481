/**
 * What is visited call by call: small and large files, quick and slow disks, a transfer that goes on
 * with what an earlier one left, and the sharer's side.
 */
import { CrashScene } from "./crash_scene.ts";
import { type SurveyTally, surveyTarget } from "./crash_survey.ts";
import { surveySource } from "./source_survey.ts";

/** One of them. */
export interface CrashSurvey {
  /** What it proves. */
  readonly name: string;
  /**
   * Visits every call.
   *
   * @param disks How many disks chance leaves after each power cut, chosen for a short run.
   * @throws {Error} At the first fault that did harm.
   */
  readonly run: (disks: (short: number) => number) => Promise<SurveyTally>;
}

/** A local disk, where FFI is granted. */
const QUICK = { answersAtOnce: true, syncsAll: true, renamesExclusively: true };
/** Disks that chance leaves, in a short run. */
const DISKS = { small: 4, large: 1 };

/** All of them. */
export const CRASH_SURVEYS: readonly CrashSurvey[] = [
  {
    name: "a power cut or an error at any call of the disk harms no small file",
    run: (disks) => surveyTarget(CrashScene.of("small"), disks(DISKS.small)),
  },
  {
    name: "a power cut or an error at any call of a quick disk harms no small file",
    run: (disks) => surveyTarget(CrashScene.of("small", QUICK), disks(DISKS.small)),
  },
  {
    name: "a power cut or an error at any call of the disk harms no large file",
    run: (disks) => surveyTarget(CrashScene.of("large"), disks(DISKS.large)),
  },
  {
    name:
      "a power cut or an error at any call harms nothing that an earlier run left of other versions",
    run: async (disks) => {
      const scene = CrashScene.of("large");
      // One file has two names then, another is half done.
      const link = (await scene.calls()).findIndex((call) => call.startsWith("link"));
      return await surveyTarget((await scene.begun(link)).changed(), disks(DISKS.large));
    },
  },
  {
    name:
      "small files that cannot be read, change or go away at any call of the sharer are never mixed",
    run: () => surveySource(CrashScene.of("small")),
  },
  {
    name:
      "large files that cannot be read, change or go away at any call of the sharer are never mixed",
    run: () => surveySource(CrashScene.of("large")),
  },
];
