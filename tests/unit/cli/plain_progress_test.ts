import assert from "node:assert/strict";
import { PlainProgress } from "../../../lib/cli/plain_progress.ts";
import { instant } from "../../../lib/time.ts";
import { ProgressLog } from "../../../lib/cli/progress_log.ts";
import { EVENTS, FakeClock } from "./_fake_world.ts";

/** The percentages printed when progress goes from 0 to 100 percent in `durationMs`. */
function printedPercents(durationMs: number): number[] {
  const plain = new PlainProgress();
  const printed: number[] = [];
  for (let step = 0; step <= 1000; step++) {
    const progress = { ...EVENTS.progress, bytesDone: step, bytesTotal: 1000 };
    if (plain.isDue(instant((durationMs * step) / 1000), progress)) {
      printed.push(Math.floor(step / 10));
    }
  }
  return printed;
}

Deno.test("PlainProgress shows each tenth of a quick transfer", () => {
  assert.deepEqual(printedPercents(500), [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
});

Deno.test("PlainProgress shows a slow transfer every ten seconds", () => {
  assert.equal(printedPercents(1_000_000).length, 100);
});

Deno.test("PlainProgress shows a stream every ten seconds, whatever it comes to", () => {
  const plain = new PlainProgress();
  let printed = 0;
  for (let second = 0; second <= 60; second++) {
    const bytes = { bytesDone: 1000 * second, bytesTotal: 1000 * second + 1 };
    const progress = { ...EVENTS.progress, ...bytes, hasStream: true as const };
    if (plain.isDue(instant(1000 * second), progress)) printed++;
  }
  assert.equal(printed, 6);
});

Deno.test("ProgressLog says no more of many clients together than of one slow one", () => {
  const clock = new FakeClock();
  const log = new ProgressLog(clock);
  const CLIENTS = 20;
  let printed = 0;
  for (let second = 0; second < 600; second++) {
    for (let session = 1; session <= CLIENTS; session++) {
      // What limits one changes all the time.
      const limitedBy = second % 2 === 0 ? "loss" as const : "disk" as const;
      const bytes = { bytesDone: second, bytesTotal: 600, lostShare: 0.1 };
      printed += log.linesFor({ ...EVENTS.progress, ...bytes, session, limitedBy }).length;
    }
    clock.advance(1000);
  }
  assert.ok(printed >= 20 && printed <= 120, `${printed}`);
  // Alone again it is told of as ever, both ways too.
  for (let session = 2; session <= CLIENTS; session++) log.finish({ session });
  for (const back of [{}, { back: true as const }]) {
    log.begin({ session: 1, ...back });
    const percents = [0, 20, 40, 60].filter((bytesDone) =>
      log.linesFor({ ...EVENTS.progress, ...back, session: 1, bytesDone, bytesTotal: 100 })
        .length > 0
    );
    assert.deepEqual(percents, [20, 40, 60]);
  }
});

Deno.test("PlainProgress has what limits said when it is another thing than before", () => {
  const plain = new PlainProgress();
  const said = (["loss", "loss", "limit", "loss", "loss"] as const).map((limitedBy) =>
    plain.isNewLimit(limitedBy)
  );
  assert.deepEqual(said, [true, false, true, true, false]);
});
