import assert from "node:assert/strict";
import { PunchAnswers } from "../../../../lib/nat/punch/answers.ts";
import { ANSWERS_PER_SECOND, REMEMBERED_QUESTIONS } from "../../../../lib/nat/punch/limits.ts";
import { instant } from "../../../../lib/time.ts";
import { ipv4 } from "./_punch.ts";

const path = { socket: 0, remote: ipv4("203.0.113.9", 5000) };

function id(count: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(4, count);
  return bytes;
}

Deno.test("[PROBE-1] PunchAnswers gives out answers in order and knows what it took", () => {
  const answers = new PunchAnswers();
  assert.ok(answers.add(instant(0), path, id(1)));
  assert.ok(answers.add(instant(0), path, id(2)));
  assert.ok(answers.isKnown(id(1)));
  assert.ok(!answers.isKnown(id(3)));
  assert.deepEqual(answers.take(), { path, transactionId: id(1) });
  assert.deepEqual(answers.take(), { path, transactionId: id(2) });
  assert.equal(answers.take(), undefined);
});

Deno.test("[PROBE-1] PunchAnswers answers 32 questions a second and remembers those it did not answer", () => {
  const answers = new PunchAnswers();
  let taken = 0;
  for (let count = 0; count < 100; count++) {
    if (answers.add(instant(count), path, id(count))) taken++;
  }
  assert.equal(taken, ANSWERS_PER_SECOND);
  assert.ok(answers.isKnown(id(99)));
  assert.ok(answers.add(instant(1000), path, id(100)));
});

Deno.test("PunchAnswers remembers a bounded number of questions, the newest", () => {
  const answers = new PunchAnswers();
  for (let count = 0; count <= REMEMBERED_QUESTIONS; count++) {
    answers.add(instant(count * 1000), path, id(count));
    answers.take();
  }
  assert.ok(!answers.isKnown(id(0)));
  assert.ok(answers.isKnown(id(1)));
  assert.ok(answers.isKnown(id(REMEMBERED_QUESTIONS)));
});
