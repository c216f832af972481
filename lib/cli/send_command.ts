/** `p2pft send`: one share for one client. */
import type { TransferEvent, WarningEvent } from "../events.ts";
import type { ClientRequest, ShareOptions } from "../options.ts";
import type { SendInvocation } from "./invocation.ts";
import { transferOptions } from "./common_options.ts";
import type { CommandContext, ShareOperation } from "./context.ts";
import { errorEventOf } from "./failure.ts";
import { JsonReporter } from "./json_reporter.ts";
import { askYesNo } from "./questions.ts";
import { readReplies } from "./reply_input.ts";
import { runOperation } from "./run_operation.ts";
import { TextReporter } from "./text_reporter.ts";

/** Said once, after the code, where nobody is asked who may take the share. */
const CODE_IS_ADMISSION: WarningEvent = {
  event: "warning",
  code: "code_is_admission",
  message: "Nobody is asked here: whoever has the code may take what is shared",
};

/** A line of the input, or the code in it, that is of no use; nothing ends with it. */
function badReply(message: string): WarningEvent {
  return { event: "warning", code: "bad_reply_code", message };
}

/** Runs the command and returns the exit status. */
export async function runSend(
  invocation: SendInvocation,
  context: CommandContext,
): Promise<number> {
  const { terminal, signal } = context;
  const asks = terminal.canAsk && !invocation.json && !invocation.yes;
  const text = invocation.json ? undefined : new TextReporter(terminal, {
    role: "send",
    quiet: invocation.quiet,
    verbose: invocation.verbose,
    ...(terminal.canAsk ? { pastes: invocation.private ? "only" : "all" } : {}),
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
          ? `Let ${client.address} in?`
          : `Does ${client.address} show the same words? Let it in?`,
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
        share = await context.share(invocation.paths, options);
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
