/**
 * Visits every call that a client makes of its disk: lets each fault strike there, looks at what is
 * left, has the transfer run once more on that, and looks again. What must hold is said by
 * `crash_scene.ts`.
 */
import assert from "node:assert/strict";
import type { CrashDisk, Fault, FaultKind } from "./crash_disk.ts";
import { assertDone, type CrashScene, failureOf, pathOfWarning } from "./crash_scene.ts";
import { Prng } from "./prng.ts";

const CUTS: readonly FaultKind[] = ["cut_before", "cut_within", "cut_after"];
const FAILURES: readonly FaultKind[] = ["no_space", "failure"];

/** What was visited. */
export class SurveyTally {
  /** Calls at which faults struck. */
  points = 0;
  /** Faults that struck: points times kinds. */
  faults = 0;
  /** Disks found after a power cut, or by the next program. */
  survivors = 0;

  /** One line of it. */
  line(seconds: number): string {
    const disks = this.survivors === 0 ? "" : `${this.survivors} disks found, `;
    return `${this.points} injection points, ${this.faults} faults, ${disks}` +
      `${seconds.toFixed(1)} s`;
  }
}

/**
 * Visits every call of the client's disk.
 *
 * @param randomDisks How many disks chance leaves after each power cut, beside the two
 *   extremes: all of it, as when only the program was killed, and as little as may be.
 * @throws {Error} At the first fault that did harm; its message says which, its cause what.
 */
export async function surveyTarget(scene: CrashScene, randomDisks: number): Promise<SurveyTally> {
  const survey = new TargetSurvey(scene, randomDisks);
  await survey.run();
  return survey.tally;
}

class TargetSurvey {
  readonly tally = new SurveyTally();
  readonly #scene: CrashScene;
  readonly #randomDisks: number;

  constructor(scene: CrashScene, randomDisks: number) {
    this.#scene = scene;
    this.#randomDisks = randomDisks;
  }

  async run(): Promise<void> {
    const undisturbed = this.#scene.first.reboot("all");
    const { sent, received } = await this.#scene.transfer(undisturbed);
    assertDone(received);
    assertDone(sent);
    // Done is done, whatever happens then.
    this.#scene.assertComplete(undisturbed.reboot("least"));
    this.#scene.assertFolderTimes(undisturbed.reboot("least"));
    for (const [call, what] of undisturbed.log.entries()) {
      this.tally.points++;
      for (const kind of [...CUTS, ...FAILURES]) {
        this.tally.faults++;
        try {
          await (CUTS.includes(kind) ? this.#cut({ call, kind }) : this.#fail({ call, kind }));
        } catch (cause) {
          throw new Error(`${kind} at call ${call} (${what})`, { cause });
        }
      }
    }
  }

  async #cut(fault: Fault): Promise<void> {
    const disk = this.#scene.first.reboot("all");
    disk.fault = fault;
    const { sent } = await this.#scene.transfer(disk);
    assert.ok(disk.isDown, "the fault did not strike");
    for (const [name, survivor] of this.#survivors(disk, fault)) {
      this.tally.survivors++;
      try {
        this.#scene.assertNothingWrong(survivor);
        if (sent?.status === "fulfilled") this.#scene.assertComplete(survivor);
        await this.#scene.recover(survivor);
      } catch (cause) {
        throw new Error(`with ${name}`, { cause });
      }
    }
  }

  async #fail(fault: Fault): Promise<void> {
    const disk = this.#scene.first.reboot("all");
    disk.fault = fault;
    let kept: ReadonlyMap<string, number> = new Map();
    disk.onCall = (call) => {
      if (call === fault.call) kept = this.#scene.keptBytes(disk);
    };
    const { sent, received, pair } = await this.#scene.transfer(disk);
    assert.ok(received !== undefined && sent !== undefined);
    this.#scene.assertKept(disk, kept);
    const survivor = disk.reboot("least");
    for (const left of [survivor, disk.reboot("all")]) this.#scene.assertNothingWrong(left);
    if (received.status === "fulfilled") {
      // Of no weight, or of one entry, which is named: the others are in their places, and stay there.
      const named = pair.warnings.map(pathOfWarning);
      this.#scene.assertHasAll(survivor, named);
      assert.equal(received.value.leftOut, named.length);
      assert.equal(received.value.exit, named.length === 0 ? 0 : 13);
    } else {
      const expected = fault.kind === "no_space" ? "disk_full" : "write_failed";
      assert.equal(failureOf(received).code, expected);
    }
    await this.#scene.recover(disk.afterKill());
    await this.#scene.recover(survivor);
  }

  *#survivors(disk: CrashDisk, { call, kind }: Fault): Generator<readonly [string, CrashDisk]> {
    yield ["only the program killed", disk.afterKill()];
    yield ["as little left as may be", disk.reboot("least")];
    for (let index = 0; index < this.#randomDisks; index++) {
      const seed = (call * CUTS.length + CUTS.indexOf(kind)) * 1000 + index;
      yield [`what seed ${seed} leaves`, disk.reboot(new Prng(seed))];
    }
  }
}
