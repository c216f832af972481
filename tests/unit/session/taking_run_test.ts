import assert from "node:assert/strict";
import { TakingRun } from "../../../lib/session/taking_run.ts";
import { instant } from "../../../lib/time.ts";

Deno.test("TakingRun keeps nothing of an offer when another one comes", () => {
  const run = new TakingRun();
  run.startedAt = instant(1);
  run.foldersMade.add("a");
  run.begin();
  assert.deepEqual([run.startedAt, run.foldersMade.size], [undefined, 0]);
});
