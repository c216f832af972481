/**
 * The gate between text of a peer and a terminal or a log. Control characters could drive the
 * terminal, bidirectional and invisible ones could make a name look like another.
 */

// Cc controls, Cf invisible format characters (all bidirectional ones among them), line and
// paragraph separators, halves of surrogate pairs, private and unassigned code points. The backslash
// too, so that what is shown has one meaning only.
const DANGEROUS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}\\]/gu;

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
    DANGEROUS,
    (character) => character === "\\" ? "\\\\" : `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}
