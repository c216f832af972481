/** What came of it, on standard output: texts, and the summaries of sessions and of the whole. */
import type { ClosedEvent, DoneEvent, TextEvent, VerifiedEvent } from "../events.ts";
import type { LabelledLines } from "./labelled_lines.ts";
import { verifiedLine, verifyProblem } from "./manifest_messages.ts";
import { clientDoneLine, closedLine, doneLines, textLines } from "./messages.ts";
import { paint, type Style } from "./paint.ts";
import type { Terminal } from "./terminal.ts";
import { wrapWords } from "./text_width.ts";
import { directionOf, type Role, wayOf } from "./view.ts";

/** How results are shown. */
export interface ResultLinesOptions {
  readonly role: Role;
  readonly quiet: boolean;
  /** Whether several clients can be there at a time: each has one line. */
  readonly isForMany: boolean;
  /** Whether the share is a drop box. */
  readonly takesOnly: boolean;
  /** Where files go that come here. */
  readonly directory: string | undefined;
}

/** Shows results. */
export class ResultLines {
  readonly #terminal: Terminal;
  readonly #lines: LabelledLines;
  readonly #options: ResultLinesOptions;
  readonly #style: Style;
  /** A text went to standard output as it came: the summary does not belong behind it. */
  #isOutputText = false;

  /**
   * @param terminal Where they go.
   * @param lines What stands beside them on standard error.
   */
  constructor(terminal: Terminal, lines: LabelledLines, options: ResultLinesOptions) {
    this.#terminal = terminal;
    this.#lines = lines;
    this.#options = options;
    this.#style = { color: terminal.outputColor };
  }

  /** A text is what the person came for: `--quiet` keeps it too. */
  showText(event: TextEvent): void {
    const terminal = this.#terminal;
    if (terminal.outputIsTerminal) {
      this.#lines.noteUsual(paint("The other side says:", "dim", this.#lines.style));
      for (const line of textLines(event)) terminal.print(line);
      return;
    }
    this.#isOutputText = true;
    terminal.printRaw(event.text);
  }

  /** A half of a session ended well. */
  showDone(event: DoneEvent): void {
    const { items, leftOut, bytes } = event;
    const role = directionOf(this.#options.role, wayOf(event));
    // Of a drop box, which gives nothing, and of what was taken from it nothing.
    if (this.#options.quiet || (items === 0 && leftOut === 0 && bytes === 0)) return;
    if (this.#options.isForMany) return this.#print(clientDoneLine(event, role));
    const lines = doneLines(event, {
      role,
      directory: role === "receive" ? this.#options.directory : undefined,
      columns: this.#columns,
      style: this.#style,
    });
    for (const line of lines) this.#print(line);
  }

  /** A share for many is over. */
  showClosed(event: ClosedEvent): void {
    this.#print(closedLine(event, this.#options.takesOnly));
  }

  /** A manifest was checked. */
  showVerified(event: VerifiedEvent): void {
    if (!this.#options.quiet) this.#terminal.print(verifiedLine(event));
    const problem = verifyProblem(event);
    if (problem !== undefined) return this.#lines.noteError(problem.message, problem.hint);
    if (this.#options.quiet) return;
    this.#terminal.print(paint("Everything is as it was.", "green", this.#style));
  }

  #print(line: string): void {
    if (this.#isOutputText) return this.#lines.noteUsualWrapped(line);
    if (this.#options.quiet) return;
    for (const part of wrapWords(this.#lines.label + line, this.#columns, "  ")) {
      this.#terminal.print(part);
    }
  }

  /** A terminal would cut lines in a word; whoever reads a pipe wants them, and the root, whole. */
  get #columns(): number {
    return this.#terminal.outputIsTerminal ? this.#terminal.columns : Infinity;
  }
}
