import assert from "node:assert/strict";
import { renderParagraph, renderTable, replaceSection } from "../../../bench/document_section.ts";

Deno.test("replaceSection replaces what is between the markers and nothing else", () => {
  const document = "a\n\n<!-- x -->\nold\n<!-- /x -->\n\nb\n";
  const replaced = replaceSection(document, "x", "new");
  assert.equal(replaced, "a\n\n<!-- x -->\n\nnew\n\n<!-- /x -->\n\nb\n");
  assert.equal(replaceSection(replaced, "x", "new"), replaced);
});

Deno.test("replaceSection refuses a document without the section", () => {
  assert.throws(() => replaceSection("a <!-- x --> b", "x", "new"), RangeError);
  assert.throws(() => replaceSection("a", "x", "new"), RangeError);
});

Deno.test("renderTable pads its columns", () => {
  assert.equal(
    renderTable(["a", "long"], [["1", "2"], ["wide", ""]]),
    "| a    | long |\n| ---- | ---- |\n| 1    | 2    |\n| wide |      |",
  );
});

Deno.test("renderParagraph breaks lines at 100 characters and nowhere else", () => {
  const word = "x".repeat(49);
  assert.equal(renderParagraph(`${word} ${word} ${word}`), `${word} ${word}\n${word}`);
  assert.equal(renderParagraph(`${word}y ${word}`), `${word}y ${word}`);
  assert.equal(renderParagraph(`${word}yy ${word}`), `${word}yy\n${word}`);
});
