import assert from "node:assert/strict";
import fc from "fast-check";
import {
  isCommandLine,
  keyboardHelp,
  type KeyboardName,
  parseKeyboardLine,
} from "../../../lib/cli/keyboard.ts";

const SHARE: readonly KeyboardName[] = ["list", "kick", "limit", "close", "help"];
const RECEIVE: readonly KeyboardName[] = ["offer", "help"];

const command = (line: string, names = SHARE) => {
  const parsed = parseKeyboardLine(line, names);
  return parsed.kind === "command" ? parsed.command : parsed.kind;
};

Deno.test("parseKeyboardLine reads each command, with its first letters too", () => {
  for (const line of ["list", "lis", " LIST ", "List"]) {
    assert.deepEqual(command(line), { name: "list" }, line);
  }
  assert.deepEqual(command("kick 3"), { name: "kick", session: 3 });
  assert.deepEqual(command("k  12 "), { name: "kick", session: 12 });
  assert.deepEqual(command("limit 2M"), { name: "limit", rate: 2_000_000 });
  assert.deepEqual(command("lim 8Mbit"), { name: "limit", rate: 1_000_000 });
  assert.deepEqual(command("limit OFF"), { name: "limit", rate: undefined });
  assert.deepEqual(command("c"), { name: "close" });
  assert.deepEqual(command("h"), { name: "help" });
  assert.deepEqual(command("offer a b.txt", RECEIVE), { name: "offer", path: "a b.txt" });
  assert.deepEqual(command("o 'a b.txt'", RECEIVE), { name: "offer", path: "a b.txt" });
});

Deno.test("parseKeyboardLine says what is missing or could be two", () => {
  const message = (line: string, names = SHARE) => {
    const parsed = parseKeyboardLine(line, names);
    assert.ok(parsed.kind === "problem", line);
    return parsed.message;
  };
  assert.equal(message("li"), "Which one: list or limit?");
  assert.match(message("kick"), /^Whom\?/);
  assert.match(message("kick bob"), /^Whom\?/);
  assert.match(message("limit"), /^To what\?/);
  assert.match(message("limit 3"), /^To what\?/);
  assert.match(message("offer", RECEIVE), /^What\?/);
});

Deno.test("parseKeyboardLine takes nothing else for a command", () => {
  for (const line of ["", "  ", "hello", "close the door", "help me", "2", "listen", "/list"]) {
    assert.equal(command(line), "other", line);
  }
  assert.equal(command("offer x"), "other");
  assert.equal(command("kick 1", RECEIVE), "other");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (line) => {
    parseKeyboardLine(line, SHARE);
  }));
});

Deno.test("isCommandLine leaves answers of a letter to the question", () => {
  for (const line of ["list", "kick 2", "limit off", "cl", "he"]) {
    assert.ok(isCommandLine(line, SHARE), line);
  }
  for (const line of ["y", "n", "a", "yes", "no", "always", "c", "h", "kick", "k 2", "perhaps"]) {
    assert.ok(!isCommandLine(line, SHARE), line);
  }
});

Deno.test("keyboardHelp has a line for each, in 60 columns", () => {
  for (const names of [SHARE, RECEIVE]) {
    const lines = keyboardHelp(names);
    assert.equal(lines.length, names.length);
    for (const [index, name] of names.entries()) {
      assert.ok(lines[index]!.startsWith(`  ${name}`));
      assert.ok(lines[index]!.length <= 60, lines[index]);
    }
  }
});
