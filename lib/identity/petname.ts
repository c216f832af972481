/**
 * The names that a person gives to peers: their own, never taken from the other side. What is shown
 * on a terminal or in a list must be one plain line.
 */
import { escapeText } from "../transfer/escape_text.ts";

/** The longest name, in code points. */
export const MAX_PETNAME_CHARACTERS = 40;

/** Why a text cannot be a name. */
export type PetnameProblem = "empty" | "too_long" | "spaces" | "dash" | "characters" | "not_nfc";

/** What is wrong, to complete "Cannot use this name: it …". */
export const PETNAME_PROBLEMS: Readonly<Record<PetnameProblem, string>> = {
  empty: "is empty",
  too_long: `has more than ${MAX_PETNAME_CHARACTERS} characters`,
  spaces: "begins or ends with a space, or has several in a row or of another kind",
  dash: "begins with a dash, as options do",
  characters: "has characters that are invisible or that terminals act on",
  not_nfc: "is not written in Unicode's composed form (NFC)",
};

/** Spaces other than U+0020, those at an end, and several in a row. */
const ODD_SPACES = /^ | $| {2}|[^\P{Z} ]/u;

/** What is wrong with a name; undefined when nothing is. */
export function petnameProblem(name: string): PetnameProblem | undefined {
  if (name === "") return "empty";
  // Code units first: what is far too long is not taken apart.
  if (name.length > 2 * MAX_PETNAME_CHARACTERS || [...name].length > MAX_PETNAME_CHARACTERS) {
    return "too_long";
  }
  if (escapeText(name) !== name) return "characters";
  if (ODD_SPACES.test(name)) return "spaces";
  if (name.startsWith("-")) return "dash";
  return name.normalize("NFC") === name ? undefined : "not_nfc";
}
