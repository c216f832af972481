/**
 * Puts lines where they belong and decides nothing else: results on standard output, everything
 * else on standard error, and a status of a few lines that is redrawn in place on a terminal.
 * What the lines say comes from `render.ts`.
 *
 * The terminal is never switched into another mode, so there is nothing to restore but the status,
 * which {@linkcode Terminal.clearStatus} erases.
 */
import { escapeText } from "../transfer/escape_text.ts";
import type { ConsoleStreams } from "./console_streams.ts";
import { textWidth } from "./text_width.ts";
import { insertAbove, replaceAbove } from "./typed_row.ts";

/** How a terminal is to be used. */
export interface TerminalOptions {
  /** Colour on standard output. */
  readonly outputColor: boolean;
  /** Colour on standard error. */
  readonly errorColor: boolean;
  /** Whether standard error can redraw a line: a terminal, and not a dumb one. */
  readonly redraw: boolean;
}

/**
 * Makes the lines of the status for a width and the rows of the terminal, `\n` between them; called
 * again for every redraw.
 */
export type StatusRenderer = (columns: number, rows: number) => string;

/** What is listened for in the input beside answers. */
export interface LineListener {
  /** Whether a line holds it, or the beginning of it. */
  isMeant(line: string): boolean;
  /** Whether a line that stands alone is a command, and no answer to a question with few answers. */
  isCommand?(line: string): boolean;
  /** Takes lines that came together and answer nothing. */
  handleLines(lines: readonly string[]): void;
}

/** Lines of a paste come this close together; nobody reads a question and answers it so fast. */
const PASTE_MS = 300;

/** An answer that stands alone: what is pasted comes faster, and nobody notices the wait. */
const ANSWER_MS = 50;

/** Lines of one paste that are looked at; the others are dropped. */
const MAX_PASTE_LINES = 256;

const ERASE_TO_END = "\x1b[J";

/** The screen of one run. */
export class Terminal {
  /** Colour on standard output. */
  readonly outputColor: boolean;
  /** Colour on standard error. */
  readonly errorColor: boolean;
  /** Whether the status line is shown at all. */
  readonly redraws: boolean;
  /** Whether there is a person to ask: answers come from a terminal, questions go to one. */
  readonly canAsk: boolean;
  readonly #streams: ConsoleStreams;
  #status: StatusRenderer | undefined;
  /** The status line or the question that stands on the screen now; empty when none does. */
  #drawn = "";
  /** How large the screen was then, in columns and rows. */
  #drawnSize = "";
  /** Lines that were typed or pasted behind it, each ended by Enter. */
  #echoed: string[] = [];
  #question: string | undefined;
  #isListening = false;
  /** Takes the answer to the open question while {@linkcode Terminal.listen} reads the input. */
  #answer: ((line: string | undefined) => void) | undefined;
  /** Whether any line can be the answer to the open question, a command too. */
  #takesAnyLine = false;
  #asking: Promise<unknown> = Promise.resolve();

  /** @param streams Where to write and read. */
  constructor(streams: ConsoleStreams, options: TerminalOptions) {
    this.#streams = streams;
    this.outputColor = options.outputColor;
    this.errorColor = options.errorColor;
    this.redraws = options.redraw;
    this.canAsk = streams.inputIsTerminal && streams.errorIsTerminal;
  }

  /** Whether standard output is a terminal. */
  get outputIsTerminal(): boolean {
    return this.#streams.outputIsTerminal;
  }

  /** Whether lines come from a terminal. */
  get inputIsTerminal(): boolean {
    return this.#streams.inputIsTerminal;
  }

  /** Columns now. */
  get columns(): number {
    return this.#streams.columns();
  }

  /** Rows now. */
  get rows(): number {
    return this.#streams.rows();
  }

  /** Whether standard error is a terminal. */
  get errorIsTerminal(): boolean {
    return this.#streams.errorIsTerminal;
  }

  /** Writes a line of results to standard output. */
  print(line: string): void {
    // Elsewhere it comes between no two things on the screen.
    if (!this.outputIsTerminal) return this.#streams.writeOutput(`${line}\n`);
    this.#writeAbove(line, (text) => this.#streams.writeOutput(text));
  }

  /** Writes a result to standard output as it is, for whoever reads it there. */
  printRaw(text: string): void {
    this.#interrupt(() => this.#streams.writeOutput(text));
  }

  /** Writes lines for the person to standard error. */
  note(...lines: string[]): void {
    this.#writeAbove(lines.join("\n"), (text) => this.#streams.writeError(text));
  }

