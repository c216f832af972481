/**
 * Events as a person at a terminal wants them. On standard output: the code, the line to run on the
 * other machine, and the summary. On standard error: everything that is over when it is read.
 */
import { type ErrorCode, ERRORS } from "../errors.ts";
import type {
  CodeEvent,
  DoneEvent,
  ErrorEvent,
  NetworkEvent,
  OfferEvent,
  ProgressEvent,
  ReplyCodeEvent,
  TextEvent,
  TransferEvent,
  VerifiedEvent,
  WarningEvent,
} from "../events.ts";
import type { Clock } from "../transport/clock.ts";
import { escapeText } from "../transfer/escape_text.ts";
import { stackLines } from "./failure.ts";
import { type Installation, receiveCommandLine } from "./installation.ts";
import { limitLine } from "./limit_messages.ts";
import {
  connectedLine,
  doneLines,
  errorLines,
  fileDoneLine,
  notServedLine,
  offerLines,
  resumedLine,
  sendingLine,
  textLines,
  waitsLine,
  warningLine,
  wordsLine,
} from "./messages.ts";
import { paint, type Style } from "./paint.ts";
import { PlainProgress } from "./plain_progress.ts";
import { render, renderPlainProgress } from "./render.ts";
import { manifestLine, verifiedLine, verifyProblem } from "./manifest_messages.ts";
import { NetworkLog } from "./network_log.ts";
import { PathLog } from "./path_log.ts";
import {
  expectedLine,
  networkWarnings,
  reconnectingLines,
  replyCodeLine,
  replyLines,
} from "./path_messages.ts";
import type { Reporter } from "./reporter.ts";
import type { Terminal } from "./terminal.ts";
import { wrapWords } from "./text_width.ts";
import { advanceView, initialView, type Role, type View } from "./view.ts";

/** What a {@linkcode TextReporter} needs to know. */
export interface TextReporterOptions {
  readonly role: Role;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** Sender: whose reply codes can be pasted; absent where there is nobody to paste one. */
  readonly pastes?: "all" | "only";
  /** Draws codes as QR codes too (`qr.ts`, loaded only where it is asked for). */
  readonly renderQr?: (code: string, options: { ansi: boolean }) => string[];
  /** Receiver: where the files go. */
  readonly directory?: string;
  readonly installation: Installation;
  readonly clock: Clock;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Said in place of a label where people are told that they can paste. */
const PASTE_LINES = {
  all: "If the other side shows a reply code, paste it here.",
  only: "Only those whose reply code is pasted here are let in.",
} as const;

/** Said once, behind the first link that is left out. */
const LINKS_HINT = "  --symlinks follow sends what links lead to, --symlinks keep the links";

const STILL_SHARING = "Still sharing: the other side needs the code above";

/** Ends of a session after which its client can simply come again, as long as the share runs. */
const CAN_COME_AGAIN: ReadonlySet<ErrorCode> = new Set([
  "path_lost",
  "timed_out",
  "refused",
  "interrupted",
]);

/** Reports to people. */
export class TextReporter implements Reporter {
  readonly #terminal: Terminal;
  readonly #options: TextReporterOptions;
  readonly #outputStyle: Style;
  readonly #errorStyle: Style;
  readonly #plainProgress = new Map<number, PlainProgress>();
  readonly #paths = new PathLog();
  readonly #network: NetworkLog;
  /** Warnings about the network that were given: each once. */
  readonly #networkWarnings = new Set<string>();
  #toldOfLinks = false;
  /** Receiver: the share lets in only those whose reply code was pasted there. */
  #isPrivate = false;
  /** Files began to move, and what has arrived of them is kept. */
  #isResumable = false;
  /** A text went to standard output as it came: the summary does not belong behind it. */
  #isOutputText = false;
  /** Sessions that go on with an earlier one: what was said of that is not said again. */
  readonly #resumed = new Set<number>();
  #offerShown: number | undefined;
  #wordsShown: number | undefined;
  #view: View;

