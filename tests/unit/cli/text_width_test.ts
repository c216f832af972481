import assert from "node:assert/strict";
import fc from "fast-check";
import { cutEnd, cutStart, textWidth, wrapWords } from "../../../lib/cli/text_width.ts";

Deno.test("textWidth counts wide characters twice and combining ones not at all", () => {
  assert.equal(textWidth("abc"), 3);
  assert.equal(textWidth("古い写真"), 8);
  assert.equal(textWidth("e\u0301"), 1);
  assert.equal(textWidth("👩‍👩‍👧‍👦"), 2);
});

Deno.test("cutEnd keeps the beginning and marks the cut", () => {
  assert.equal(cutEnd("abcdef", 6), "abcdef");
  assert.equal(cutEnd("abcdef", 4), "abc…");
  assert.equal(cutEnd("古い写真", 6), "古い…");
  assert.equal(cutEnd("abc", 1), "…");
  assert.equal(cutEnd("abc", 0), "");
});

Deno.test("cutStart keeps the end and marks the cut", () => {
  assert.equal(cutStart("photos/2024/a.jpg", 8), "…4/a.jpg");
  assert.equal(cutStart("古い写真", 6), "…写真");
  assert.equal(cutStart("abc", 3), "abc");
  assert.equal(cutStart("abc", -1), "");
});

Deno.test("cutEnd and cutStart never exceed the columns, whatever the text", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 60 });
  fc.assert(fc.property(text, fc.integer({ min: 0, max: 40 }), (value, columns) => {
    assert.ok(textWidth(cutEnd(value, columns)) <= columns);
    assert.ok(textWidth(cutStart(value, columns)) <= columns);
  }));
});

Deno.test("wrapWords cuts between words and indents what follows", () => {
  assert.deepEqual(wrapWords("Error: it fits", 14, "  "), ["Error: it fits"]);
  assert.deepEqual(wrapWords("Error: it does not fit here", 14, "  "), [
    "Error: it does",
    "  not fit here",
  ]);
  assert.deepEqual(wrapWords("  a hint", 4, "  "), ["  a", "  hint"]);
  assert.deepEqual(wrapWords("a verylongword b", 6, "  "), ["a", "  verylongword", "  b"]);
  assert.deepEqual(wrapWords("a  b", Infinity, "  "), ["a  b"]);
});