  /** Shows a status, or replaces it. Does nothing where lines cannot be redrawn. */
  setStatus(status: StatusRenderer): void {
    if (!this.redraws) return;
    this.#status = status;
    if (this.#question !== undefined) return;
    // The same line again would only flicker; made narrower, the terminal has moved it.
    const isDrawn = this.#drawn !== "" && this.#drawn === this.#text() &&
      this.#drawn.split("\n").every((line) => textWidth(line) <= this.columns);
    if (isDrawn) return;
    const rows = this.#typedRow;
    const text = this.#text();
    // In place as long as there is a row for what somebody types, who would lose sight of it.
    const change = rows === undefined || !text.endsWith("\n")
      ? this.#eraser() + text
      : replaceAbove(rows, text.slice(0, -1).split("\n"));
    this.#draw();
    this.#streams.writeError(change);
  }

  /** The terminal has another size now: what it has wrapped since is drawn anew. */
  handleResize(): void {
    if (!this.redraws || this.#drawn === "" || this.#drawnSize === this.#size) return;
    // Without the answer that somebody may be typing: a question can wait for what comes next.
    if (this.#question === undefined) this.#streams.writeError(this.#eraser() + this.#draw());
  }

  /** Takes the status away. */
  clearStatus(): void {
    if (this.#question === undefined) this.#erase();
    this.#status = undefined;
  }

  /**
   * Asks for a line. Questions wait for one another; what was typed before one appeared is not
   * taken for its answer.
   *
   * @param question Shown as it is, the answer right behind it.
   * @param signal Gives up.
   * @param options `takesTypedAhead`: the answer can do no harm and may have been typed before;
   * `takesAnyLine`: what looks like a command is an answer as well.
   * @returns Undefined when the input ended or the signal came.
   */
  ask(
    question: string,
    signal: AbortSignal,
    options: { readonly takesTypedAhead?: boolean; readonly takesAnyLine?: boolean } = {},
  ): Promise<string | undefined> {
    const drops = options.takesTypedAhead !== true;
    const answer = this.#asking.then(async () => {
      if (drops && !signal.aborted) await this.#streams.dropTypedAhead();
      this.#takesAnyLine = options.takesAnyLine === true;
      return await this.#ask(question, signal);
    });
    this.#asking = answer.catch(() => undefined);
    return answer;
  }

  /** One line of standard input that is not a terminal; undefined at its end. */
  readLine(signal: AbortSignal): Promise<string | undefined> {
    return this.#streams.readLine(signal);
  }

  /**
   * Reads the input from now on, also while nothing is asked, and hands lines to `listener`. Of what
   * is pasted at a terminal nothing answers a question unless it is one line alone.
   *
   * @param signal Ends it; the open question ends with it.
   * @returns At the end of the input, or when the signal came; rejects if it cannot be read.
   */
  async listen(listener: LineListener, signal: AbortSignal): Promise<void> {
    this.#isListening = true;
    if (this.#status !== undefined) this.setStatus(this.#status);
    try {
      for (;;) {
        const line = await this.#streams.readLine(signal);
        if (line === undefined) return;
        if (this.#streams.inputIsTerminal) await this.#handleTyped(line, listener, signal);
        else listener.handleLines([line]);
      }
    } finally {
      this.#isListening = false;
      this.#answer?.(undefined);
    }
  }

  /** Takes a line that was typed, or the first one that was pasted. */
  async #handleTyped(line: string, listener: LineListener, signal: AbortSignal): Promise<void> {
    const answer = this.#answer;
    const lines = await this.#readPaste(line, listener, signal);
    const isMeant = lines.some((line) => listener.isMeant(line));
    const isAlone = lines.slice(1).every(isBlank);
    const isCommand = isAlone && !this.#takesAnyLine && listener.isCommand?.(line) === true;
    if (answer !== undefined && answer === this.#answer && !isMeant && !isCommand && isAlone) {
      this.#endQuestion(line);
      return answer(line);
    }
    // What somebody typed stays, but not the status it was typed behind; a code, which is long, and
    // empty rows would only be in the way.
    const isKept = !isMeant && answer === undefined && !isBlank(line);
    this.#erase();
    if (isKept && this.redraws) this.#streams.writeError(`> ${escapeText(line)}\n`);
    if (isMeant || isCommand || answer === undefined) listener.handleLines(lines);
    if (this.#drawn === "") this.#drawAnew();
  }

  /** A line, and those of the same paste behind it. */
  async #readPaste(first: string, listener: LineListener, signal: AbortSignal): Promise<string[]> {
    const lines: string[] = [];
    let waitMs = this.#answer === undefined ? 0 : ANSWER_MS;
    let line: string | undefined = first;
    while (line !== undefined) {
      // The person's Enter ended the row that the status line or the question stood on.
      this.#echoed.push(line);
      if (lines.length < MAX_PASTE_LINES) lines.push(line);
      if (listener.isMeant(line)) waitMs = PASTE_MS;
      if (waitMs === 0) break;
      line = await this.#streams.readLineWithin(waitMs, signal);
    }
    return lines;
  }

  /** The next line of the input that nobody else takes. */
  #nextAnswer(signal: AbortSignal): Promise<string | undefined> {
    if (!this.#isListening) return this.#streams.readLine(signal);
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const giveUp = () => resolve(undefined);
    signal.addEventListener("abort", giveUp, { once: true });
    this.#answer = resolve;
    return promise.finally(() => {
      signal.removeEventListener("abort", giveUp);
    });
  }

  async #ask(question: string, signal: AbortSignal): Promise<string | undefined> {
    if (signal.aborted) return undefined;
    this.#erase();
    this.#question = question;
    this.#streams.writeError(this.#draw());
    // At once, so that what is written next does not bring the question back.
    const giveUp = () => this.#endQuestion(undefined);
    signal.addEventListener("abort", giveUp, { once: true });
    const answer = await this.#nextAnswer(signal);
    signal.removeEventListener("abort", giveUp);
    if (this.#question !== undefined) this.#endQuestion(answer);
    return answer;
  }

  /**
   * The question stays on the screen with its answer, what comes next goes below it.
   *
   * @param answer Undefined when there is none.
   */
  #endQuestion(answer: string | undefined): void {
    // Where nothing is redrawn, what was written between the Enter and now has brought the question
    // back, without the answer.
    const isBare = this.#isListening && this.#echoed.length === 0;
    this.#question = undefined;
    this.#answer = undefined;
    // The person's Enter ended the line; without one the next text would begin behind the question.
    if (answer === undefined && this.#echoed.length === 0) this.#streams.writeError("\n");
    else if (isBare) this.#streams.writeError(`${escapeText(answer ?? "")}\n`);
    this.#leaveDrawn();
    this.#drawAnew();
  }

  /** Writes lines above what is on the screen, which stays as it is where that can be. */
  #writeAbove(text: string, write: (text: string) => void): void {
    const rows = this.#typedRow;
    const lines = text.split("\n");
    const isRoom = rows !== undefined && rows + lines.length < this.rows &&
      lines.every((line) => textWidth(line) <= this.columns);
    if (!isRoom) return this.#interrupt(() => write(`${text}\n`));
    const { before, behind } = insertAbove(lines.length, rows);
    write(before + text + behind);
  }

  /**
   * How many rows are drawn above the one that the cursor is in, where somebody may be typing;
   * undefined when that is not known.
   */
  get #typedRow(): number | undefined {
    const isKnown = this.redraws && this.inputIsTerminal && this.#echoed.length === 0 &&
      this.#drawnSize === this.#size && this.#drawn !== "";
    const hasRow = this.#question !== undefined || this.#drawn.endsWith("\n");
    return isKnown && hasRow ? this.#rowsOf(this.#drawn) - 1 : undefined;
  }

  get #size(): string {
    return `${this.columns} ${this.rows}`;
  }

