import assert from "node:assert/strict";
import fc from "fast-check";
import { escapeJson, escapeText } from "../../../lib/transfer/escape_text.ts";

Deno.test("escapeText leaves ordinary text alone", () => {
  for (const text of ["", "a b-c_d.txt", "Größe 日本語 עברית", "😀 ½ é e\u0301", "it's (2) {x}"]) {
    assert.equal(escapeText(text), text);
  }
});

Deno.test("escapeText shows what could drive a terminal or hide", () => {
  for (
    const [text, shown] of [
      ["\x1b[2J", "\\u{1b}[2J"],
      ["a\nb\r\t\0", "a\\u{a}b\\u{d}\\u{9}\\u{0}"],
      ["\x7f\x9b", "\\u{7f}\\u{9b}"],
      ["x\u202egpj.exe", "x\\u{202e}gpj.exe"],
      ["\u2066\u2069\u200f\u061c", "\\u{2066}\\u{2069}\\u{200f}\\u{61c}"],
      ["a\u200bb\ufeff\u00ad", "a\\u{200b}b\\u{feff}\\u{ad}"],
      ["\u2028\u2029", "\\u{2028}\\u{2029}"],
      ["\u{e0041}", "\\u{e0041}"],
      ["\ud800", "\\u{d800}"],
      ["\\u{1b}", "\\\\u{1b}"],
    ] as const
  ) {
    assert.equal(escapeText(text), shown);
  }
});

Deno.test("escapeText gives nothing dangerous and loses nothing", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const shown = escapeText(text);
      assert.ok(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(shown));
      const back = shown.replace(
        /\\(\\|u\{([0-9a-f]+)\})/g,
        (_, escape, hex) => escape === "\\" ? "\\" : String.fromCodePoint(parseInt(hex, 16)),
      );
      assert.equal(back, text);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("escapeJson gives nothing dangerous and means the same", () => {
  const text = "a\u009b\u202e\u200b\ufeff\u{e0041}\ue000\\b\u2028\n";
  const json = escapeJson(JSON.stringify({ text }));
  assert.equal(
    json,
    '{"text":"a\\u009b\\u202e\\u200b\\ufeff\\udb40\\udc41\\ue000\\\\b\\u2028\\n"}',
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (any) => {
      const escaped = escapeJson(JSON.stringify(any));
      assert.ok(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u.test(escaped));
      assert.equal(JSON.parse(escaped), any);
    }),
    { numRuns: 1000 },
  );
});
