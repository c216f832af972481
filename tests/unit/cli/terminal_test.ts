import assert from "node:assert/strict";
import { Terminal } from "../../../lib/cli/terminal.ts";
import { FakeStreams, type FakeStreamsOptions } from "./_fake_world.ts";

function terminalOn(options: FakeStreamsOptions): { terminal: Terminal; streams: FakeStreams } {
  const streams = new FakeStreams(options);
  const terminal = new Terminal(streams, {
    outputColor: false,
    errorColor: false,
    redraw: streams.errorIsTerminal,
  });
  return { terminal, streams };
}

const NO_SIGNAL = new AbortController().signal;

/** Longer than everything that is going on takes. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

Deno.test("Terminal keeps the status line below what is printed", () => {
  const { terminal, streams } = terminalOn({ terminal: true });
  terminal.setStatus(() => "10%");
  terminal.print("result");
  terminal.note("note");
  terminal.setStatus(() => "20%");
  assert.deepEqual(streams.screen.lines, ["result", "note", "20%"]);
  terminal.clearStatus();
  assert.deepEqual(streams.screen.lines, ["result", "note"]);
});

Deno.test("Terminal sends results to output and the rest to error", () => {
  const { terminal, streams } = terminalOn({ terminal: false });
  terminal.print("result");
  terminal.note("note");
  assert.equal(streams.output, "result\n");
  assert.equal(streams.error, "note\n");
});

Deno.test("Terminal writes no control character where lines cannot be redrawn", () => {
  const { terminal, streams } = terminalOn({ terminal: false });
  terminal.setStatus(() => "10%");
  terminal.note("note");
  terminal.clearStatus();
  assert.equal(streams.error, "note\n");
});

Deno.test("Terminal draws an unchanged status line once", () => {
  const { terminal, streams } = terminalOn({ terminal: true });
  terminal.setStatus(() => "waiting");
  const before = streams.error;
  terminal.setStatus(() => "waiting");
  assert.equal(streams.error, before);
});

Deno.test("Terminal leaves the last column free", () => {
  const { terminal } = terminalOn({ terminal: true, columns: 60 });
  let given = 0;
  terminal.setStatus((columns) => {
    given = columns;
    return "x".repeat(columns);
  });
  assert.equal(given, 59);
});

Deno.test("Terminal leaves nothing behind when made narrower", () => {
  const { terminal, streams } = terminalOn({ terminal: true, columns: 60 });
  terminal.note("first");
  terminal.setStatus((columns) => "x".repeat(columns));
  streams.resize(25);
  terminal.setStatus((columns) => "y".repeat(columns));
  assert.deepEqual(streams.screen.lines, ["first", "y".repeat(24)]);
});

Deno.test("Terminal hides the status line while it asks and brings it back", async () => {
  const { terminal, streams } = terminalOn({ terminal: true, lines: ["yes"] });
  terminal.setStatus(() => "waiting");
  const answer = terminal.ask("Sure? ", NO_SIGNAL);
  terminal.setStatus(() => "still waiting");
  assert.equal(await answer, "yes");
  assert.deepEqual(streams.screen.lines, ["Sure? yes", "still waiting"]);
  assert.equal(streams.droppedTypedAhead, 1);
});

Deno.test("Terminal repeats an open question below a note", async () => {
  const { terminal, streams } = terminalOn({ terminal: true });
  const giveUp = new AbortController();
  const answer = terminal.ask("Sure? ", giveUp.signal, { takesTypedAhead: true });
  await Promise.resolve();
  terminal.note("something happened");
  assert.deepEqual(streams.screen.lines, ["Sure?", "something happened", "Sure?"]);
  giveUp.abort();
  assert.equal(await answer, undefined);
  terminal.note("after");
  assert.deepEqual(streams.screen.lines, ["Sure?", "something happened", "Sure?", "after"]);
});

Deno.test("Terminal does not bring back a question that was just given up", async () => {
  const { terminal, streams } = terminalOn({ terminal: true });
  const giveUp = new AbortController();
  const answer = terminal.ask("Sure? ", giveUp.signal, { takesTypedAhead: true });
  await Promise.resolve();
  terminal.setStatus(() => "waiting");
  giveUp.abort();
  terminal.note("it is gone");
  assert.equal(await answer, undefined);
  assert.deepEqual(streams.screen.lines, ["Sure?", "it is gone", "waiting"]);
});

Deno.test("Terminal asks one question at a time", async () => {
  const { terminal, streams } = terminalOn({ terminal: true, lines: ["1", "2"] });
  const answers = await Promise.all([
    terminal.ask("First? ", NO_SIGNAL),
    terminal.ask("Second? ", NO_SIGNAL),
  ]);
  assert.deepEqual(answers, ["1", "2"]);
  assert.deepEqual(streams.screen.lines, ["First? 1", "Second? 2"]);
});

Deno.test("Terminal hands every line to a listener and answers with those it leaves", async () => {
  const { terminal, streams } = terminalOn({ terminal: true });
  const end = new AbortController();
  const heard: [string, boolean][] = [];
  const listening = terminal.listen((line, isAsked) => {
    heard.push([line, isAsked]);
    return line.startsWith("mine");
  }, end.signal);
  streams.type("mine before");
  await settled();
  const answer = terminal.ask("Sure? ", NO_SIGNAL);
  await settled();
  streams.type("mine too");
  streams.type("yes");
  streams.type("behind");
  assert.equal(await answer, "yes");
  await settled();
  assert.deepEqual(heard, [
    ["mine before", false],
    ["mine too", true],
    ["yes", true],
    ["behind", false],
  ]);
  assert.deepEqual(streams.screen.lines, ["mine before", "Sure? mine too", "Sure? yes", "behind"]);
  end.abort();
  await listening;
});

Deno.test("Terminal draws the status line anew below a line that was typed", async () => {
  const { terminal, streams } = terminalOn({ terminal: true });
  const end = new AbortController();
  const listening = terminal.listen(() => false, end.signal);
  terminal.setStatus(() => "waiting");
  streams.type("a line");
  await settled();
  terminal.setStatus(() => "moving");
  assert.deepEqual(streams.screen.lines, ["waiting a line", "moving"]);
  end.abort();
  await listening;
});

Deno.test("Terminal takes the end of the input that it listens to for no answer", async () => {
  const { terminal, streams } = terminalOn({ terminal: true });
  const { promise: line, resolve: end } = Promise.withResolvers<undefined>();
  streams.readLine = () => line;
  const listening = terminal.listen(() => false, NO_SIGNAL);
  const answer = terminal.ask("Sure? ", NO_SIGNAL);
  await settled();
  end(undefined);
  await listening;
  assert.equal(await answer, undefined);
  assert.equal(await terminal.ask("Again? ", NO_SIGNAL), undefined);
});

Deno.test("Terminal can ask only where both the question and the answer reach a person", () => {
  assert.equal(terminalOn({ terminal: true }).terminal.canAsk, true);
  assert.equal(terminalOn({ terminal: true, outputIsTerminal: false }).terminal.canAsk, true);
  assert.equal(terminalOn({ terminal: true, inputIsTerminal: false }).terminal.canAsk, false);
  assert.equal(terminalOn({ terminal: true, errorIsTerminal: false }).terminal.canAsk, false);
});
