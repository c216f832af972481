/**
 * Finds a code in text that a person pasted: alone, behind the command in which it was shown, in
 * the middle of a message. Where it ends cannot be seen, since people put spaces into codes and
 * words behind them: that is tried out. Whether it is a good code is for its reader to say.
 */
import { TransferError } from "../errors.ts";

/** Chat programs turn `--` into a dash and put invisible characters where lines may break. */
const GAP = "\\s\\p{Dash_Punctuation}\\p{Format}\\u2212";

/** `p2p1`, however it is spaced, but not as the end of a longer word. */
const CODE_START = new RegExp(`(?<![a-z0-9])${[..."p2p1"].join(`[${GAP}]*`)}`, "iu");

/** What can stand in a code, mistyped characters too; anything else ends it. */
const CODE_TEXT = new RegExp(`^[a-z0-9${GAP}]*`, "iu");

/** A character and the spacing in front of it. */
const SPACED_CHARACTER = new RegExp(`[${GAP}]*[a-z0-9]`, "giu");

/** More than the longest code has (four IPv6 addresses), so that what is tried is bounded. */
const MAX_CHARACTERS = 256;

/** No code is shorter: that is a short one with one private address. */
const MIN_CHARACTERS = 26;

/**
 * What may be the code in a line: from the first `p2p1` on to where no code can go on, then with
 * one word less each time; in any case, with spaces and dashes or without.
 *
 * @returns The longest first; empty when there is none, though the line may still be meant as a
 *   code whose beginning is mistyped.
 */
export function codesInLine(line: string): string[] {
  const start = CODE_START.exec(line)?.index;
  if (start === undefined) return [];
  const text = CODE_TEXT.exec(line.slice(start))![0];
  const wordEnds: number[] = [];
  let code = "";
  for (const character of (text.match(SPACED_CHARACTER) ?? []).slice(0, MAX_CHARACTERS)) {
    if (/\s/u.test(character)) wordEnds.push(code.length);
    code += character;
  }
  wordEnds.push(code.length);
  return wordEnds.reverse().map((end) => code.slice(0, end))
    // A beginning that is spaced itself is not taken apart.
    .filter((shorter) => CODE_START.test(shorter));
}

/** Which of `codesInLine` was most likely meant, when none of them is right. */
export function likeliestCode(codes: readonly string[]): string {
  // A first word that is long enough is the code, and words of a message follow; pieces that are all
  // short are a code with spaces in it.
  const shortest = codes.at(-1)!;
  return shortest.length >= MIN_CHARACTERS ? shortest : codes[0]!;
}

/**
 * Tries what may be a code until one is taken.
 *
 * @param codes From {@linkcode codesInLine}; at least one.
 * @param take Throws `bad_code` for what is none.
 * @returns What `take` returned first.
 * @throws {TransferError} What was wrong with the one that was most likely meant.
 */
export function takeFirstCode<T>(codes: readonly string[], take: (code: string) => T): T {
  const likeliest = likeliestCode(codes);
  let reason: unknown;
  for (const code of codes) {
    try {
      return take(code);
    } catch (error) {
      if (!(error instanceof TransferError && error.code === "bad_code")) throw error;
      if (code === likeliest) reason = error;
    }
  }
  throw reason;
}
