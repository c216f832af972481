import assert from "node:assert/strict";
import fc from "fast-check";
import { looksLike } from "../../../lib/identity/look_alikes.ts";
import { type PetnameProblem, petnameProblem } from "../../../lib/identity/petname.ts";
import { escapeText } from "../../../lib/transfer/escape_text.ts";
import { petname } from "./_books.ts";

Deno.test("petnameProblem takes names as people have them", () => {
  for (
    const name of ["alice", "Alice B.", "Zoë", "李雷", "o'Neil", "laptop-2", "🦆", "a".repeat(40)]
  ) {
    assert.equal(petnameProblem(name), undefined, name);
  }
});

Deno.test("petnameProblem says what is wrong with a name", () => {
  const cases: [string, PetnameProblem][] = [
    ["", "empty"],
    ["a".repeat(41), "too_long"],
    ["🦆".repeat(41), "too_long"],
    ["a".repeat(10_000_000), "too_long"],
    [" alice", "spaces"],
    ["alice ", "spaces"],
    ["al  ice", "spaces"],
    ["al\u00a0ice", "spaces"],
    ["al\u3000ice", "spaces"],
    ["--yes", "dash"],
    ["al\nice", "characters"],
    ["al\u001b[2Jice", "characters"],
    ["al\u202eice", "characters"],
    ["al\u200bice", "characters"],
    ["al\\ice", "characters"],
    ["al\ud800", "characters"],
    ["Zoe\u0308", "not_nfc"],
  ];
  for (const [name, problem] of cases) {
    assert.equal(petnameProblem(name), problem, name.slice(0, 50));
  }
});

Deno.test("a name that can be given is shown as it is, in one line", () => {
  fc.assert(fc.property(petname, (name) => {
    assert.equal(escapeText(name), name);
    assert.ok(!/[\r\n\t]/.test(name));
  }));
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
    assert.ok(petnameProblem(text) !== undefined || escapeText(text) === text);
  }));
});

Deno.test("looksLike finds names that could be taken for each other", () => {
  const pairs = [
    ["alice", "Alice"],
    ["alice", "аlice"], // the first letter is Cyrillic
    ["Alice", "AIice"], // a capital i
    ["AIice", "alice"],
    ["ALICE", "alice"],
    ["rnary", "mary"],
    ["bob", "b0b"],
    ["bob", "BoB"],
    ["zoe", "zoë"],
    ["anna-lena", "annalena"],
    ["anna lena", "annalena"],
    ["Ηans", "Hans"], // the first letter is Greek
  ];
  for (const [one, other] of pairs) {
    assert.ok(looksLike(one!, other!), `${one} ${other}`);
    assert.ok(looksLike(other!, one!), `${other} ${one}`);
  }
});

Deno.test("looksLike leaves names alone that differ", () => {
  for (
    const [one, other] of [["alice", "bob"], ["anna", "anne"], ["李", "王"], ["work", "works"]]
  ) {
    assert.ok(!looksLike(one!, other!), `${one} ${other}`);
  }
});
