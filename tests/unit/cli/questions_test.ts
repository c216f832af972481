import assert from "node:assert/strict";
import { askYesNo } from "../../../lib/cli/questions.ts";
import { Terminal } from "../../../lib/cli/terminal.ts";
import { FakeStreams } from "./_fake_world.ts";

async function answerTo(
  lines: string[],
  defaultAnswer: boolean,
): Promise<{ answer: boolean; screen: string[] }> {
  const streams = new FakeStreams({ errorIsTerminal: true, lines });
  const terminal = new Terminal(streams, { outputColor: false, errorColor: false, redraw: true });
  const signal = new AbortController().signal;
  const answer = await askYesNo(terminal, { text: "Go?", defaultAnswer, signal });
  return { answer, screen: streams.screen.lines };
}

Deno.test("askYesNo understands yes and no", async () => {
  for (const line of ["y", "Y", "yes", " YES "]) {
    assert.equal((await answerTo([line], false)).answer, true);
  }
  for (const line of ["n", "No"]) assert.equal((await answerTo([line], true)).answer, false);
});

Deno.test("askYesNo takes Enter for the default it shows", async () => {
  const yes = await answerTo([""], true);
  assert.equal(yes.answer, true);
  assert.match(yes.screen[0]!, /^Go\? \[Y\/n\]/);
  const no = await answerTo([""], false);
  assert.equal(no.answer, false);
  assert.match(no.screen[0]!, /^Go\? \[y\/N\]/);
});

Deno.test("askYesNo asks again after anything else", async () => {
  const { answer, screen } = await answerTo(["maybe", "y"], false);
  assert.equal(answer, true);
  assert.equal(screen.join(" ").match(/Go\?/g)?.length, 2);
});

Deno.test("askYesNo takes the end of the input for no", async () => {
  assert.equal((await answerTo([], true)).answer, false);
});
