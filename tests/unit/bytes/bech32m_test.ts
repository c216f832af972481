import assert from "node:assert/strict";
import fc from "fast-check";
import { bech32m } from "npm:@scure/base@2.4.0";
import { decodeBech32m, encodeBech32m, type WrongCharacters } from "../../../lib/bytes/bech32m.ts";

const ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const BYTES = new Uint8Array(24).map((_, index) => index * 7);
const CODE = encodeBech32m("p2p", BYTES);

/** Replaces the characters at `indexes`. */
function replaceAt(text: string, indexes: readonly number[], by: readonly string[]): string {
  const characters = [...text];
  for (const [at, index] of indexes.entries()) characters[index] = by[at]!;
  return characters.join("");
}

function wrongIndexes(text: string, checksumMask = 0): number[] | undefined {
  const result = decodeBech32m("p2p", text, checksumMask);
  if (result.ok || result.problem.reason !== "wrong_characters") return undefined;
  return result.problem.complete
    ? result.problem.characters.map((character) => character.index)
    : undefined;
}

function wrongCharacters(text: string): WrongCharacters {
  const result = decodeBech32m("p2p", text);
  assert.ok(!result.ok && result.problem.reason === "wrong_characters", text);
  return result.problem;
}

/** What people and chat programs do to a code that leaves it the same. */
function scramble(code: string): fc.Arbitrary<string> {
  const gap = fc.constantFrom("", "", "", " ", "-", "\n", "\r\n", "\t", "–", "\u200b", "\u00a0");
  const perCharacter = fc.tuple(fc.boolean(), gap);
  return fc.array(perCharacter, { minLength: code.length, maxLength: code.length }).map((all) =>
    all.map(([isUpper, gap], index) => (isUpper ? code[index]!.toUpperCase() : code[index]) + gap)
      .join("")
  );
}

Deno.test("decodeBech32m reads what encodeBech32m wrote, however it is typed", () => {
  const bytesAndMask = fc.tuple(fc.uint8Array({ maxLength: 100 }), fc.nat(0x3fff_ffff));
  const cases = bytesAndMask.chain(([bytes, mask]) =>
    fc.tuple(fc.constant(bytes), fc.constant(mask), scramble(encodeBech32m("p2p", bytes, mask)))
  );
  fc.assert(fc.property(cases, ([bytes, mask, typed]) => {
    const result = decodeBech32m("p2p", typed, mask);
    assert.equal(result.ok, true, typed);
    assert.deepEqual(result.ok && result.bytes, bytes);
  }));
});

Deno.test("encodeBech32m writes the prefix, lower case, and 8 bits in 5", () => {
  assert.match(CODE, /^p2p1[02-9ac-hj-np-z]{45}$/);
  assert.equal(encodeBech32m("a", new Uint8Array(0)), "a1lqfn3a");
  assert.equal(encodeBech32m("?", new Uint8Array(0)), "?1v759aa");
});

Deno.test("decodeBech32m takes the strings of BIP 350 that hold whole bytes", () => {
  for (const text of ["A1LQFN3A", "a1lqfn3a", "?1v759aa"]) {
    const prefix = text.slice(0, 1).toLowerCase();
    assert.deepEqual(decodeBech32m(prefix, text), { ok: true, bytes: new Uint8Array(0) });
  }
  const text = "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx";
  const result = decodeBech32m("abcdef", text);
  assert.equal(result.ok && encodeBech32m("abcdef", result.bytes), text);
});

Deno.test("decodeBech32m refuses the strings BIP 350 calls invalid", () => {
  const invalid: [string, string][] = [
    ["y", "y1b0jsk6g"],
    ["lt", "lt1igcx5c0"],
    ["in", "in1muywd"],
    ["mm", "mm1crxm3i"],
    ["au", "au1s5cgom"],
    ["m", "M1VUXWEZ"],
    ["", "16plkw9"],
    ["", "1p2gdwpf"],
  ];
  for (const [prefix, text] of invalid) assert.equal(decodeBech32m(prefix, text).ok, false, text);
});

Deno.test("decodeBech32m refuses bits that belong to no byte", () => {
  const padding = { ok: false, problem: { reason: "padding" } };
  const decode = (words: number[]) => decodeBech32m("p2p", bech32m.encode("p2p", words, false));
  assert.deepEqual(decode([31, 28]), { ok: true, bytes: new Uint8Array([0xff]) });
  assert.deepEqual(decode([31, 29]), padding); // a bit that is not zero
  assert.deepEqual(decode([31, 28, 0]), padding); // a whole symbol too many
  assert.deepEqual(decode([0]), padding);
});

