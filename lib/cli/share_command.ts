/**
 * `p2pft send`, `share` and `wait`: a code, and those who come with it. `send` ends with its one
 * client; `wait` gives nothing and takes.
 */
import type { TransferEvent, WarningEvent } from "../events.ts";
import { AdmissionQuestions } from "./admission_questions.ts";
import { ClientLog } from "./client_log.ts";
import type { CommandContext, ShareOperation } from "./context.ts";
import { errorEventOf } from "./failure.ts";
import { identityOptions } from "./identity_options.ts";
import type { ShareInvocation } from "./invocation.ts";
import { JsonReporter } from "./json_reporter.ts";
import { type LanAnnouncement, lanAnnouncement } from "./lan_announcement.ts";
import { closedToNeighbours } from "./lan_usage.ts";
import { readReplies } from "./reply_input.ts";
import type { Reporter } from "./reporter.ts";
import { runOperation } from "./run_operation.ts";
import { sourceOf, typingLine } from "./share_input.ts";
import { ShareKeyboard } from "./share_keyboard.ts";
import { type ShareDecisions, shareOptions } from "./share_options.ts";
import { TakeQuestions } from "./take_questions.ts";
import type { TextReporter } from "./text_reporter.ts";

/** Said once, after the code, where nobody is asked who may take the share. */
const CODE_IS_ADMISSION: WarningEvent = {
  event: "warning",
  code: "code_is_admission",
  message: "Nobody is asked here: whoever has the code may take what is shared",
};

/** Said once, after the code, where what comes from standard input is sent. */
const INPUT_IS_SENT: WarningEvent = {
  event: "warning",
  code: "no_reply_codes",
  message: "Standard input is what is sent, so no reply code can be pasted here: " +
    "if the other side shows one, send a file instead",
};

/** A line of the input, or the code in it, that is of no use; nothing ends with it. */
function badReply(message: string): WarningEvent {
  return { event: "warning", code: "bad_reply_code", message };
}

/** Exit status of a share whose log could not be kept (`write_failed`). */
const LOG_FAILED_EXIT = 9;

/** Runs the command and returns the exit status. */
export async function runShare(
  given: ShareInvocation,
  context: CommandContext,
): Promise<number> {
  const invocation = closedToNeighbours(given, context.streams);
  const { terminal, installation, clock, signal } = context;
  const canAsk = terminal.canAsk && invocation.input?.kind !== "stream";
  const text = invocation.json
    ? undefined
    : new (await import("./text_reporter.ts")).TextReporter(terminal, {
      role: "send",
      audience: invocation.command === "send" ? "one" : "many",
      ...(invocation.command === "wait" ? { gives: "nothing" } : {}),
      quiet: invocation.quiet,
      verbose: invocation.verbose,
      ...(canAsk ? { pastes: invocation.private ? "only" : "all" } : {}),
      ...(invocation.qr ? { renderQr: (await import("./qr.ts")).renderQr } : {}),
      ...(invocation.take === undefined ? {} : { directory: invocation.take.directory }),
      installation,
      clock,
      signal,
    });
  const reporter = text ?? new JsonReporter(context.streams, invocation.verbose);
  try {
    return await new ShareRun(invocation, context, { reporter, text, canAsk }).run();
  } catch (error) {
    const event = errorEventOf(error);
    reporter.handleException(error);
    reporter.handleEvent(event);
    return event.exit;
  }
}

/** How a run tells and asks. */
interface ShareRunParts {
  readonly reporter: Reporter;
  /** Absent with `--json`. */
  readonly text: TextReporter | undefined;
  /** Whether there is a person at the keyboard whose lines are not what is sent. */
  readonly canAsk: boolean;
}

/** One run of the command. */
class ShareRun {
  readonly #invocation: ShareInvocation;
  readonly #context: CommandContext;
  readonly #parts: ShareRunParts;
  /** Whether the person is asked. */
  readonly #asks: boolean;
  #share: ShareOperation | undefined;
  #log: ClientLog | undefined;
  #admission: AdmissionQuestions | undefined;
  #taking: TakeQuestions | undefined;
  #lan: LanAnnouncement | undefined;
  readonly #turnedAway = new Set<number>();
  /** Aborted at the end, for the reading of the input. */
  readonly #ended = new AbortController();

  constructor(invocation: ShareInvocation, context: CommandContext, parts: ShareRunParts) {
    this.#invocation = invocation;
    this.#context = context;
    this.#parts = parts;
    this.#asks = parts.canAsk && parts.text !== undefined && !invocation.yes;
  }

  /** @throws {TransferError} Of a log or of identities that cannot be opened. */
  async run(): Promise<number> {
    const invocation = this.#invocation;
    const context = this.#context;
    const { signal, clock } = context;
    const { reporter } = this.#parts;
    const identity = await identityOptions(invocation, context);
    this.#log = await this.#openLog();
    this.#lan = await lanAnnouncement(invocation, context, reporter);
    const options = shareOptions(invocation, context, {
      identity,
      ...this.#admits(),
      decide: this.#decides(),
    });
    try {
      const exit = await runOperation({
        start: async () => {
          const typing = typingLine(invocation, context);
          if (typing !== undefined) context.terminal.note(typing);
          const source = await sourceOf(invocation, context.streams, signal);
          const start = invocation.command === "send" ? context.send : context.share;
          this.#share = await start(source, options);
          return this.#share;
        },
        reporter: {
          handleEvent: (event) => this.#handleEvent(event),
          handleException: (error) => reporter.handleException(error),
        },
        signal,
        clock,
      });
      await this.#log?.close();
      return exit === 0 && this.#log?.hasFailed ? LOG_FAILED_EXIT : exit;
    } finally {
      this.#ended.abort();
      await this.#lan?.close();
    }
  }

