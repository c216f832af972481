/**
 * The gate between text of a peer and a terminal or a log. Control characters could drive the
 * terminal, bidirectional and invisible ones could make a name look like another.
 */

// Cc controls, Cf invisible format characters (all bidirectional ones among them), line and
// paragraph separators, halves of surrogate pairs, private and unassigned code points.
const DANGEROUS = "\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}\\p{Co}\\p{Cn}";
// The backslash too, so that what is shown has one meaning only.
const DANGEROUS_IN_TEXT = new RegExp(`[${DANGEROUS}\\\\]`, "gu");
const DANGEROUS_IN_JSON = new RegExp(`[${DANGEROUS}]`, "gu");

/**
 * Makes text of a peer safe to show: dangerous characters become `\u{…}`, a backslash `\\`.
 *
 * @example Show a name that tries to hide its ending
 * ```ts
 * import { escapeText } from "./escape_text.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(escapeText("invoice\u202egpj.exe"), "invoice\\u{202e}gpj.exe");
 * ```
 */
export function escapeText(text: string): string {
  return text.replace(
    DANGEROUS_IN_TEXT,
    (character) => character === "\\" ? "\\\\" : `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/**
 * Makes JSON safe to show without changing what it means: the same characters become `\uXXXX`, two of
 * them for one beyond U+FFFF.
 *
 * @param json Text of `JSON.stringify`, without line breaks: outside of strings it has none of them.
 */
export function escapeJson(json: string): string {
  return json.replace(
    DANGEROUS_IN_JSON,
    (character) =>
      Array.from(
        { length: character.length },
        (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
      ).join(""),
  );
}