  /** Writes above what is on the screen: the status line or a question is drawn anew below it. */
  #interrupt(write: () => void): void {
    // What was typed behind a question and may be its answer stays there: an open question would be
    // answered again.
    const typed = this.#question !== undefined && this.redraws ? this.#echoed.map(escapeText) : [];
    this.#erase();
    write();
    this.#drawAnew();
    if (typed.length > 0) this.#streams.writeError(typed.map((line) => `${line}\n`).join(""));
    this.#echoed = typed;
  }

  #drawAnew(): void {
    const line = this.#draw();
    if (line !== "") this.#streams.writeError(line);
  }

  #erase(): void {
    const eraser = this.#eraser();
    if (eraser !== "") this.#streams.writeError(eraser);
  }

  /** What takes away what is drawn and what was typed behind it; empty when nothing is. */
  #eraser(): string {
    const drawn = this.#drawn;
    const [first, ...others] = this.#echoed;
    this.#leaveDrawn();
    if (drawn === "" && first === undefined) return "";
    if (!this.redraws) return first === undefined ? "\n" : "";
    // Typed lines have ended. Without one the cursor is in the last row of what is drawn, which a
    // terminal made narrower since has wrapped.
    const rowsUp = first === undefined
      ? this.#rowsOf(drawn) - 1
      : [drawn + first, ...others].reduce((sum, line) => sum + this.#rowsOf(line), 0);
    return `${rowsUp > 0 ? `\x1b[${rowsUp}A` : ""}\r${ERASE_TO_END}`;
  }

  #rowsOf(text: string): number {
    return text.split("\n").reduce(
      (rows, line) => rows + Math.max(1, Math.ceil(textWidth(line) / this.columns)),
      0,
    );
  }

  /** Whatever is on the screen stays there. */
  #leaveDrawn(): void {
    this.#drawn = "";
    this.#echoed = [];
  }

  #draw(): string {
    this.#drawn = this.#text();
    this.#drawnSize = this.#size;
    return this.#drawn;
  }

  /** What stands below everything else: a question, or the status. */
  #text(): string {
    if (this.#question !== undefined) return this.#question;
    if (this.#status === undefined) return "";
    // The last column stays free: writing into it makes some terminals wrap at once.
    const text = this.#status(Math.max(1, this.columns - 1), this.rows);
    // What is typed or pasted has a row of its own.
    const end = this.#isListening && this.#streams.inputIsTerminal ? "\n" : "";
    return text === "" ? "" : text + end;
  }
}

function isBlank(line: string): boolean {
  return line.trim() === "";
}
