/**
 * Events as a person at a terminal wants them. On standard output: the code, the line to run on the
 * other machine, and the summary. On standard error: everything that is over when it is read.
 */
import { type ErrorCode, ERRORS } from "../errors.ts";
import type {
  DoneEvent,
  ErrorEvent,
  IdentityEvent,
  NetworkEvent,
  OfferEvent,
  ProgressEvent,
  TextEvent,
  TransferEvent,
  VerifiedEvent,
  WarningEvent,
} from "../events.ts";
import type { Clock } from "../transport/clock.ts";
import { escapeText } from "../transfer/escape_text.ts";
import { CodeLines, type CodeLinesOptions } from "./code_lines.ts";
import { stackLines } from "./failure.ts";
import { manifestLine, verifiedLine, verifyProblem } from "./manifest_messages.ts";
import {
  clientDoneLine,
  closedLine,
  connectedLine,
  doneLines,
  errorLines,
  fileDoneLine,
  identityLine,
  identityWarning,
  notServedLine,
  offerLines,
  resumedLine,
  sendingLine,
  textLines,
  waitsLine,
  warningLine,
  wordsLine,
} from "./messages.ts";
import { NetworkLog } from "./network_log.ts";
import { paint, type Style } from "./paint.ts";
import { PathLog } from "./path_log.ts";
import { networkWarnings, reconnectingLines, replyLines } from "./path_messages.ts";
import { ProgressLog } from "./progress_log.ts";
import type { Reporter } from "./reporter.ts";
import { SessionLabels } from "./session_labels.ts";
import { Status } from "./status.ts";
import type { Terminal } from "./terminal.ts";
import { wrapWords } from "./text_width.ts";
import { directionOf, type Role, wayOf } from "./view.ts";

