/**
 * Visits every call that a sharer makes of its disk: lets it fail there, lets the sharer die there,
 * lets every file change there. What the client then has must be whole files of what was offered,
 * and what it lacks must be named; the next share completes it.
 */
import assert from "node:assert/strict";
import { TransferError } from "../../lib/errors.ts";
import { type CrashScene, type CrashTransfer, failureOf, pathOfWarning } from "./crash_scene.ts";
import { changeFiles } from "./crash_share.ts";
import { SurveyTally } from "./crash_survey.ts";

/**
 * Visits every call of the sharer's disk.
 *
 * @throws {Error} At the first fault that did harm; its message says which, its cause what.
 */
export async function surveySource(scene: CrashScene): Promise<SurveyTally> {
  const tally = new SurveyTally();
  const undisturbed = scene.source.reboot("all");
  await scene.transfer(scene.first.reboot("all"), undisturbed);
  for (const [call, what] of undisturbed.log.entries()) {
    tally.points++;
    for (const strike of [fail, die, change]) {
      tally.faults++;
      try {
        await strike(scene, call);
      } catch (cause) {
        throw new Error(`${strike.name} at call ${call} of the sharer (${what})`, { cause });
      }
    }
  }
  return tally;
}

/** A call fails: what it was for is named, and the rest goes on. */
async function fail(scene: CrashScene, call: number): Promise<void> {
  const target = scene.first.reboot("all");
  const source = scene.source.reboot("all");
  source.fault = { call, kind: "failure" };
  let result: CrashTransfer;
  try {
    result = await scene.transfer(target, source);
  } catch (error) {
    // The share itself could not be looked at.
    assert.ok(error instanceof TransferError && error.code === "read_failed", String(error));
    assert.match(error.message, /share/);
    return;
  }
  const { pair, received, sent } = result;
  if (received?.status === "rejected") throw received.reason;
  if (sent?.status === "rejected") throw sent.reason;
  const survivor = target.reboot("least");
  const named = pair.senderWarnings.map(pathOfWarning);
  scene.assertHasAll(survivor, named);
  const namedHere = pair.warnings.map(pathOfWarning);
  assert.deepEqual(namedHere.filter((path) => !named.includes(path)), []);
  assert.equal(received?.value.leftOut, namedHere.length);
  assert.equal(received?.value.exit, namedHere.length === 0 ? 0 : 13);
  await scene.recover(target.reboot("all"));
}

/** The sharer is gone from one call to the next. */
async function die(scene: CrashScene, call: number): Promise<void> {
  const target = scene.first.reboot("all");
  const source = scene.source.reboot("all");
  source.fault = { call, kind: "cut_before" };
  const { received } = await scene.transfer(target, source);
  if (received !== undefined) failureOf(received);
  scene.assertNothingWrong(target.reboot("least"));
  await scene.recover(target.reboot("all"));
}

/** Every file is another from one call to the next. */
async function change(scene: CrashScene, call: number): Promise<void> {
  const target = scene.first.reboot("all");
  const source = scene.source.reboot("all");
  source.onCall = (at) => {
    if (at === call) changeFiles(source);
  };
  const { pair, received } = await scene.transfer(target, source);
  if (received?.status === "rejected") throw received.reason;
  const named = pair.warnings.map(pathOfWarning);
  const changed = scene.with({ source, first: target.reboot("all") });
  for (const path of scene.sharedPaths) {
    if (scene.isInPlace(target, path) || changed.isInPlace(target, path)) continue;
    assert.ok(named.includes(path.slice(1)), `${path} is neither version and not named`);
    assert.ok(scene.isAsAtFirst(target, path), `${path} is mixed`);
  }
  await changed.recover(target.reboot("all"));
}
