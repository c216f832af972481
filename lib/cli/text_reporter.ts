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
  TransferEvent,
  WarningEvent,
} from "../events.ts";
import type { Clock } from "../transport/clock.ts";
import { escapeText } from "../transfer/escape_text.ts";
import { CodeLines, type CodeLinesOptions } from "./code_lines.ts";
import { stackLines } from "./failure.ts";
import { LabelledLines } from "./labelled_lines.ts";
import { manifestLine } from "./manifest_messages.ts";
import {
  closingLine,
  connectedLine,
  fileDoneLine,
  identityLine,
  identityWarning,
  notServedLine,
  offerLines,
  resumedLine,
  sendingLine,
  waitsLine,
  warningLine,
  wordsLine,
} from "./messages.ts";
import { NetworkLog } from "./network_log.ts";
import { PathLog } from "./path_log.ts";
import { networkWarnings, reconnectingLines, replyLines } from "./path_messages.ts";
import { ProgressLog } from "./progress_log.ts";
import type { Reporter } from "./reporter.ts";
import { ResultLines } from "./result_lines.ts";
import { SessionLabels } from "./session_labels.ts";
import { Status } from "./status.ts";
import type { Terminal } from "./terminal.ts";
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

/** At the end of a receive of which all but that went well. */
const NOT_GIVEN = "What was offered to the other side was not taken: the error above says why";

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
  readonly #lines: LabelledLines;
  readonly #results: ResultLines;
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
  /** Sessions that go on with an earlier one: what was said of that is not said again. */
  readonly #resumed = new Set<number>();
  #offerShown: number | undefined;
  #wordsShown: number | undefined;
  /** Why what this side gives has ended, while the rest went on. */
  #backProblem: string | undefined;

  /** @param terminal Where lines go. */
  constructor(terminal: Terminal, options: TextReporterOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#isForMany = options.audience === "many";
    const shape = { isForMany: this.#isForMany, takesOnly: options.gives === "nothing" };
    this.#lines = new LabelledLines(terminal, options);
    this.#results = new ResultLines(terminal, this.#lines, {
      ...shape,
      role: options.role,
      quiet: options.quiet,
      directory: options.directory,
    });
    this.#network = new NetworkLog(options.clock, (line) => this.#lines.noteWrapped(line));
    this.#progress = new ProgressLog(options.clock);
    this.#codes = new CodeLines(terminal, { ...options, ...shape });
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
    this.#lines.label = this.#labels.labelOf(event);
    this.#showEvent(event);
    this.#lines.label = "";
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
    this.#terminal.note(...offerLines(offer, this.#terminal.columns, this.#lines.style));
  }

  /** Shows a line for the person, whatever is quiet: what is asked next is about it. */
  showLine(line: string): void {
    this.#lines.noteWrapped(line);
  }

  /** Shows words to compare once, whether their event or the question about them comes first. */
  showWords(session: number, words: readonly string[]): void {
    if (this.#wordsShown === session) return;
    this.#wordsShown = session;
    this.#terminal.note(
      this.#labels.labelOf({ event: "words", session }) + wordsLine(words, this.#lines.style),
    );
  }

  /** Answers a reply code that was pasted; what comes of it follows. */
  showTakenPaste(): void {
    this.#lines.noteUsual("Reply code taken.");
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
        return this.#lines.noteUsual(...replyLines(event));
      case "network":
        return this.#showNetwork(event);
      case "connecting":
        if (this.#options.verbose) {
          this.#lines.noteUsualWrapped(escapeText(`Trying ${event.addresses.join(", ")}`));
        }
        return;
      case "connected":
        if (event.resumes !== undefined) {
          this.#forget(event.resumes);
          this.#resumed.add(event.session);
        }
        this.#paths.begin(event);
        return this.#lines.noteUsual(connectedLine(event, this.#options.verbose));
      case "reconnecting":
        this.#forget(event.session);
        this.#offerShown = undefined;
        this.#wordsShown = undefined;
        return this.#lines.noteUsualWrapped(...reconnectingLines(event));
      case "path": {
        const line = this.#paths.handlePath(event, this.#options.verbose);
        return line === undefined ? undefined : this.#lines.noteUsualWrapped(line);
      }
      case "path-lost":
        return this.#lines.noteUsual(this.#paths.handleLost(event));
      case "words":
        return this.showWords(event.session, event.words);
      case "waiting":
        if (event.reason === "reply") {
          this.#isPrivate = true;
          return;
        }
        // Without a status line nobody would know why nothing happens.
        if (!this.#terminal.redraws) {
          this.#lines.noteUsual("Waiting for the other side to let this machine in");
        }
        return;
      case "identity":
        return this.#showIdentity(event);
      case "kicked":
        return this.#lines.noteUsual(`Sent away ${escapeText(event.address)}`);
      case "closing":
        return this.#lines.noteUsualWrapped(closingLine(event));
      case "closed":
        return this.#results.showClosed(event);
      case "admission":
        if (!event.admitted) this.#lines.noteUsual(`Turned away ${escapeText(event.address)}`);
        return;
      case "offer":
        return this.#showOfferEvent(event);
      case "progress":
        return this.#showProgress(event);
      case "file-done":
        if (this.#options.verbose) this.#lines.noteUsual(fileDoneLine(event));
        return;
      case "resumed":
        // Said when the connection was lost.
        return this.#resumed.has(event.session)
          ? undefined
          : this.#lines.noteUsual(resumedLine(event));
      case "text":
        return this.#results.showText(event);
      case "warning":
        return this.#showWarning(event);
      case "manifest":
        return this.#lines.noteUsual(manifestLine(event));
      case "done":
        return this.#showDone(event);
      case "verified":
        return this.#results.showVerified(event);
      case "error":
        return this.#showError(event);
      default:
        return event satisfies never;
    }
  }

  #showIdentity(event: IdentityEvent): void {
    const warning = identityWarning(event);
    if (warning === undefined) return this.#lines.noteUsual(identityLine(event));
    this.#lines.noteWarning(warning.message, warning.hint);
  }

  #showOfferEvent(event: OfferEvent): void {
    this.#progress.begin(event);
    // A drop box has nothing to give, and what comes to a share is shown where it is asked about.
    if (event.items === 0) return;
    const isGiven = directionOf(this.#options.role, wayOf(event)) === "send";
    if (isGiven) {
      return this.#resumed.has(event.session)
        ? undefined
        : this.#lines.noteUsual(sendingLine(event));
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
      this.#lines.noteWrapped(warningLine(warning, this.#lines.style));
    }
  }

  #showWarning(event: WarningEvent): void {
    if (event.code === "symlink_skipped" && this.#options.role === "send" && !this.#toldOfLinks) {
      this.#toldOfLinks = true;
      const line = warningLine(event, this.#lines.style);
      return this.#lines.noteWrapped(line, LINKS_HINT);
    }
    const address = event.session === undefined ? undefined : this.#paths.addressOf(event.session);
    if (event.code !== "waits_for_place" || address === undefined) {
      return this.#lines.noteWrapped(warningLine(event, this.#lines.style));
    }
    this.#lines.noteUsualWrapped(waitsLine(address, this.#isForMany));
  }

  #showProgress(event: ProgressEvent): void {
    const { role, directory } = this.#options;
    const isKept = role === "send" || directory !== undefined;
    if (event.itemsTotal > 0) this.#isResumable = isKept && event.hasStream !== true;
    // Before anything was asked for there is nothing to tell.
    if (this.#terminal.redraws || event.itemsTotal === 0) return;
    for (const line of this.#progress.linesFor(event)) this.#lines.noteUsual(line);
  }

  #showDone(event: DoneEvent): void {
    this.#progress.finish(event);
    this.#resumed.delete(event.session);
    this.#results.showDone(event);
  }

  #showError(event: ErrorEvent): void {
    const address = event.session === undefined ? undefined : this.#paths.addressOf(event.session);
    if (event.session !== undefined) this.#forget(event.session);
    if (!event.fatal && event.back) this.#backProblem = event.message;
    if (event.fatal) {
      if (event.back && event.message === this.#backProblem) {
        return this.#lines.noteWrapped(NOT_GIVEN);
      }
      const isWanted = event.code === "interrupted" && this.#options.signal.aborted;
      return isWanted ? this.#showInterrupted(event) : this.#showErrorLines(event);
    }
    if (event.code === "share_closed" && address !== undefined) {
      return this.#lines.noteUsualWrapped(notServedLine(address));
    }
    const comesAgain = event.code === "path_lost" && event.hint !== ERRORS.path_lost.hint;
    const hint = this.#options.role === "send" && CAN_COME_AGAIN.has(event.code) && !comesAgain
      ? STILL_SHARING
      : event.hint;
    // With a label everybody knows who is meant, and who receives knows of one other side.
    const isKnown = this.#lines.label !== "" || this.#options.role !== "send";
    const where = address === undefined || isKnown ? "" : `With ${address}: `;
    this.#showErrorLines({ ...event, hint }, where);
  }

  /** Ctrl-C is no error, but who meant to go on later wants to know how. */
  #showInterrupted(event: ErrorEvent): void {
    this.#terminal.note("Interrupted");
    if (this.#isResumable && !this.#options.quiet) this.#lines.noteWrapped(`  ${event.hint}`);
  }

  #showErrorLines(event: ErrorEvent, where = ""): void {
    const message = escapeText(where + event.message);
    this.#lines.noteError(message, event.hint);
  }

  #forget(session: number): void {
    this.#progress.begin({ session });
    this.#progress.begin({ session, back: true });
    this.#resumed.delete(session);
    this.#paths.end(session);
  }

  #showStatus(event?: TransferEvent): void {
    if (!this.#options.quiet) this.#status.show(event);
  }
}
