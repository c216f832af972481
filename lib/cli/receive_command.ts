/** `p2pft receive`: find the code, take what is offered. */
import type { OfferEvent, TransferEvent } from "../events.ts";
import type {
  OfferDecision,
  OverwriteChooser,
  OverwritePolicy,
  ReceiveOptions,
} from "../options.ts";
import { escapeText } from "../transfer/escape_text.ts";
import type { ReceiveInvocation } from "./invocation.ts";
import { CODE_VARIABLE } from "./code_variable.ts";
import { transferOptions } from "./common_options.ts";
import type { CommandContext } from "./context.ts";
import { errorEvent } from "./failure.ts";
import { formatCount } from "./format.ts";
import { givenCode } from "./given_code.ts";
import { JsonReporter } from "./json_reporter.ts";
import { askOverwrite } from "./overwrite_question.ts";
import { askYesNo } from "./questions.ts";
import { runOperation } from "./run_operation.ts";
import { withStreamHint } from "./stream_hints.ts";
import { cutEnd } from "./text_width.ts";
import { TextReporter } from "./text_reporter.ts";

/** Runs the command and returns the exit status. */
export async function runReceive(
  invocation: ReceiveInvocation,
  context: CommandContext,
): Promise<number> {
  const { terminal, signal } = context;
  const hasPerson = terminal.canAsk && !invocation.json;
  const asks = hasPerson && !invocation.yes;
  const overwrite = invocation.overwrite ?? (asks ? "ask" : "never");
  const place = invocation.toOutput ? "standard output" : invocation.directory;
  const code = await findCode(invocation, context);
  const text = invocation.json ? undefined : new TextReporter(terminal, {
    role: "receive",
    quiet: invocation.quiet,
    verbose: invocation.verbose,
    ...(invocation.qr ? { renderQr: (await import("./qr.ts")).renderQr } : {}),
    ...(invocation.toOutput ? {} : { directory: invocation.directory }),
    installation: context.installation,
    clock: context.clock,
    signal,
  });
  const reporter = text ?? new JsonReporter(context.streams, invocation.verbose);
  if (code === undefined) {
    const event = signal.aborted ? errorEvent("interrupted", "Interrupted") : errorEvent(
      "usage",
      "No code was given",
      `Give it as p2pft receive CODE or in ${CODE_VARIABLE}`,
    );
    reporter.handleEvent(event);
    return event.exit;
  }
  // Questions about a channel that is gone are taken away when the operation ends.
  const ended = new AbortController();
  const questionSignal = AbortSignal.any([signal, ended.signal]);
  const ask = (question: string, defaultAnswer: boolean): Promise<boolean> =>
    askYesNo(terminal, { text: question, defaultAnswer, signal: questionSignal });

  async function choosePolicy(
    offer: OfferEvent,
  ): Promise<OverwritePolicy | OverwriteChooser> {
    if (overwrite !== "ask") return overwrite;
    if (!hasPerson || offer.differItems === 0) return "never";
    return await askOverwrite(terminal, offer, questionSignal);
  }

  async function decide(offer: OfferEvent): Promise<OfferDecision> {
    if (asks) {
      text?.showOffer(offer);
      // A text goes to no folder, unless one was given.
      const isText = offer.texts === offer.items && !invocation.isDirectoryGiven;
      const question = isText && !invocation.toOutput
        ? `Show the ${offer.texts === 1 ? "text" : "texts"}?`
        : `Receive into ${escapeText(place)}?`;
      if (!await ask(question, true)) {
        return { accept: false };
      }
    }
    const takeDotNames = invocation.allowDotfiles ||
      (asks && offer.dotNames.length > 0 && await ask(dotNamesQuestion(offer), false));
    // Last: whoever decides one by one is asked about the first right after it.
    const policy = await choosePolicy(offer);
    return { accept: true, overwrite: policy, takeDotNames };
  }

  async function confirmWords(words: readonly string[]): Promise<boolean> {
    if (!asks) return true;
    text?.showWords(1, words);
    return await ask("Does the other side show the same words?", false);
  }

  const options: ReceiveOptions = {
    ...transferOptions(invocation, context),
    ...(invocation.toOutput ? { output: context.streams.outputStream() } : {}),
    ...(invocation.isDirectoryGiven ? { directory: invocation.directory } : {}),
    symlinks: invocation.symlinks,
    localAddresses: invocation.localAddresses,
    ...(invocation.manifest === undefined ? {} : { manifest: invocation.manifest }),
    // Of files the decision says it; a manifest is the person's own.
    ...(invocation.overwrite === "always" ? { overwrite: "always" } : {}),
    decide,
    confirmWords,
  };
  let isStream = false;
  function handleEvent(event: TransferEvent): void {
    if (event.event === "offer") isStream = event.hasStream === true;
    if (event.event !== "error") return reporter.handleEvent(event);
    ended.abort();
    reporter.handleEvent(withStreamHint(event, { isStream, toOutput: invocation.toOutput }));
  }

  try {
    return await runOperation({
      start: () => context.receive(code, options),
      reporter: { handleEvent, handleException: (error) => reporter.handleException(error) },
      signal,
      clock: context.clock,
    });
  } finally {
    ended.abort();
  }
}

/** Columns of the names in the question; the offer above lists them all. */
const DOT_NAMES_COLUMNS = 24;

function dotNamesQuestion(offer: OfferEvent): string {
  const names = cutEnd(offer.dotNames.map(escapeText).join(", "), DOT_NAMES_COLUMNS);
  return `Take ${formatCount(offer.dotNames.length, "dot-name")} too (${names})?`;
}

/** The code from the command line, the environment, the person, or the first line of the input. */
async function findCode(
  invocation: ReceiveInvocation,
  context: CommandContext,
): Promise<string | undefined> {
  const { terminal, streams, signal } = context;
  const given = givenCode(invocation.code ?? context.env(CODE_VARIABLE));
  if (given !== undefined) return given;
  if (streams.inputIsTerminal && !(terminal.canAsk && !invocation.json)) return undefined;
  if (!streams.inputIsTerminal && invocation.verbose && !invocation.json) {
    terminal.note("Waiting for the code on standard input");
  }
  const line = streams.inputIsTerminal
    ? await terminal.ask("Code from the other side: ", signal, { takesTypedAhead: true })
    : await terminal.readLine(signal);
  return givenCode(line);
}
