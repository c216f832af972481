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

Deno.test("Terminal redraws a status of two lines in place, also where it becomes one", () => {
  const { terminal, streams } = terminalOn({ terminal: true });
  terminal.note("first");
  terminal.setStatus(() => "slow\n10%");
  terminal.setStatus(() => "slow\n20%");
  terminal.note("second");
  assert.deepEqual(streams.screen.lines, ["first", "second", "slow", "20%"]);
  const before = streams.error;
  terminal.setStatus(() => "slow\n20%");
  assert.equal(streams.error, before, "the same again would flicker");
  terminal.setStatus(() => "30%");
  assert.deepEqual(streams.screen.lines, ["first", "second", "30%"]);
  terminal.setStatus(() => "slow\n40%");
  terminal.clearStatus();
  assert.deepEqual(streams.screen.lines, ["first", "second"]);
});

Deno.test("Terminal leaves nothing of two lines behind when made narrower", () => {
  const { terminal, streams } = terminalOn({ terminal: true, columns: 60 });
  terminal.note("first");
  const draw = (mark: string) => (columns: number) => `slow\n${mark.repeat(columns)}`;
  terminal.setStatus(draw("x"));
  streams.resize(25);
  terminal.setStatus(draw("y"));
  assert.deepEqual(streams.screen.lines, ["first", "slow", "y".repeat(24)]);
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

Deno.test("Terminal keeps one open question below the notes", async () => {
  const { terminal, streams } = terminalOn({ terminal: true });
  const giveUp = new AbortController();
  const answer = terminal.ask("Sure? ", giveUp.signal, { takesTypedAhead: true });
  await Promise.resolve();
  terminal.note("something happened");
  terminal.note("and more", "of it");
  assert.deepEqual(streams.screen.lines, ["something happened", "and more", "of it", "Sure?"]);
  giveUp.abort();
  assert.equal(await answer, undefined);
  terminal.note("after");
  assert.deepEqual(streams.screen.lines.slice(-2), ["Sure?", "after"]);
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

/** Listens for lines that begin with "mine". */
function listeningTo(terminal: Terminal) {
  const heard: string[][] = [];
  const end = new AbortController();
  const over = terminal.listen({
    isMeant: (line) => line.startsWith("mine"),
    handleLines: (lines) => void heard.push([...lines]),
  }, end.signal);
  return {
    heard,
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await over;
    },
  };
}

Deno.test("Terminal hands a listener what is meant for it, and answers with the rest", async () => {
  const { terminal, streams } = terminalOn({ terminal: true });
  await using listening = listeningTo(terminal);
  streams.type("mine before");
  await settled();
  const answer = terminal.ask("Sure? ", NO_SIGNAL);
  await settled();
  streams.type("mine too");
  await settled();
  streams.type("yes");
  streams.type("behind");
  assert.equal(await answer, "yes");
  await settled();
  assert.deepEqual(listening.heard, [["mine before"], ["mine too"], ["behind"]]);
});

Deno.test("Terminal takes no line of a paste for an answer", async () => {
  for (const paste of [["mine", "yes"], ["mine", ""], ["yes", "mine"], ["yes", "no"]]) {
    const { terminal, streams } = terminalOn({ terminal: true });
    await using listening = listeningTo(terminal);
    let answer: string | undefined = "none yet";
    const asked = terminal.ask("Sure? ", NO_SIGNAL).then((line) => answer = line);
    await settled();
    streams.paste(...paste);
    await settled();
    assert.equal(answer, "none yet", JSON.stringify(paste));
    assert.deepEqual(listening.heard, paste.includes("mine") ? [paste] : []);
    assert.deepEqual(streams.screen.lines, ["Sure?"]);
    streams.type("really");
    await asked;
    assert.equal(answer, "really");
  }
});

Deno.test("Terminal keeps a question with its answer, whatever is written meanwhile", async () => {
  const { terminal, streams } = terminalOn({ terminal: true });
  const more = Promise.withResolvers<undefined>();
  streams.readLineWithin = () => more.promise;
  await using _listening = listeningTo(terminal);
  const answer = terminal.ask("Sure? ", NO_SIGNAL);
  await settled();
  streams.type("yes");
  await settled();
  terminal.note("something happened");
  // It does not look as if it were asked again.
  assert.deepEqual(streams.screen.lines, ["something happened", "Sure? yes"]);
  more.resolve(undefined);
  assert.equal(await answer, "yes");
  terminal.note("after");
  assert.deepEqual(streams.screen.lines, ["something happened", "Sure? yes", "after"]);
});

Deno.test("Terminal leaves commands to the listener, but where any line is an answer", async () => {
  const { terminal, streams } = terminalOn({ terminal: true });
  const heard: string[] = [];
  const end = new AbortController();
  const over = terminal.listen({
    isMeant: () => false,
    isCommand: (line) => line === "list",
    handleLines: (lines) => void heard.push(...lines),
  }, end.signal);
  const sure = terminal.ask("Sure? ", NO_SIGNAL);
  await settled();
  streams.type("list");
  await settled();
  assert.deepEqual(streams.screen.lines, ["Sure?"]);
  streams.type("yes");
  assert.equal(await sure, "yes");
  const name = terminal.ask("Name? ", NO_SIGNAL, { takesAnyLine: true });
  await settled();
  streams.type("list");
  assert.equal(await name, "list");
  assert.deepEqual(heard, ["list"]);
  end.abort();
  await over;
});

Deno.test("Terminal takes an answer with empty lines behind it", async () => {
  const { terminal, streams } = terminalOn({ terminal: true });
  await using _listening = listeningTo(terminal);
  const answer = terminal.ask("Sure? ", NO_SIGNAL);
  await settled();
  streams.paste("yes", "");
  assert.equal(await answer, "yes");
});

Deno.test("Terminal takes what was pasted off the screen, however many rows it has", async () => {
  const { terminal, streams } = terminalOn({ terminal: true, columns: 60 });
  await using listening = listeningTo(terminal);
  terminal.note("above");
  terminal.setStatus((columns) => "x".repeat(columns));
  streams.paste(`mine ${"q".repeat(150)}`, "thanks", "y".repeat(60));
  await settled();
  assert.equal(listening.heard.length, 1);
  assert.deepEqual(streams.screen.lines, ["above", "x".repeat(59)]);
  streams.type("");
  await settled();
  assert.deepEqual(streams.screen.lines, ["above", "x".repeat(59)]);
});

Deno.test("Terminal writes a note while a paste is still coming in", async () => {
  const { terminal, streams } = terminalOn({ terminal: true, columns: 60 });
  const more = Promise.withResolvers<undefined>();
  streams.readLineWithin = () => more.promise;
  await using listening = listeningTo(terminal);
  terminal.setStatus(() => "waiting");
  streams.type(`mine ${"q".repeat(80)}`);
  await settled();
  terminal.note("note");
  assert.deepEqual(streams.screen.lines, ["note", "waiting"]);
  more.resolve(undefined);
  await settled();
  assert.equal(listening.heard.length, 1);
  assert.deepEqual(streams.screen.lines, ["note", "waiting"]);
});

Deno.test("Terminal leaves what somebody types where it is", async () => {
  const { terminal, streams } = terminalOn({ terminal: true, columns: 60 });
  await using listening = listeningTo(terminal);
  terminal.setStatus(() => "1%");
  await settled();
  streams.typeOn("mine h");
  terminal.setStatus(() => "22%");
  assert.deepEqual(streams.screen.lines, ["22%", "mine h"]);
  terminal.setStatus(() => "slow\n3%\nall");
  terminal.note("note", "second row of it");
  streams.typeOn("al");
  terminal.print("result");
  const above = ["note", "second row of it", "result"];
  assert.deepEqual(streams.screen.lines, [...above, "slow", "3%", "all", "mine hal"]);
  terminal.setStatus(() => "4%");
  streams.typeOn("f");
  assert.deepEqual(streams.screen.lines, [...above, "4%", "mine half"]);
  // What is ended is read, and taken off the screen as always.
  streams.type(" and whole");
  await settled();
  assert.deepEqual(listening.heard, [[" and whole"]]);
});

Deno.test("Terminal leaves an answer that somebody types where it is", async () => {
  const { terminal, streams } = terminalOn({ terminal: true, columns: 60 });
  await using _listening = listeningTo(terminal);
  const question = `${"Let somebody with a long name ".repeat(3)}in? `;
  const answer = terminal.ask(question, NO_SIGNAL);
  await settled();
  streams.typeOn("ye");
  const before = streams.screen.lines;
  terminal.note("above");
  assert.deepEqual(streams.screen.lines, ["above", ...before]);
  streams.typeOn("s");
  assert.deepEqual(streams.screen.lines, ["above", ...before.with(-1, `${before.at(-1)}s`)]);
  streams.paste("yes");
  assert.equal(await answer, "yes");
});

Deno.test("Terminal draws what it has wrapped anew at once, in one piece", async () => {
  const { terminal, streams } = terminalOn({ terminal: true, columns: 60 });
  await using _listening = listeningTo(terminal);
  terminal.note("first");
  terminal.setStatus((columns) => `slow\n${"x".repeat(columns)}`);
  await settled();
  for (const columns of [25, 40, 25]) {
    streams.resize(columns);
    terminal.handleResize();
    assert.deepEqual(streams.screen.lines, ["first", "slow", "x".repeat(columns - 1)]);
  }
  const before = streams.error;
  terminal.handleResize();
  assert.equal(streams.error, before, "nothing has changed");
  terminal.clearStatus();
  streams.resize(60);
  terminal.handleResize();
  assert.deepEqual(streams.screen.lines, ["first"]);
});

Deno.test("Terminal draws the status line anew below a line that was typed", async () => {
  const { terminal, streams } = terminalOn({ terminal: true });
  await using _listening = listeningTo(terminal);
  terminal.setStatus(() => "waiting");
  streams.type("a line");
  await settled();
  terminal.setStatus(() => "moving");
  assert.deepEqual(streams.screen.lines, ["> a line", "moving"]);
});

Deno.test("Terminal writes no control character where a question cannot be redrawn", async () => {
  const streams = new FakeStreams({ terminal: true });
  const terminal = new Terminal(streams, { outputColor: false, errorColor: false, redraw: false });
  await using _listening = listeningTo(terminal);
  const answer = terminal.ask("Sure? ", NO_SIGNAL);
  await settled();
  terminal.note("note");
  streams.type("mine");
  await settled();
  streams.type("yes");
  assert.equal(await answer, "yes");
  assert.deepEqual(streams.screen.lines, ["Sure?", "note", "Sure? mine", "Sure? yes"]);
  assert.ok(!streams.error.includes("\x1b"));
});

Deno.test("Terminal takes the end of the input that it listens to for no answer", async () => {
  const { terminal, streams } = terminalOn({ terminal: true });
  const { promise: line, resolve: end } = Promise.withResolvers<undefined>();
  streams.readLine = () => line;
  const listening = terminal.listen({ isMeant: () => false, handleLines: () => {} }, NO_SIGNAL);
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
