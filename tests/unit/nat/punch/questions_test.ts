import assert from "node:assert/strict";
import { OPEN_QUESTIONS } from "../../../../lib/nat/punch/limits.ts";
import { PunchQuestions } from "../../../../lib/nat/punch/questions.ts";
import { instant } from "../../../../lib/time.ts";
import { Prng } from "../../../support/prng.ts";

Deno.test("[PROBE-2] PunchQuestions takes the answer to each question once and says how long it took", () => {
  const questions = new PunchQuestions(new Prng(1));
  const first = questions.issue(instant(100)).slice();
  const second = questions.issue(instant(110)).slice();
  assert.notDeepEqual(first, second);
  assert.equal(questions.takeAnswer(instant(150), second), 40);
  assert.equal(questions.takeAnswer(instant(150), first), 50);
  assert.equal(questions.takeAnswer(instant(160), first), undefined);
});

Deno.test("PunchQuestions knows its own ids from those of others", () => {
  const ours = new PunchQuestions(new Prng(1));
  const theirs = new PunchQuestions(new Prng(2));
  const id = theirs.issue(instant(0)).slice();
  ours.issue(instant(0));
  assert.ok(theirs.isOwn(id));
  assert.ok(!ours.isOwn(id));
  assert.equal(ours.takeAnswer(instant(1), id), undefined);
});

Deno.test("PunchQuestions forgets the oldest and takes no answer to what was never asked", () => {
  const questions = new PunchQuestions(new Prng(1));
  const first = questions.issue(instant(0)).slice();
  const unasked = first.slice();
  unasked[7] = 9;
  assert.equal(questions.takeAnswer(instant(1), unasked), undefined);
  for (let count = 1; count < OPEN_QUESTIONS; count++) questions.issue(instant(count));
  const last = questions.issue(instant(5000)).slice();
  assert.equal(questions.takeAnswer(instant(5001), first), undefined);
  assert.equal(questions.takeAnswer(instant(5001), last), 1);
});
