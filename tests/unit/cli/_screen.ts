/**
 * A very small terminal emulator: what a person would see after some output. It knows exactly the
 * control sequences the program may use and fails on any other.
 */
import assert from "node:assert/strict";
import { textWidth } from "../../../lib/cli/text_width.ts";

// deno-lint-ignore no-control-regex
const COLOURS = /\x1b\[[\d;]*m/g;
// deno-lint-ignore no-control-regex
const SEQUENCE = /(\x1b\[\d*[A-Z]|\x1b[78D]|\r|\n)/;

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Rows of cells, wrapping at a width. */
export class Screen {
  #columns: number;
  #rows: string[][] = [[]];
  #row = 0;
  #column = 0;
  #saved = { row: 0, column: 0 };

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
    for (const part of text.replace(COLOURS, "").split(SEQUENCE)) {
      if (part === "\r") this.#column = 0;
      else if (part === "\n") this.#moveDown();
      else if (part.includes("\x1b")) this.#handleSequence(part);
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

  #handleSequence(sequence: string): void {
    const count = parseInt(sequence.slice(2));
    switch (sequence.replace(/\d+(?=[A-Z])/, "n").slice(1)) {
      case "[J":
        return this.#eraseToEnd();
      case "[K":
        return void this.#rows[this.#row]!.splice(this.#column);
      case "[nA":
        this.#row = Math.max(0, this.#row - count);
        return;
      case "[nB":
        this.#row = Math.min(this.#rows.length - 1, this.#row + count);
        return;
      case "[nL":
        this.#rows.splice(this.#row, 0, ...Array.from({ length: count }, () => []));
        // What is on the screen moves down, and as many empty rows below it out of sight.
        assert.ok(this.#rows.splice(-count).every((cells) => cells.length === 0));
        return;
      case "[nM":
        this.#rows.splice(this.#row, count);
        for (let row = 0; row < count; row++) this.#rows.push([]);
        return;
      case "D":
        this.#row++;
        this.#rows[this.#row] ??= [];
        return;
      case "7":
        this.#saved = { row: this.#row, column: this.#column };
        return;
      case "8":
        ({ row: this.#row, column: this.#column } = this.#saved);
        return;
      default:
        throw new Error(`Unknown sequence ${JSON.stringify(sequence)}`);
    }
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
