/**
 * Puts lines where they belong and decides nothing else: results on standard output, everything
 * else on standard error, and one status line that is redrawn in place on a terminal. What the
 * lines say comes from `render.ts`.
 *
 * The terminal is never switched into another mode, so there is nothing to restore but the status
 * line, which {@linkcode Terminal.clearStatus} erases.
 */
import type { ConsoleStreams } from "./console_streams.ts";
import { textWidth } from "./text_width.ts";

/** How a terminal is to be used. */
export interface TerminalOptions {
  /** Colour on standard output. */
  readonly outputColor: boolean;
  /** Colour on standard error. */
  readonly errorColor: boolean;
  /** Whether standard error can redraw a line: a terminal, and not a dumb one. */
  readonly redraw: boolean;
}

/** Makes the status line for a width; called again for every redraw. */
export type StatusRenderer = (columns: number) => string;

/**
 * Takes a line of the input.
 *
 * @param isAsked A question is open, which the line may answer.
 * @returns Whether it was taken; if not, it answers the question.
 */
export type LineListener = (line: string, isAsked: boolean) => boolean;

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
  /** What stands on the screen as the status line now; empty when nothing does. */
  #drawnLine = "";
  #question: string | undefined;
  #isListening = false;
  /** Takes the answer to the open question while {@linkcode Terminal.listen} reads the input. */
  #answer: ((line: string | undefined) => void) | undefined;
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

  /** Whether standard error is a terminal. */
  get errorIsTerminal(): boolean {
    return this.#streams.errorIsTerminal;
  }

  /** Writes a line of results to standard output. */
  print(line: string): void {
    this.#interrupt(() => this.#streams.writeOutput(`${line}\n`));
  }

  /** Writes a line for the person to standard error. */
  note(line: string): void {
    this.#interrupt(() => this.#streams.writeError(`${line}\n`));
  }

  /** Shows a status line, or replaces it. Does nothing where lines cannot be redrawn. */
  setStatus(status: StatusRenderer): void {
    if (!this.redraws) return;
    this.#status = status;
    if (this.#question !== undefined) return;
    // The same line again would only flicker; made narrower, the terminal has moved it.
    const isDrawn = this.#drawnLine !== "" && this.#drawnLine === this.#line() &&
      textWidth(this.#drawnLine) <= this.columns;
    if (!isDrawn) this.#streams.writeError(this.#eraser() + this.#draw());
  }

  /** Takes the status line away. */
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
   * @param options `takesTypedAhead`: the answer can do no harm and may have been typed before.
   * @returns Undefined when the input ended or the signal came.
   */
  ask(
    question: string,
    signal: AbortSignal,
    options: { readonly takesTypedAhead?: boolean } = {},
  ): Promise<string | undefined> {
    const drops = options.takesTypedAhead !== true;
    const answer = this.#asking.then(async () => {
      if (drops && !signal.aborted) await this.#streams.dropTypedAhead();
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
   * Reads the input from now on, also while nothing is asked, and hands every line to `listener`.
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
        this.#handleLine(line, listener);
      }
    } finally {
      this.#isListening = false;
      this.#answer?.(undefined);
    }
  }

  #handleLine(line: string, listener: LineListener): void {
    const question = this.#question;
    // The person's Enter ended the row that the status line or the question stood on.
    if (this.#streams.inputIsTerminal) {
      this.#drawnLine = "";
      this.#question = undefined;
    }
    const answer = this.#answer;
    const isTaken = listener(line, answer !== undefined);
    this.#question = question;
    if (question === undefined) {
      if (this.#status !== undefined && this.#drawnLine === "") {
        this.#streams.writeError(this.#draw());
      }
    } else if (isTaken || answer === undefined) {
      this.#erase();
      this.#streams.writeError(question);
    } else {
      // At once: what comes right behind the answer is none.
      this.#endQuestion(true);
      answer(line);
    }
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
    this.#streams.writeError(question);
    // At once, so that what is written next does not bring the question back.
    const giveUp = () => this.#endQuestion(false);
    signal.addEventListener("abort", giveUp, { once: true });
    const answer = await this.#nextAnswer(signal);
    signal.removeEventListener("abort", giveUp);
    if (this.#question !== undefined) this.#endQuestion(answer !== undefined);
    return answer;
  }

  #endQuestion(isAnswered: boolean): void {
    this.#question = undefined;
    this.#answer = undefined;
    // The person's Enter ended the line; without one the next text would begin behind the question.
    if (!isAnswered) this.#streams.writeError("\n");
    if (this.#status !== undefined) this.#streams.writeError(this.#draw());
  }

  /** Writes between what is on the screen: the status line or a question comes back below it. */
  #interrupt(write: () => void): void {
    if (this.#question !== undefined) this.#streams.writeError("\n");
    this.#erase();
    write();
    if (this.#question !== undefined) this.#streams.writeError(this.#question);
    else if (this.#status !== undefined) this.#streams.writeError(this.#draw());
  }

  #erase(): void {
    const eraser = this.#eraser();
    if (eraser !== "") this.#streams.writeError(eraser);
  }

  /** What takes the drawn status line away; empty when none is drawn. */
  #eraser(): string {
    if (this.#drawnLine === "") return "";
    // A terminal made narrower since has wrapped the line: its first part is some rows up.
    const rowsUp = Math.ceil(textWidth(this.#drawnLine) / this.columns) - 1;
    this.#drawnLine = "";
    return `${rowsUp > 0 ? `\x1b[${rowsUp}A` : ""}\r${ERASE_TO_END}`;
  }

  #draw(): string {
    this.#drawnLine = this.#line();
    return this.#drawnLine;
  }

  #line(): string {
    if (this.#status === undefined) return "";
    // What is typed or pasted begins behind the status line.
    const end = this.#isListening && this.#streams.inputIsTerminal ? " " : "";
    // The last column stays free: writing into it makes some terminals wrap at once.
    const line = this.#status(Math.max(1, this.columns - 1 - end.length));
    return line === "" ? "" : line + end;
  }
}
