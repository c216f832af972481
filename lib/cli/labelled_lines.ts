/**
 * Lines for the person on standard error: each event's first line begins with the label of its
 * session, and long ones are cut between words.
 */
import { paint, type Style } from "./paint.ts";
import type { Terminal } from "./terminal.ts";
import { errorLines } from "./messages.ts";
import { wrapWords } from "./text_width.ts";

/** Writes lines for the person. */
export class LabelledLines {
  /** What the lines of the event that is being shown begin with. */
  label = "";
  /** Colors of standard error. */
  readonly style: Style;
  readonly #terminal: Terminal;
  readonly #isQuiet: boolean;

  /**
   * @param terminal Where they go.
   * @param options With `quiet` usual lines are left out.
   */
  constructor(terminal: Terminal, options: { readonly quiet: boolean }) {
    this.#terminal = terminal;
    this.#isQuiet = options.quiet;
    this.style = { color: terminal.errorColor };
  }

  /** Writes lines that `--quiet` does without. */
  noteUsual(...lines: string[]): void {
    if (!this.#isQuiet) this.#terminal.note(...this.#labelled(lines));
  }

  /** As {@linkcode LabelledLines.noteUsual}, for lines that may be long. */
  noteUsualWrapped(...lines: string[]): void {
    if (!this.#isQuiet) this.noteWrapped(...lines);
  }

  /** Writes lines whatever is quiet, cut between words where the terminal would cut anywhere. */
  noteWrapped(...lines: string[]): void {
    const columns = this.#terminal.errorIsTerminal ? this.#terminal.columns : Infinity;
    const labelled = this.#labelled(lines);
    this.#terminal.note(...labelled.flatMap((line) => wrapWords(line, columns, "  ")));
  }

  /** Writes a warning, and what to do about it. */
  noteWarning(message: string, hint: string): void {
    this.noteWrapped(`${paint("Warning:", "yellow", this.style)} ${message}`, `  ${hint}`);
  }

  /** Writes what went wrong, and what to do about it; both are safe to show. */
  noteError(message: string, hint: string): void {
    this.noteWrapped(...errorLines(message, hint, this.style));
  }

  #labelled(lines: readonly string[]): string[] {
    return lines.map((line, index) => index === 0 ? this.label + line : line);
  }
}
