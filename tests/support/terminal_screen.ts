/**
 * What a person sees of the output of a terminal program: a real terminal's emulator
 * (`@xterm/headless`, the core of the terminal of VS Code), asked for its rows as text.
 *
 * Emulators move text in two ways when they are made narrower or wider: most wrap every line anew,
 * others leave the one that the cursor is in as it is. A program at a terminal has to bear both.
 */
import xterm from "npm:@xterm/headless@6.0.0";
import type { TerminalSize } from "./pseudo_terminal.ts";

/** Rows that can be scrolled back to. */
const SCROLLBACK_ROWS = 5000;

/** How a {@linkcode TerminalScreen} is. */
export interface ScreenOptions extends TerminalSize {
  /** Whether the line with the cursor is wrapped anew too when the size changes (default true). */
  readonly wrapsCursorLine?: boolean;
}

/** Where the cursor is, both from 0. */
export interface CursorPosition {
  readonly column: number;
  /** An index of {@linkcode TerminalScreen.rows}. */
  readonly row: number;
}

/** The screen of a terminal. */
export class TerminalScreen implements Disposable {
  readonly #terminal: xterm.Terminal;

  constructor({ columns, rows, wrapsCursorLine = true }: ScreenOptions) {
    this.#terminal = new xterm.Terminal({
      cols: columns,
      rows,
      scrollback: SCROLLBACK_ROWS,
      reflowCursorLine: wrapsCursorLine,
      allowProposedApi: true,
    });
  }

  /** Shows what a program wrote; resolves when it is there. */
  write(output: Uint8Array | string): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(output, resolve));
  }

  /** Changes the size. */
  resize({ columns, rows }: TerminalSize): void {
    this.#terminal.resize(columns, rows);
  }

  /** Every row that can be seen or scrolled back to, without spaces at the ends of rows. */
  get rows(): string[] {
    const { active } = this.#terminal.buffer;
    return Array.from({ length: active.length }, (_, row) => this.#row(row));
  }

  /** Rows up to the last that is not empty, for comparisons. */
  get lines(): string[] {
    const { rows } = this;
    while (rows.at(-1) === "") rows.pop();
    return rows;
  }

  /** The rows that can be seen without scrolling. */
  get visibleRows(): string[] {
    const { active } = this.#terminal.buffer;
    return this.rows.slice(active.baseY, active.baseY + this.#terminal.rows);
  }

  /** Whole lines, as they were written: rows that one was wrapped into are one again. */
  get unwrapped(): string[] {
    const { active } = this.#terminal.buffer;
    const texts: string[] = [];
    for (let row = 0; row < active.length; row++) {
      const line = active.getLine(row)!;
      const text = line.translateToString(true);
      if (line.isWrapped) texts[texts.length - 1] += text;
      else texts.push(text);
    }
    while (texts.at(-1) === "") texts.pop();
    return texts;
  }

  /** Where the cursor is. */
  get cursor(): CursorPosition {
    const { active } = this.#terminal.buffer;
    return { column: active.cursorX, row: active.baseY + active.cursorY };
  }

  [Symbol.dispose](): void {
    this.#terminal.dispose();
  }

  #row(row: number): string {
    return this.#terminal.buffer.active.getLine(row)!.translateToString(true).trimEnd();
  }
}
