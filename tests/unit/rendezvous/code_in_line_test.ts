import assert from "node:assert/strict";
import { codeInLine } from "../../../lib/rendezvous/code_in_line.ts";

const CODE = "p2p1rq3xwl97s7x0yv6t30emjmmtc2pp9cydlcvsgk4ntl";

Deno.test("codeInLine finds a code alone, behind a command and in a message", () => {
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
    assert.equal(codeInLine(line), code, line);
  }
});

Deno.test("codeInLine finds nothing where no code is meant", () => {
  for (const line of ["", "y", "no", "always", "p2p", "p2pft receive", "p2p2q", "xp2p1qqqq"]) {
    assert.equal(codeInLine(line), undefined, line);
  }
});