  /** @param terminal Where lines go. */
  constructor(terminal: Terminal, options: TextReporterOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#outputStyle = { color: terminal.outputColor };
    this.#errorStyle = { color: terminal.errorColor };
    this.#network = new NetworkLog(options.clock, (line) => this.#noteWrapped([line]));
    this.#view = initialView(options.role, { isPrivate: options.pastes === "only" });
    this.#showStatus();
  }

  /** Shows the event. */
  handleEvent(event: TransferEvent): void {
    // There may be tens of thousands in a second, and progress tells of them.
    if (event.event === "file-done" && !this.#options.verbose) return;
    this.#view = advanceView(this.#view, event);
    if (this.#view.phase.name === "over") {
      this.#network.end();
      this.#terminal.clearStatus();
    }
    this.#showEvent(event);
    this.#showStatus();
  }

  /** Shows the stack, if asked for. */
  handleException(error: unknown): void {
    if (!this.#options.verbose) return;
    for (const line of stackLines(error)) this.#terminal.note(escapeText(line));
  }

  /** Shows an offer once, whether its event or the question about it comes first. */
  showOffer(offer: OfferEvent): void {
    if (this.#offerShown === offer.session) return;
    this.#offerShown = offer.session;
    this.#terminal.note(...offerLines(offer, this.#terminal.columns, this.#errorStyle));
  }

  /** Shows words to compare once, whether their event or the question about them comes first. */
  showWords(session: number, words: readonly string[]): void {
    if (this.#wordsShown === session) return;
    this.#wordsShown = session;
    this.#terminal.note(wordsLine(words, this.#errorStyle));
  }

  /** Answers a reply code that was pasted; what comes of it follows. */
  showTakenPaste(): void {
    this.#note("Reply code taken.");
  }

  /** Shows why a code that was pasted is of no use; nothing ends with it. */
  showRefusedPaste(error: ErrorEvent): void {
    this.#showErrorLines(error);
  }

  /** Answers a pasted line that holds no code. */
  showOtherPaste(): void {
    this.#terminal.note("That is no reply code: those begin with p2p1.");
  }

  #showEvent(event: TransferEvent): void {
    switch (event.event) {
      case "code":
        return this.#showCode(event);
      case "reply-code":
        return this.#showReplyCode(event);
      case "reply":
        return this.#note(...replyLines(event));
      case "network":
        return this.#showNetwork(event);
      case "connecting":
        if (this.#options.verbose) {
          this.#noteUsual(escapeText(`Trying ${event.addresses.join(", ")}`));
        }
        return;
      case "connected":
        if (event.resumes !== undefined) {
          this.#forget(event.resumes);
          this.#resumed.add(event.session);
        }
        this.#paths.begin(event);
        return this.#note(connectedLine(event, this.#options.verbose));
      case "reconnecting":
        this.#forget(event.session);
        this.#offerShown = undefined;
        this.#wordsShown = undefined;
        return this.#noteWrapped(this.#options.quiet ? [] : reconnectingLines(event));
      case "path": {
        const line = this.#paths.handlePath(event, this.#options.verbose);
        return line === undefined ? undefined : this.#noteUsual(line);
      }
      case "path-lost":
        return this.#note(this.#paths.handleLost(event));
      case "words":
        return this.showWords(event.session, event.words);
      case "waiting":
        if (event.reason === "reply") {
          this.#isPrivate = true;
          return;
        }
        // Without a status line nobody would know why nothing happens.
        if (!this.#terminal.redraws) {
          this.#note("Waiting for the other side to let this machine in");
        }
        return;
      case "admission":
        if (!event.admitted) this.#note(`Turned away ${escapeText(event.address)}`);
        return;
      case "offer":
        if (this.#options.role === "send") {
          return this.#resumed.has(event.session) ? undefined : this.#note(sendingLine(event));
        }
        this.#resumed.delete(event.session); // it offers something else than before
        // With --quiet it is shown only where it is asked about.
        return this.#options.quiet ? undefined : this.showOffer(event);
      case "progress":
        return this.#showProgress(event);
      case "file-done":
        if (this.#options.verbose) this.#note(fileDoneLine(event));
        return;
      case "resumed":
        // Said when the connection was lost.
        return this.#resumed.has(event.session) ? undefined : this.#note(resumedLine(event));
      case "text":
        return this.#showText(event);
      case "warning":
        return this.#showWarning(event);
      case "manifest":
        return this.#note(manifestLine(event));
      case "done":
        return this.#showDone(event);
      case "verified":
        return this.#showVerified(event);
      case "error":
        return this.#showError(event);
      default:
        return event satisfies never;
    }
  }

  #showCode(event: CodeEvent): void {
    const { quiet, installation, pastes } = this.#options;
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
    this.#terminal.print(receiveCommandLine(event.code, installation));
    this.#showCodeDetails(event);
    if (pastes !== undefined && event.changed !== true) {
      this.#note(paint(PASTE_LINES[pastes], "dim", this.#errorStyle));
    }
  }

  #showReplyCode(event: ReplyCodeEvent): void {
    const reason = this.#isPrivate ? "private" : "no_answer";
    if (!this.#options.quiet) this.#noteWrapped([replyCodeLine(event, reason)]);
    this.#printCode(event.code);
    if (this.#options.quiet) return;
    this.#showCodeDetails(event);
    if (this.#isPrivate) return;
    this.#note(paint(expectedLine(event.expected), "dim", this.#errorStyle));
  }

  #printCode(code: string): void {
    this.#terminal.print(paint(code, "bold", this.#outputStyle));
  }

  #showCodeDetails({ code, addresses }: CodeEvent | ReplyCodeEvent): void {
    const picture = this.#options.renderQr?.(code, { ansi: this.#errorStyle.color }) ?? [];
    if (picture.length > 0) this.#note(...picture);
    if (!this.#options.verbose) return;
    this.#noteUsual(escapeText(`Addresses in the code: ${addresses.join(", ")}`));
  }

  #showNetwork(event: NetworkEvent): void {
    if (this.#options.verbose && !this.#options.quiet) this.#network.handleEvent(event);
    for (const warning of networkWarnings(event)) {
      if (this.#networkWarnings.has(warning.code)) continue;
      this.#networkWarnings.add(warning.code);
      this.#noteWrapped([warningLine(warning, this.#errorStyle)]);
    }
  }

  #showWarning(event: WarningEvent): void {
    if (event.code === "symlink_skipped" && this.#options.role === "send" && !this.#toldOfLinks) {
      this.#toldOfLinks = true;
      const line = warningLine(event, this.#errorStyle);
      return this.#noteWrapped([line, LINKS_HINT]);
    }
    const address = event.session === undefined ? undefined : this.#paths.addressOf(event.session);
    if (event.code !== "waits_for_place" || address === undefined) {
      return this.#noteWrapped([warningLine(event, this.#errorStyle)]);
    }
    this.#noteUsual(waitsLine(address));
  }

  #showProgress(event: ProgressEvent): void {
    const { role, directory } = this.#options;
    const isKept = role === "send" || directory !== undefined;
    if (event.itemsTotal > 0) this.#isResumable = isKept && event.hasStream !== true;
    // Before anything was asked for there is nothing to tell.
    if (this.#terminal.redraws || event.itemsTotal === 0) return;
    let plain = this.#plainProgress.get(event.session);
    if (plain === undefined) {
      plain = new PlainProgress();
      this.#plainProgress.set(event.session, plain);
    }
    if (plain.isDue(this.#options.clock.now(), event)) this.#note(renderPlainProgress(event));
    const limit = limitLine(event);
    if (limit !== undefined && plain.isNewLimit(event.limitedBy)) this.#note(limit);
  }

  /** A text is what the person came for: `--quiet` keeps it too. */
  #showText(event: TextEvent): void {
    const terminal = this.#terminal;
    if (terminal.outputIsTerminal) {
      this.#note(paint("The other side says:", "dim", this.#errorStyle));
      for (const line of textLines(event)) terminal.print(line);
      return;
    }
    this.#isOutputText = true;
    terminal.printRaw(event.text);
  }

  #showDone(event: DoneEvent): void {
    this.#forget(event.session);
    if (this.#options.quiet) return;
    // Whoever reads a pipe wants the root in one piece.
    const columns = this.#terminal.outputIsTerminal ? this.#terminal.columns : Infinity;
    const lines = doneLines(event, {
      role: this.#options.role,
      directory: this.#options.directory,
      columns,
      style: this.#outputStyle,
    });
    for (const line of lines) {
      for (const part of wrapWords(line, columns, "  ")) this.#printSummary(part);
    }
  }

  #showVerified(event: VerifiedEvent): void {
    if (!this.#options.quiet) this.#terminal.print(verifiedLine(event));
    const problem = verifyProblem(event);
    if (problem === undefined) {
      if (this.#options.quiet) return;
      return this.#terminal.print(paint("Everything is as it was.", "green", this.#outputStyle));
    }
    this.#noteWrapped(errorLines(problem.message, problem.hint, this.#errorStyle));
  }

  #printSummary(line: string): void {
    if (this.#isOutputText) this.#terminal.note(line);
    else this.#terminal.print(line);
  }

  #showError(event: ErrorEvent): void {
    const address = event.session === undefined ? undefined : this.#paths.addressOf(event.session);
    if (event.session !== undefined) this.#forget(event.session);
    if (event.fatal) {
      const isWanted = event.code === "interrupted" && this.#options.signal.aborted;
      return isWanted ? this.#showInterrupted(event) : this.#showErrorLines(event);
    }
    if (event.code === "share_closed" && address !== undefined) {
      return this.#noteUsual(notServedLine(address));
    }
    const comesAgain = event.code === "path_lost" && event.hint !== ERRORS.path_lost.hint;
    const hint = this.#options.role === "send" && CAN_COME_AGAIN.has(event.code) && !comesAgain
      ? STILL_SHARING
      : event.hint;
    this.#showErrorLines({ ...event, hint }, address === undefined ? "" : `With ${address}: `);
  }

  /** Ctrl-C is no error, but who meant to go on later wants to know how. */
  #showInterrupted(event: ErrorEvent): void {
    this.#terminal.note("Interrupted");
    if (this.#isResumable && !this.#options.quiet) this.#noteWrapped([`  ${event.hint}`]);
  }

  #showErrorLines(event: ErrorEvent, where = ""): void {
    const message = escapeText(where + event.message);
    this.#noteWrapped(errorLines(message, event.hint, this.#errorStyle));
  }

  /** Writes lines for the person, cut between words where the terminal would cut anywhere. */
  #noteWrapped(lines: readonly string[]): void {
    const columns = this.#terminal.errorIsTerminal ? this.#terminal.columns : Infinity;
    this.#terminal.note(...lines.flatMap((line) => wrapWords(line, columns, "  ")));
  }

  #forget(session: number): void {
    this.#plainProgress.delete(session);
    this.#resumed.delete(session);
    this.#paths.end(session);
  }

  /** Writes lines that `--quiet` does without. */
  #note(...lines: string[]): void {
    if (!this.#options.quiet) this.#terminal.note(...lines);
  }

  /** As {@linkcode TextReporter.#note}, for a line that may be long. */
  #noteUsual(line: string): void {
    if (!this.#options.quiet) this.#noteWrapped([line]);
  }

  #showStatus(): void {
    if (this.#options.quiet || this.#view.phase.name === "over") return;
    this.#terminal.setStatus((columns) => render(this.#view, columns, this.#errorStyle).join("\n"));
  }
}
