/** `p2pft send`: one share for one client. */
import { TransferError } from "../errors.ts";
import type { TransferEvent, WarningEvent } from "../events.ts";
import type { ClientRequest, ShareOptions, ShareSource } from "../options.ts";
import { escapeText } from "../transfer/escape_text.ts";
import type { SendInvocation } from "./invocation.ts";
import { transferOptions } from "./common_options.ts";
import type { CommandContext, ShareOperation } from "./context.ts";
import { errorEventOf } from "./failure.ts";
import { JsonReporter } from "./json_reporter.ts";
import type { ConsoleStreams } from "./console_streams.ts";
import { askYesNo } from "./questions.ts";
import { readReplies } from "./reply_input.ts";
import { runOperation } from "./run_operation.ts";
import { inputStream, readInputText } from "./standard_input.ts";
import { TextReporter } from "./text_reporter.ts";

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

/** What is called like this at the other side when nobody names it. */
const STREAM_NAME = "stdin";

/** A line of the input, or the code in it, that is of no use; nothing ends with it. */
function badReply(message: string): WarningEvent {
  return { event: "warning", code: "bad_reply_code", message };
}

/**
 * What `invocation` sends, standard input opened or read where that is it.
 *
 * @throws {TypeError} If standard input is no text that can be sent.
 */
async function sourceOf(
  { paths, input }: SendInvocation,
  streams: ConsoleStreams,
  signal: AbortSignal,
): Promise<ShareSource> {
  if (input === undefined) return paths;
  const { kind, name } = input;
  if (kind === "stream") return { stream: inputStream(streams), name: name ?? STREAM_NAME };
  const text = input.text ?? await readInputText(streams, signal);
  if (text === undefined) throw new TransferError("interrupted", "Interrupted");
  return { text, ...(name === undefined ? {} : { name }) };
}

/** What a person at a terminal is told who is to type what is sent; undefined when nobody is. */
function typingLine(
  { input, json }: SendInvocation,
  { terminal, installation }: CommandContext,
): string | undefined {
  const isTyped = input !== undefined && input.text === undefined && terminal.inputIsTerminal;
  if (!isTyped || json) return undefined;
  const end = installation.windows ? "Ctrl-Z and Enter" : "Ctrl-D";
  return input.kind === "text"
    ? `Type the text to send, and ${end} on a line of its own.`
    : `What is typed here is sent; ${end} on a line of its own ends it.`;
}

/** Runs the command and returns the exit status. */
export async function runSend(
  invocation: SendInvocation,
  context: CommandContext,
): Promise<number> {
  const { terminal, signal } = context;
  const sendsInput = invocation.input?.kind === "stream";
  const canAsk = terminal.canAsk && !sendsInput;
  const asks = canAsk && !invocation.json && !invocation.yes;
  const text = invocation.json ? undefined : new TextReporter(terminal, {
    role: "send",
    quiet: invocation.quiet,
    verbose: invocation.verbose,
    ...(canAsk ? { pastes: invocation.private ? "only" : "all" } : {}),
    ...(invocation.qr ? { renderQr: (await import("./qr.ts")).renderQr } : {}),
    installation: context.installation,
    clock: context.clock,
    signal,
  });
  const reporter = text ?? new JsonReporter(context.streams, invocation.verbose);
  // A client that goes away while it is asked about takes its question with it.
  const questions = new Map<number, AbortController>();
  const turnedAway = new Set<number>();
  const ended = new AbortController();
  let share: ShareOperation | undefined;
  // Sessions whose connection was reported: the question about one belongs below that.
  const reported = new Map<number, PromiseWithResolvers<void>>();

  function reportedOf(session: number): PromiseWithResolvers<void> {
    const known = reported.get(session) ?? Promise.withResolvers<void>();
    reported.set(session, known);
    return known;
  }

  async function admit(client: ClientRequest): Promise<boolean> {
    if (!asks || text === undefined) return true;
    const question = new AbortController();
    questions.set(client.session, question);
    try {
      await reportedOf(client.session).promise;
      if (client.words !== undefined) text.showWords(client.session, client.words);
      return await askYesNo(terminal, {
        text: client.words === undefined
          ? `Let ${escapeText(client.address)} in?`
          : `Does ${escapeText(client.address)} show the same words? Let it in?`,
        defaultAnswer: false,
        signal: AbortSignal.any([signal, question.signal]),
      });
    } finally {
      questions.delete(client.session);
      reported.delete(client.session);
    }
  }

  function handleEvent(event: TransferEvent): void {
    if (event.event === "error" && event.session !== undefined) {
      questions.get(event.session)?.abort();
      // Said already, or the end of the share follows and says the same.
      const isKnown = !event.fatal && (turnedAway.delete(event.session) || signal.aborted);
      if (isKnown && text !== undefined) return;
    }
    if (event.event === "admission" && !event.admitted) {
      // Ctrl-C took the question away: nobody said no.
      if (signal.aborted && text !== undefined) return;
      turnedAway.add(event.session);
    }
    reporter.handleEvent(event);
    if (event.event === "connected" && asks) reportedOf(event.session).resolve();
    const isOpen = !asks && !invocation.yes && !invocation.private;
    if (event.event === "code" && event.changed !== true) {
      if (isOpen) reporter.handleEvent(CODE_IS_ADMISSION);
      if (sendsInput) return reporter.handleEvent(INPUT_IS_SENT);
      // Not before the code is on the screen: a job in the background of a terminal is stopped by
      // the first read.
      if (share !== undefined) void takeReplies(share);
    }
  }

  /** Takes reply codes from the input while the share runs; without an input it runs as well. */
  async function takeReplies(share: ShareOperation): Promise<void> {
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
        signal: AbortSignal.any([signal, ended.signal]),
      });
    } catch (error) {
      // An input that breaks, such as a terminal that was closed, is one from which nothing comes.
      reporter.handleException(error);
    }
  }

  const addresses = invocation.addresses.length === 0
    ? {}
    : invocation.localAddresses
    ? { extraAddresses: invocation.addresses }
    : { addresses: invocation.addresses };
  const options: ShareOptions = {
    ...transferOptions(invocation, context),
    ...addresses,
    maxClients: 1,
    private: invocation.private,
    exclude: invocation.exclude,
    gitignore: invocation.gitignore,
    symlinks: invocation.symlinks,
    ...(invocation.clientLimit === undefined
      ? {}
      : { clientLimitBytesPerSecond: invocation.clientLimit }),
    ...(invocation.congestion === undefined ? {} : { congestion: invocation.congestion }),
    // Where nobody is asked the client need not wait, and is not told to.
    ...(asks ? { admit } : {}),
  };
  try {
    return await runOperation({
      start: async () => {
        const typing = typingLine(invocation, context);
        if (typing !== undefined) terminal.note(typing);
        const source = await sourceOf(invocation, context.streams, signal);
        share = await context.share(source, options);
        return share;
      },
      reporter: { handleEvent, handleException: (error) => reporter.handleException(error) },
      signal,
      clock: context.clock,
    });
  } finally {
    ended.abort();
  }
}