Deno.test("decodeBech32m names one wrong character exactly, whichever it is", () => {
  for (let index = 0; index < CODE.length; index++) {
    for (const other of ALPHABET + "1bio!é💥") {
      if (other === CODE[index]) continue;
      assert.deepEqual(
        wrongIndexes(replaceAt(CODE, [index], [other])),
        [index],
        `${index} ${other}`,
      );
    }
  }
});

Deno.test("decodeBech32m names two wrong characters exactly, also outside the alphabet", () => {
  const masks = fc.constantFrom(0, 0x3fff_ffff, 0x1234_5678);
  const other = fc.constantFrom(...ALPHABET, "b", "i", "o", "1", "?");
  const cases = fc.tuple(fc.uint8Array({ minLength: 22, maxLength: 50 }), masks)
    .map(([bytes, mask]) => [encodeBech32m("p2p", bytes, mask), mask] as const)
    .chain(([code, mask]) =>
      fc.tuple(
        fc.constant(code),
        fc.constant(mask),
        fc.uniqueArray(fc.nat(code.length - 1), { minLength: 2, maxLength: 2 })
          .map((places) => places.sort((a, b) => a - b)),
        fc.tuple(other, other),
      )
    )
    .filter(([code, _, [a, b], [x, y]]) => code[a!] !== x && code[b!] !== y);
  fc.assert(
    fc.property(cases, ([code, mask, places, by]) => {
      assert.deepEqual(wrongIndexes(replaceAt(code, places, by), mask), places);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("decodeBech32m reports where a wrong character is in the text as typed", () => {
  const damaged = replaceAt(CODE, [3, 16], ["l", "b"]).toUpperCase();
  const typed = `  ${damaged.slice(0, 10)} - ${damaged.slice(10)}\n`;
  const result = wrongCharacters(typed);
  assert.equal(result.complete, true);
  assert.deepEqual(result.characters, [
    { index: 5, position: 4, character: "L", near: damaged.slice(1, 6), problem: "prefix" },
    { index: 21, position: 17, character: "B", near: damaged.slice(14, 19), problem: "alphabet" },
  ]);
  assert.equal(typed[21], "B");
  assert.equal(result.characterCount, CODE.length);
});

Deno.test("decodeBech32m names nothing but what it knows when too much is wrong", () => {
  const damaged = replaceAt(CODE, [7, 11, 15, 20], ["b", "b", "b", CODE[20] === "q" ? "p" : "q"]);
  const result = wrongCharacters(damaged);
  assert.equal(result.complete, false);
  assert.deepEqual(result.characters.map((character) => character.position), [8, 12, 16]);

  const shortened = wrongCharacters(CODE.slice(0, 20) + CODE.slice(21));
  assert.deepEqual(shortened.characters, []);
  assert.equal(shortened.complete, false);
  assert.equal(shortened.characterCount, CODE.length - 1);
});

Deno.test("decodeBech32m tells other text from a damaged code", () => {
  for (const text of ["", "hello", "https://example.org/p2p1", "qqqq" + CODE.slice(4)]) {
    assert.deepEqual(
      decodeBech32m("p2p", text),
      { ok: false, problem: { reason: "wrong_prefix" } },
      text,
    );
  }
  // Two wrong characters in the prefix count as typing errors only when all the rest is right.
  assert.deepEqual(wrongIndexes("pqpl" + CODE.slice(4)), [1, 3]);
  assert.deepEqual(decodeBech32m("p2p", "pip install something-or-other"), {
    ok: false,
    problem: { reason: "wrong_prefix" },
  });
  for (const [text, characterCount] of [["p2p1", 4], ["p2p1qqqqq", 9], ["P2P-1", 4]] as const) {
    assert.deepEqual(
      decodeBech32m("p2p", text),
      { ok: false, problem: { reason: "too_short", characterCount } },
      text,
    );
  }
});

Deno.test("decodeBech32m folds ASCII letters only", () => {
  const code = [...CODE];
  const at = code.indexOf("k");
  assert.ok(at > 3, "the sample has a k");
  assert.deepEqual(wrongIndexes(replaceAt(CODE, [at], ["\u212a"])), [at]);
});

Deno.test("decodeBech32m is refused under another mask", () => {
  assert.equal(decodeBech32m("p2p", CODE, 1).ok, false);
  assert.equal(decodeBech32m("p2p", encodeBech32m("p2p", BYTES, 0x2000_0000)).ok, false);
});

Deno.test("decodeBech32m never throws", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.string({ unit: fc.constantFrom(...ALPHABET, "1", "B", "-", " "), maxLength: 300 })
      .map((rest) => "p2p1" + rest),
  );
  fc.assert(fc.property(text, fc.nat(0x3fff_ffff), (text, mask) => {
    const result = decodeBech32m("p2p", text, mask);
    if (result.ok || result.problem.reason !== "wrong_characters") return;
    for (const { index, character } of result.problem.characters) {
      assert.equal(text.slice(index, index + character.length), character);
    }
  }));
});
