/**
 * Columns a text takes on a terminal, and texts cut to fit. Wide characters count two, combining
 * ones none. Works on text that is safe to print already: control sequences are not understood.
 */
import getTruncatedWidth from "npm:fast-string-truncated-width@3.0.3";

/** Columns `text` takes. */
export function textWidth(text: string): number {
  return getTruncatedWidth(text).width;
}

/**
 * `text` in lines of at most `columns` columns, cut at spaces; a longer word stays whole. Lines after
 * the first begin with `indent`.
 */
export function wrapWords(text: string, columns: number, indent: string): string[] {
  if (textWidth(text) <= columns) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/(?<=\S) /)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line.trim() === "" || textWidth(longer) <= columns) {
      line = longer;
    } else {
      lines.push(line);
      line = indent + word;
    }
  }
  return [...lines, line];
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** What a person takes for characters. */
function charactersOf(text: string): string[] {
  return Array.from(segmenter.segment(text), (part) => part.segment);
}

/** How many of `characters`, from the first, fit into `columns`. */
function countFitting(characters: readonly string[], columns: number): number {
  let width = 0;
  const end = characters.findIndex((character) => (width += textWidth(character)) > columns);
  return end < 0 ? characters.length : end;
}

// A name can have 255 bytes and a path 64 names: of those, only what could be seen is taken apart.
// No more than this many UTF-16 units are worth a column.
const MAX_UNITS_PER_COLUMN = 8;

/** The beginning of `text` in at most `columns` columns, ending in `…` where something was cut. */
export function cutEnd(text: string, columns: number): string {
  if (columns <= 0) return "";
  if (textWidth(text) <= columns) return text;
  const characters = charactersOf(text.slice(0, columns * MAX_UNITS_PER_COLUMN));
  return `${characters.slice(0, countFitting(characters, columns - 1)).join("")}…`;
}

/**
 * The end of `text` in at most `columns` columns, beginning with `…` where something was cut: of a
 * path, the file's name is what one wants to see.
 */
export function cutStart(text: string, columns: number): string {
  if (columns <= 0) return "";
  if (textWidth(text) <= columns) return text;
  const characters = charactersOf(text.slice(-columns * MAX_UNITS_PER_COLUMN)).reverse();
  return `…${characters.slice(0, countFitting(characters, columns - 1)).reverse().join("")}`;
}
