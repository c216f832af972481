import assert from "node:assert/strict";
import { TransferError } from "../../../lib/errors.ts";
import { codesInLine, likeliestCode, takeFirstCode } from "../../../lib/rendezvous/code_in_line.ts";

const CODE = "p2p1rq3xwl97s7x0yv6t30emjmmtc2pp9cydlcvsgk4ntl";

/** Takes `CODE` however it is written, as a decoder does. */
function take(code: string): string {
  if (code.replace(/[\s-]/g, "").toLowerCase() !== CODE) {
    throw new TransferError("bad_code", `not ${code}`);
  }
  return code;
}

Deno.test("codesInLine finds a code alone, behind a command and in a message", () => {
  for (
    const [line, code] of [
      [CODE, CODE],
      [`  ${CODE}\r\n`, CODE],
      [CODE.toUpperCase(), CODE.toUpperCase()],
      [`p2pft receive ${CODE}`, CODE],
      [`deno run -A jsr:@p2pft/cli receive -o /tmp/p2p ${CODE}`, CODE],
      [`here it is:${CODE}`, CODE],
      ["P2P1 RQ3X WL97", "P2P1 RQ3X WL97"],
      ["p2p-1rq3-xwl9", "p2p-1rq3-xwl9"],
      ["p 2 p 1 r", "p 2 p 1 r"],
      ["p2p\u200b1rq3", "p2p\u200b1rq3"],
    ] as const
  ) {
    assert.equal(codesInLine(line)[0], code, line);
  }
});

Deno.test("codesInLine ends where no code goes on, then tries one word less each time", () => {
  assert.deepEqual(codesInLine(`"${CODE}"`), [CODE]);
  assert.deepEqual(codesInLine(`<${CODE}>`), [CODE]);
  assert.deepEqual(codesInLine(`Hi! ${CODE}, please`), [CODE]);
  assert.deepEqual(codesInLine(`${CODE} many thanks!`), [
    `${CODE} many thanks`,
    `${CODE} many`,
    CODE,
  ]);
  assert.deepEqual(codesInLine("p 2 p 1 r q"), ["p 2 p 1 r q", "p 2 p 1 r", "p 2 p 1"]);
});

Deno.test("codesInLine tries a bounded number of bounded texts", () => {
  const codes = codesInLine(`${CODE}${" thanks".repeat(2000)}`);
  assert.ok(codes.length < 256, `${codes.length}`);
  assert.equal(codes.at(-1), CODE);
  assert.ok(codesInLine(`p2p1${" q".repeat(8000)}`).length <= 256);
});

Deno.test("codesInLine finds nothing where no code is meant", () => {
  for (const line of ["", "y", "no", "always", "p2p", "p2pft receive", "p2p2q", "xp2p1qqqq"]) {
    assert.deepEqual(codesInLine(line), [], line);
  }
});

Deno.test("takeFirstCode finds the end of a code by trying", () => {
  const spaced = CODE.replace(/(.{4})/g, "$1 ").trim();
  assert.equal(takeFirstCode(codesInLine(`${CODE} thanks`), take), CODE);
  assert.equal(takeFirstCode(codesInLine(`so: ${spaced} thank you`), take), spaced);
});

Deno.test("takeFirstCode tells what is wrong with the code that was meant", () => {
  const mistyped = CODE.replace("x", "y");
  assert.equal(likeliestCode(codesInLine(`${mistyped} thanks`)), mistyped);
  assert.equal(likeliestCode(codesInLine("p2p1 rq3x wl97")), "p2p1 rq3x wl97");
  assert.throws(() => takeFirstCode(codesInLine(`${mistyped} thanks`), take), {
    message: `not ${mistyped}`,
  });
});

Deno.test("takeFirstCode goes on after wrong codes only", () => {
  const failure = new TransferError("version_mismatch", "of another version");
  let count = 0;
  const takeNone = () => {
    count++;
    throw failure;
  };
  assert.throws(() => takeFirstCode(codesInLine(`${CODE} thanks`), takeNone), failure);
  assert.equal(count, 1);
});
