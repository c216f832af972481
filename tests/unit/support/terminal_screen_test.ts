/**
 * Goal: the screen of terminal tests shows what a real one would.
 * Method: the sequences the program uses, and sizes that change.
 */
import assert from "node:assert/strict";
import { TerminalScreen } from "../../support/terminal_screen.ts";

Deno.test("TerminalScreen redraws lines in place and erases to the end", async () => {
  using screen = new TerminalScreen({ columns: 20, rows: 5 });
  await screen.write("first\r\none\r\ntwo\x1b[1A\r\x1b[Jthree");
  assert.deepEqual(screen.lines, ["first", "three"]);
  assert.deepEqual(screen.cursor, { column: 5, row: 1 });
});

Deno.test("TerminalScreen wraps what is too long, two columns for wide characters", async () => {
  using screen = new TerminalScreen({ columns: 5, rows: 5 });
  await screen.write("abcdefg\r\n写写写");
  assert.deepEqual(screen.lines, ["abcde", "fg", "写写", "写"]);
  assert.deepEqual(screen.unwrapped, ["abcdefg", "写写写"]);
});

Deno.test("TerminalScreen keeps what has scrolled off, out of reach of the cursor", async () => {
  using screen = new TerminalScreen({ columns: 20, rows: 3 });
  await screen.write("1\r\n2\r\n3\r\n4\r\n5\x1b[9A\r\x1b[J6");
  assert.deepEqual(screen.lines, ["1", "2", "6"]);
  assert.deepEqual(screen.visibleRows, ["6", "", ""]);
});

Deno.test("TerminalScreen wraps lines anew when its size changes, that of the cursor as told", async () => {
  for (const wrapsCursorLine of [true, false]) {
    using screen = new TerminalScreen({ columns: 10, rows: 5, wrapsCursorLine });
    await screen.write("abcdefgh\r\nABCDEFGH");
    screen.resize({ columns: 5, rows: 5 });
    const cursorLine = wrapsCursorLine ? ["ABCDE", "FGH"] : ["ABCDE"];
    assert.deepEqual(screen.lines, ["abcde", "fgh", ...cursorLine]);
    screen.resize({ columns: 10, rows: 5 });
    assert.equal(screen.lines[0], "abcdefgh");
  }
});
