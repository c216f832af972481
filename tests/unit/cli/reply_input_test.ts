import assert from "node:assert/strict";
import { MAX_OTHER_LINES, readReplies, replyCodesIn } from "../../../lib/cli/reply_input.ts";
import { TransferError } from "../../../lib/errors.ts";
import { askYesNo } from "../../../lib/cli/questions.ts";
import { Terminal } from "../../../lib/cli/terminal.ts";
import { FakeStreams, type FakeStreamsOptions } from "./_fake_world.ts";

const CODE = `p2p1z${"q".repeat(60)}`;
/** Longer than everything that is going on takes. */
const settled = async () => {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
};

function reading(options: FakeStreamsOptions, addReply: (code: string) => void = () => {}) {
  const streams = new FakeStreams({ columns: 60, ...options });
  const terminal = new Terminal(streams, {
    outputColor: false,
    errorColor: false,
    redraw: streams.errorIsTerminal,
  });
  const end = new AbortController();
  const codes: string[] = [];
  const seen = { refused: [] as unknown[], otherCount: 0 };
  const over = readReplies({
    terminal,
    addReply: (code) => {
      codes.push(code);
      addReply(code);
    },
    onRefused: (error) => seen.refused.push(error),
    onOther: () => seen.otherCount++,
    signal: end.signal,
  });
  return { streams, terminal, end, codes, seen, over };
}

Deno.test("replyCodesIn finds a code however it was copied, and takes nothing else for one", () => {
  assert.deepEqual(replyCodesIn(CODE), [CODE]);
  assert.deepEqual(replyCodesIn(`  my code: ${CODE.toUpperCase()} `), [CODE.toUpperCase()]);
  assert.equal(replyCodesIn("P2P1 zqq qqq")[0], "P2P1 zqq qqq");
  const mistyped = `pp21z${"q".repeat(60)}`;
  assert.deepEqual(replyCodesIn(` ${mistyped}`), [mistyped]);
  for (const line of ["", "y", "yes", "hello there", "p2pft send x", "/a/long/path/".repeat(9)]) {
    assert.deepEqual(replyCodesIn(line), [], line);
  }
});

/** Takes nothing but `CODE`. */
function takeOnlyCode(code: string): void {
  if (code.replaceAll(" ", "") !== CODE) throw new TransferError("bad_code", `Not ${code}`);
}

Deno.test("readReplies takes a code out of a whole message", async () => {
  const lines = [`"${CODE}"`, `<${CODE}>`, `Hi! ${CODE}, please`, `${CODE} thanks a lot`];
  const { codes, over, seen } = reading({ lines }, takeOnlyCode);
  await over;
  assert.equal(codes.filter((code) => code === CODE).length, lines.length);
  assert.deepEqual(seen, { refused: [], otherCount: 0 });
});

Deno.test("readReplies puts a code together that was broken over two lines of a paste", async () => {
  const { codes, over, seen, streams, end } = reading({ terminal: true }, takeOnlyCode);
  streams.paste("Hi, my code:", "");
  streams.paste(CODE.slice(0, 40), CODE.slice(40), "thanks");
  await settled();
  assert.equal(codes.at(-1), `${CODE.slice(0, 40)} ${CODE.slice(40)}`);
  assert.deepEqual(seen.refused, []);
  streams.paste(CODE.slice(0, 40), "thanks");
  await settled();
  assert.deepEqual(seen.refused.map((error) => (error as Error).message), [
    `Not ${CODE.slice(0, 40)}`,
  ]);
  end.abort();
  await over;
});

Deno.test("readReplies answers no question with the rest of a paste", async () => {
  for (const rest of ["y", ""]) {
    const { codes, over, streams, terminal, end } = reading({ terminal: true }, takeOnlyCode);
    let isIn: boolean | undefined;
    const question = { text: "Same words?", defaultAnswer: false, signal: end.signal };
    const asked = askYesNo(terminal, question).then((answer) => isIn = answer);
    await settled();
    streams.paste(CODE, rest);
    await settled();
    assert.deepEqual(codes, [CODE]);
    assert.equal(isIn, undefined);
    assert.deepEqual(streams.screen.lines, ["Same words? [y/N]"]);
    streams.type("y");
    await asked;
    assert.equal(isIn, true);
    end.abort();
    await over;
  }
});

Deno.test("readReplies takes a code from each line of a pipe and ends with it", async () => {
  const { codes, over, seen } = reading({ lines: [CODE, "", `send this: ${CODE}x`] });
  await over;
  assert.deepEqual(codes, [CODE, `${CODE}x`]);
  assert.deepEqual(seen, { refused: [], otherCount: 0 });
});

Deno.test("readReplies goes on after a code that is refused", async () => {
  const bad = new Error("bad");
  const { codes, over, seen } = reading({ lines: ["p2p1a", CODE] }, (code) => {
    if (code === "p2p1a") throw bad;
  });
  await over;
  assert.deepEqual(codes, ["p2p1a", CODE]);
  assert.deepEqual(seen.refused, [bad]);
});

Deno.test("readReplies tells once of lines that are no codes, until a code comes", async () => {
  const { over, seen } = reading({ lines: ["a", "b", CODE, "c", "d"] });
  await over;
  assert.equal(seen.otherCount, 2);
});

Deno.test("readReplies stops reading a pipe that says something else without end", async () => {
  const { over, streams } = reading({ lines: Array(MAX_OTHER_LINES + 5).fill("y") });
  await over;
  let restCount = 0;
  while (await streams.readLine() !== undefined) restCount++;
  assert.equal(restCount, 5);
});

Deno.test("readReplies takes a code while a question is open, which stays open", async () => {
  const { codes, over, streams, terminal, end, seen } = reading({ terminal: true });
  terminal.setStatus(() => "Waiting …");
  const answer = askYesNo(terminal, { text: "In?", defaultAnswer: false, signal: end.signal });
  await settled();
  streams.type(CODE);
  await settled();
  assert.deepEqual(codes, [CODE]);
  streams.type("perhaps");
  await settled();
  streams.type("y");
  assert.equal(await answer, true);
  assert.equal(seen.otherCount, 0);
  assert.deepEqual(streams.screen.lines.slice(-4), [
    "In? [y/N] perhaps",
    "Please answer y or n.",
    "In? [y/N] y",
    "Waiting …",
  ]);
  end.abort();
  await over;
});

Deno.test("readReplies ends with the signal, and the open question with it", async () => {
  const { over, terminal, end } = reading({ terminal: true });
  const unrelated = new AbortController().signal;
  const answer = askYesNo(terminal, { text: "In?", defaultAnswer: true, signal: unrelated });
  await settled();
  end.abort();
  await over;
  assert.equal(await answer, false);
});

Deno.test("readReplies rejects when the input cannot be read", async () => {
  const streams = new FakeStreams();
  streams.readLine = () => Promise.reject(new Deno.errors.IsADirectory("no lines here"));
  const terminal = new Terminal(streams, { outputColor: false, errorColor: false, redraw: false });
  const over = readReplies({
    terminal,
    addReply: () => {},
    onRefused: () => {},
    onOther: () => {},
    signal: new AbortController().signal,
  });
  await assert.rejects(over, /no lines here/);
});
