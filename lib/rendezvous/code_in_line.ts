/**
 * Finds a code in a line that a person pasted: alone, behind the command in which it was shown, in
 * the middle of a message. Whether it is a good code is for its reader to say.
 */

/** Chat programs turn `--` into a dash and put invisible characters where lines may break. */
const GAP = "[\\s\\p{Dash_Punctuation}\\p{Format}\\u2212]*";

/** `p2p1`, however it is spaced, but not as the end of a longer word. */
const CODE_START = new RegExp(`(?<![a-z0-9])${[..."p2p1"].join(GAP)}`, "iu");

/**
 * The code in a line: everything from the first `p2p1` on, in any case, with spaces and dashes or
 * without.
 *
 * @returns Undefined when there is none; the line may still be meant as a code whose beginning is
 * mistyped.
 */
export function codeInLine(line: string): string | undefined {
  const start = CODE_START.exec(line)?.index;
  return start === undefined ? undefined : line.slice(start).trim();
}