/** What a {@linkcode TextReporter} needs to know. */
export interface TextReporterOptions
  extends Pick<CodeLinesOptions, "quiet" | "verbose" | "pastes" | "renderQr" | "installation"> {
  readonly role: Role;
  /** Sender: whether several clients can be there at a time (default `one`). */
  readonly audience?: "one" | "many";
  /** Sender: `nothing` of a drop box. */
  readonly gives?: "nothing";
  /** Where files go that come here. */
  readonly directory?: string;
  readonly clock: Clock;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

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
  readonly #isForMany: boolean;
  readonly #codes: CodeLines;
  readonly #status: Status;
  readonly #progress: ProgressLog;
  readonly #labels = new SessionLabels();
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
  /** What the lines of the event that is being shown begin with. */
  #label = "";

  /** @param terminal Where lines go. */
  constructor(terminal: Terminal, options: TextReporterOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#outputStyle = { color: terminal.outputColor };
    this.#errorStyle = { color: terminal.errorColor };
    this.#isForMany = options.audience === "many";
    this.#network = new NetworkLog(options.clock, (line) => this.#noteWrapped([line]));
    this.#progress = new ProgressLog(options.clock);
    this.#codes = new CodeLines(terminal, {
      ...options,
      isForMany: this.#isForMany,
      takesOnly: options.gives === "nothing",
    });
    this.#status = new Status(terminal, {
      role: options.role,
      isForMany: this.#isForMany,
      isPrivate: options.pastes === "only",
      clock: options.clock,
    });
    this.#showStatus();
  }

  /** Shows the event. */
  handleEvent(event: TransferEvent): void {
    // There may be tens of thousands in a second, and progress tells of them.
    if (event.event === "file-done" && !this.#options.verbose) return;
    this.#status.handleEvent(event);
    if (this.#isForMany) this.#labels.handleEvent(event);
    if (this.#status.isOver) this.#network.end();
    this.#label = this.#labels.labelOf(event);
    this.#showEvent(event);
    this.#label = "";
    this.#showStatus(event);
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

  /** Shows a line for the person, whatever is quiet: what is asked next is about it. */
  showLine(line: string): void {
    this.#noteWrapped([line]);
  }

  /** Shows words to compare once, whether their event or the question about them comes first. */
  showWords(session: number, words: readonly string[]): void {
    if (this.#wordsShown === session) return;
    this.#wordsShown = session;
    this.#terminal.note(
      this.#labels.labelOf({ event: "words", session }) + wordsLine(words, this.#errorStyle),
    );
  }

  /** Answers a reply code that was pasted; what comes of it follows. */
  showTakenPaste(): void {
    this.#note("Reply code taken.");
  }

  /** Shows why a code that was pasted is of no use; nothing ends with it. */
  showRefusedPaste(error: ErrorEvent): void {
    this.#showErrorLines(error);
  }

  /** Answers a line that holds no code, and is nothing else that could be typed. */
  showOtherPaste(): void {
    this.#terminal.note(
      this.#options.pastes === undefined
        ? "That is no reply code: those begin with p2p1."
        : "That is no reply code and no command: type help.",
    );
  }

  #showEvent(event: TransferEvent): void {
    switch (event.event) {
      case "code":
        return this.#codes.showCode(event);
      case "reply-code":
        return this.#codes.showReplyCode(event, this.#isPrivate);
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
      case "identity":
        return this.#showIdentity(event);
      case "kicked":
        return this.#note(`Sent away ${escapeText(event.address)}`);
      case "closed":
        return this.#printSummary(closedLine(event, this.#options.gives === "nothing"));
      case "admission":
        if (!event.admitted) this.#note(`Turned away ${escapeText(event.address)}`);
        return;
      case "offer":
        return this.#showOfferEvent(event);
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

  #showIdentity(event: IdentityEvent): void {
    const warning = identityWarning(event);
    if (warning === undefined) return this.#note(identityLine(event));
    const message = `${paint("Warning:", "yellow", this.#errorStyle)} ${warning.message}`;
    this.#noteWrapped([message, `  ${warning.hint}`]);
  }

  #showOfferEvent(event: OfferEvent): void {
    this.#progress.begin(event);
    // A drop box has nothing to give, and what comes to a share is shown where it is asked about.
    if (event.items === 0) return;
    const isGiven = directionOf(this.#options.role, wayOf(event)) === "send";
    if (isGiven) {
      return this.#resumed.has(event.session) ? undefined : this.#note(sendingLine(event));
    }
    if (this.#options.role === "send") return;
    this.#resumed.delete(event.session); // it offers something else than before
    // With --quiet it is shown only where it is asked about.
    return this.#options.quiet ? undefined : this.showOffer(event);
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
    this.#noteUsual(waitsLine(address, this.#isForMany));
  }

  #showProgress(event: ProgressEvent): void {
    const { role, directory } = this.#options;
    const isKept = role === "send" || directory !== undefined;
    if (event.itemsTotal > 0) this.#isResumable = isKept && event.hasStream !== true;
    // Before anything was asked for there is nothing to tell.
    if (this.#terminal.redraws || event.itemsTotal === 0) return;
    for (const line of this.#progress.linesFor(event)) this.#note(line);
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
    this.#progress.finish(event);
    this.#resumed.delete(event.session);
    const { items, leftOut, bytes } = event;
    const role = directionOf(this.#options.role, wayOf(event));
    // Of a drop box, which gives nothing, and of what was taken from it nothing.
    if (this.#options.quiet || (items === 0 && leftOut === 0 && bytes === 0)) return;
    if (this.#isForMany) return this.#printSummary(clientDoneLine(event, role));
    // Whoever reads a pipe wants the root in one piece.
    const columns = this.#terminal.outputIsTerminal ? this.#terminal.columns : Infinity;
    const lines = doneLines(event, {
      role,
      directory: role === "receive" ? this.#options.directory : undefined,
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
    if (this.#options.quiet) return;
    if (this.#isOutputText) this.#terminal.note(this.#label + line);
    else this.#terminal.print(this.#label + line);
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
    // With a label everybody knows who is meant, and who receives knows of one other side.
    const isKnown = this.#label !== "" || this.#options.role !== "send";
    const where = address === undefined || isKnown ? "" : `With ${address}: `;
    this.#showErrorLines({ ...event, hint }, where);
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
    const labelled = lines.map((line, index) => index === 0 ? this.#label + line : line);
    this.#terminal.note(...labelled.flatMap((line) => wrapWords(line, columns, "  ")));
  }

  #forget(session: number): void {
    this.#progress.begin({ session });
    this.#progress.begin({ session, back: true });
    this.#resumed.delete(session);
    this.#paths.end(session);
  }

  /** Writes lines that `--quiet` does without. */
  #note(...lines: string[]): void {
    if (this.#options.quiet) return;
    this.#terminal.note(...lines.map((line, index) => index === 0 ? this.#label + line : line));
  }

  /** As {@linkcode TextReporter.#note}, for a line that may be long. */
  #noteUsual(line: string): void {
    if (!this.#options.quiet) this.#noteWrapped([line]);
  }

  #showStatus(event?: TransferEvent): void {
    if (!this.#options.quiet) this.#status.show(event);
  }
}
