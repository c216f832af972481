import assert from "node:assert/strict";
import {
  MAX_OPEN_QUESTIONS,
  MAX_OPEN_QUESTIONS_OF_HOST,
  QuestionTurns,
} from "../../../lib/sharing/question_turns.ts";

/** Questions as they are asked, by name; those that wait or are open can be ended by it. */
function asking(room: () => number = () => 100) {
  const turns = new QuestionTurns(room);
  const asked: string[] = [];
  const ends = new Map<string, () => void>();
  const wait = (host: string, name = host) =>
    void ends.set(name, turns.wait(host, () => asked.push(name)));
  return { turns, asked, wait, end: (name: string) => ends.get(name)!() };
}

Deno.test("QuestionTurns opens so many questions at a time, and the next when one is over", () => {
  const { asked, wait, end } = asking();
  const hosts = Array.from({ length: MAX_OPEN_QUESTIONS + 3 }, (_, index) => `host ${index}`);
  for (const host of hosts) wait(host);
  assert.deepEqual(asked, hosts.slice(0, MAX_OPEN_QUESTIONS));
  end(hosts[MAX_OPEN_QUESTIONS]!); // left before its turn
  end(hosts[3]!);
  assert.deepEqual(asked.slice(MAX_OPEN_QUESTIONS), [hosts[MAX_OPEN_QUESTIONS + 1]]);
  end(hosts[3]!);
  assert.equal(asked.length, MAX_OPEN_QUESTIONS + 1, "a question ends once");
});

Deno.test("QuestionTurns keeps a host with many clients from filling all questions", () => {
  const { asked, wait, end } = asking();
  for (let index = 0; index < 50; index++) wait("flood", `flood ${index}`);
  assert.equal(asked.length, MAX_OPEN_QUESTIONS_OF_HOST);
  wait("honest");
  assert.equal(asked.at(-1), "honest");
  end("flood 0");
  assert.equal(asked.at(-1), `flood ${MAX_OPEN_QUESTIONS_OF_HOST}`);
});

Deno.test("QuestionTurns lets the host go first that was asked about least often", () => {
  let room = 1;
  const { turns, asked, wait, end } = asking(() => room);
  wait("flood", "flood 0");
  for (let index = 1; index < 50; index++) wait("flood", `flood ${index}`);
  wait("first");
  wait("second");
  assert.equal(turns.hasRoom, false);
  for (const name of ["flood 0", "first", "second"]) end(name);
  assert.deepEqual(asked, ["flood 0", "first", "second", "flood 1"]);
  // Who is refused and comes again gets no earlier turn than who waits.
  wait("third");
  wait("first", "first again");
  end("flood 1");
  assert.equal(asked.at(-1), "third");
  room = 2;
  turns.update();
  assert.equal(asked.at(-1), "first again");
});

Deno.test("QuestionTurns asks about nobody while there is no place", () => {
  let room = 0;
  const { turns, asked, wait } = asking(() => room);
  wait("one");
  wait("two");
  assert.deepEqual(asked, []);
  room = 1;
  turns.update();
  assert.deepEqual(asked, ["one"]);
});
