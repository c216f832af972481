/**
 * A very small terminal emulator: what a person would see after some output. It knows exactly the
 * control sequences the program may use and fails on any other.
 */
import { textWidth } from "../../../lib/cli/text_width.ts";

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Rows of cells, wrapping at a width. */
export class Screen {
  #columns: number;
  #rows: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns: number) {
    this.#columns = columns;
  }

  /** What is visible, without empty rows at the end and spaces at the ends of rows. */
  get lines(): string[] {
    const lines = this.#rows.map((cells) => cells.join("").trimEnd());
    while (lines.length > 1 && lines.at(-1) === "") lines.pop();
    return lines;
  }

  write(text: string): void {
    // Colours do not move the cursor.
    // deno-lint-ignore no-control-regex
    for (const part of text.replace(/\x1b\[[\d;]*m/g, "").split(/(\x1b\[\d*[A-Z]|\r|\n)/)) {
      if (part === "\r") this.#column = 0;
      else if (part === "\n") this.#moveDown();
      else if (part === "\x1b[J") this.#eraseToEnd();
      // deno-lint-ignore no-control-regex
      else if (/^\x1b\[\d+A$/.test(part)) {
        this.#row = Math.max(0, this.#row - parseInt(part.slice(2)));
      } else if (part.includes("\x1b")) throw new Error(`Unknown sequence ${JSON.stringify(part)}`);
      else for (const { segment } of segmenter.segment(part)) this.#put(segment);
    }
  }

  /** Makes the screen narrower or wider; full rows are wrapped anew, as most terminals do. */
  resize(columns: number): void {
    const texts = this.#rows.map((cells) => cells.join(""));
    this.#columns = columns;
    this.#rows = [[]];
    this.#row = 0;
    this.#column = 0;
    this.write(texts.join("\n"));
  }

  #moveDown(): void {
    this.#row++;
    this.#rows[this.#row] ??= [];
    this.#column = 0;
  }

  #eraseToEnd(): void {
    this.#rows.length = this.#row + 1;
    this.#rows[this.#row]!.length = Math.min(this.#rows[this.#row]!.length, this.#column);
  }

  #put(character: string): void {
    const width = textWidth(character);
    if (this.#column + width > this.#columns) this.#moveDown();
    const cells = this.#rows[this.#row]!;
    while (cells.length < this.#column) cells.push(" ");
    cells[this.#column] = character;
    if (width === 2) cells[this.#column + 1] = "";
    this.#column += width;
  }
}