  async #openLog(): Promise<ClientLog | undefined> {
    const { log: path, command, paths, take } = this.#invocation;
    if (path === undefined) return undefined;
    const replaces = take?.overwrite === "always" || take?.overwrite === "newer";
    const log = new ClientLog({
      file: await this.#context.openLog(path, replaces ? take.directory : undefined),
      timeMs: this.#context.timeMs,
      onFailure: (error, admitted) => this.#handleLogFailure(path, error, admitted),
    });
    log.begin(command, paths);
    return log;
  }

  /** Nobody may have anything of which there is no record. */
  #handleLogFailure(path: string, error: unknown, admitted: number | undefined): void {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `Cannot write the log ${path}, so nobody new is let in: ${reason}`;
    this.#parts.reporter.handleEvent({ event: "warning", code: "log_failed", message });
    if (admitted !== undefined) this.#share?.kick(admitted);
    this.#share?.stopAdmitting();
  }

  /** Who is asked about a client; the drop box asks about gifts instead. */
  #admits(): Pick<ShareDecisions, "admit"> {
    const { text } = this.#parts;
    const { command, verify } = this.#invocation;
    if (!this.#asks || text === undefined || (command === "wait" && !verify)) return {};
    const { terminal, signal } = this.#context;
    const questions = new AdmissionQuestions({
      terminal,
      text,
      remember: (session, how) => this.#share!.remember(session, how),
      signal,
    });
    this.#admission = questions;
    return {
      admit: async (client) => this.#log?.hasFailed !== true && await questions.ask(client),
    };
  }

  #decides(): ShareDecisions["decide"] {
    const { take, yes, command, allow } = this.#invocation;
    if (take === undefined) return undefined;
    const { terminal, signal } = this.#context;
    // A share whose clients were let in by the code alone takes nothing that nobody looks at.
    const isNamed = this.#invocation.private || allow.length > 0 || command !== "wait";
    const questions = new TakeQuestions({
      terminal,
      take,
      takesFrom: this.#asks ? "person" : yes || !isNamed ? "all" : "named",
      note: (line) => this.#parts.text?.showLine(line),
      signal,
    });
    this.#taking = questions;
    return (offer, client) => questions.decide(offer, client);
  }

  #handleEvent(event: TransferEvent): void {
    this.#log?.handleEvent(event);
    this.#taking?.handleEvent(event);
    if (!this.#isSaidAlready(event)) this.#parts.reporter.handleEvent(event);
    this.#admission?.handleReported(event);
    if (event.event === "code") this.#lan?.handleCode(event.code);
    // Whoever found it now would only be sent away.
    if (event.event === "closing") void this.#lan?.close();
    if (event.event === "code" && event.changed !== true) this.#handleCode();
  }

  /** What of a client that was turned away, and of Ctrl-C, another line says as well. */
  #isSaidAlready(event: TransferEvent): boolean {
    const isInterrupted = this.#context.signal.aborted;
    const isText = this.#parts.text !== undefined;
    if (event.event === "admission" && !event.admitted) {
      // Ctrl-C took the question away: nobody said no.
      if (isInterrupted && isText) return true;
      this.#turnedAway.add(event.session);
    }
    if (event.event === "kicked") this.#turnedAway.add(event.session);
    if (event.event !== "error" || event.session === undefined || event.fatal) return false;
    return (this.#turnedAway.delete(event.session) || isInterrupted) && isText;
  }

  /** The code is on the screen. */
  #handleCode(): void {
    const { command, yes, input, forPeer } = this.#invocation;
    const { reporter } = this.#parts;
    const isOpen = !this.#asks && !yes && !this.#invocation.private && forPeer === undefined;
    if (isOpen && command !== "wait") reporter.handleEvent(CODE_IS_ADMISSION);
    if (input?.kind === "stream") return reporter.handleEvent(INPUT_IS_SENT);
    // Not before the code is on the screen: a job in the background of a terminal is stopped by
    // the first read.
    if (this.#share !== undefined) void this.#takeLines(this.#share);
  }

  /** Takes reply codes and commands while the share runs; without an input it runs as well. */
  async #takeLines(share: ShareOperation): Promise<void> {
    const { terminal, signal } = this.#context;
    const { reporter, text, canAsk } = this.#parts;
    try {
      await readReplies({
        terminal,
        addReply: (code) => {
          share.addReply(code);
          text?.showTakenPaste();
        },
        onRefused: (error) => {
          const event = errorEventOf(error);
          if (event.code === "internal") reporter.handleException(error);
          if (text !== undefined) text.showRefusedPaste(event);
          else reporter.handleEvent(badReply(event.message));
        },
        onOther: () => {
          if (text !== undefined) text.showOtherPaste();
          else reporter.handleEvent(badReply("A line of the input holds no reply code"));
        },
        commands: canAsk && text !== undefined ? new ShareKeyboard(share, terminal) : undefined,
        signal: AbortSignal.any([signal, this.#ended.signal]),
      });
    } catch (error) {
      // An input that breaks, such as a terminal that was closed, is one from which nothing comes.
      reporter.handleException(error);
    }
  }
}
