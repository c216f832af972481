/** Codes on the screen: alone on their line on standard output, what to do with them beside them. */
import type { CodeEvent, ReplyCodeEvent } from "../events.ts";
import { escapeText } from "../transfer/escape_text.ts";
import { giveCommandLine, type Installation, receiveCommandLine } from "./installation.ts";
import { paint } from "./paint.ts";
import { expectedLine, replyCodeLine } from "./path_messages.ts";
import type { Terminal } from "./terminal.ts";
import { wrapWords } from "./text_width.ts";

/** How codes are shown. */
export interface CodeLinesOptions {
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** Sender: whose reply codes can be pasted; absent where there is nobody to paste one. */
  readonly pastes?: "all" | "only";
  /** Sender: whether other lines can be typed too, worth a line. */
  readonly isForMany: boolean;
  /** Sender: whether others give to it, and it takes. */
  readonly takesOnly: boolean;
  /** Draws codes as QR codes too (`qr.ts`, loaded only where it is asked for). */
  readonly renderQr?: (code: string, options: { ansi: boolean }) => string[];
  readonly installation: Installation;
}

/** Said in place of a label where people are told that they can paste. */
const PASTE_LINES = {
  all: "If the other side shows a reply code, paste it here.",
  only: "Only those whose reply code is pasted here are let in.",
} as const;

const HELP_LINE = "Type help for what can be done while this runs.";

/** Shows codes. */
export class CodeLines {
  readonly #terminal: Terminal;
  readonly #options: CodeLinesOptions;

  /** @param terminal Where they go. */
  constructor(terminal: Terminal, options: CodeLinesOptions) {
    this.#terminal = terminal;
    this.#options = options;
  }

  /** The code of a share, and the line to run on the other machine. */
  showCode(event: CodeEvent): void {
    const { quiet, installation, takesOnly } = this.#options;
    // In a log the labels of one stream would not stand beside the lines of the other.
    const label = (text: string) => this.#terminal.errorIsTerminal && this.#note(text);
    if (event.changed === true) {
      this.#terminal.note("This machine's address changed. New code for new clients:");
    } else {
      label("Code for the other side:");
    }
    this.#printCode(event.code);
    if (quiet) return;
    label("On the other machine, run:");
    const commandLine = takesOnly ? giveCommandLine : receiveCommandLine;
    this.#terminal.print(commandLine(event.code, installation));
    this.#showDetails(event);
    if (event.changed !== true) this.#showHints();
  }

  #showHints(): void {
    const { pastes, isForMany } = this.#options;
    if (pastes === undefined) return;
    this.#noteDim(PASTE_LINES[pastes]);
    if (isForMany) this.#noteDim(HELP_LINE);
  }

  /** @param isPrivate Whether the share lets in nobody else. */
  showReplyCode(event: ReplyCodeEvent, isPrivate: boolean): void {
    if (!this.#options.quiet) {
      this.#noteWrapped(replyCodeLine(event, isPrivate ? "private" : "no_answer"));
    }
    this.#printCode(event.code);
    if (this.#options.quiet) return;
    this.#showDetails(event);
    if (!isPrivate) this.#noteDim(expectedLine(event.expected));
  }

  #printCode(code: string): void {
    this.#terminal.print(paint(code, "bold", { color: this.#terminal.outputColor }));
  }

  #showDetails({ code, addresses }: CodeEvent | ReplyCodeEvent): void {
    const picture = this.#options.renderQr?.(code, { ansi: this.#terminal.errorColor }) ?? [];
    if (picture.length > 0) this.#note(...picture);
    if (!this.#options.verbose) return;
    this.#noteWrapped(escapeText(`Addresses in the code: ${addresses.join(", ")}`));
  }

  #noteDim(line: string): void {
    this.#note(paint(line, "dim", { color: this.#terminal.errorColor }));
  }

  #noteWrapped(line: string): void {
    const columns = this.#terminal.errorIsTerminal ? this.#terminal.columns : Infinity;
    this.#note(...wrapWords(line, columns, "  "));
  }

  #note(...lines: string[]): void {
    if (!this.#options.quiet) this.#terminal.note(...lines);
  }
}
