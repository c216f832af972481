/** `p2pft receive` and `p2pft send --to`: find the code, take what is offered, or give. */
import type { IdentityReport, OfferEvent, TransferEvent, WarningEvent } from "../events.ts";
import type {
  OfferDecision,
  OverwriteChooser,
  OverwritePolicy,
  ReceiveOptions,
} from "../options.ts";
import { escapeText } from "../transfer/escape_text.ts";
import { CODE_VARIABLE } from "./code_variable.ts";
import { transferOptions } from "./common_options.ts";
import type { CommandContext, ReceiveOperation } from "./context.ts";
import { dotNamesQuestion } from "./dot_names.ts";
import { errorEvent, errorEventOf } from "./failure.ts";
import { findCode } from "./find_code.ts";
import { identityOptions } from "./identity_options.ts";
import type { GiveInvocation, ReceiveInvocation } from "./invocation.ts";
import { JsonReporter } from "./json_reporter.ts";
import { askOverwrite } from "./overwrite_question.ts";
import { askYesNo } from "./questions.ts";
import { readReceiveCommands } from "./receive_keyboard.ts";
import { askToRemember } from "./remember_question.ts";
import type { Reporter } from "./reporter.ts";
import { runOperation } from "./run_operation.ts";
import { sourceOf, typingLine } from "./share_input.ts";
import { withStreamHint } from "./stream_hints.ts";
import type { TextReporter } from "./text_reporter.ts";

/** Runs the command and returns the exit status. */
export async function runReceive(
  invocation: ReceiveInvocation | GiveInvocation,
  context: CommandContext,
): Promise<number> {
  const { terminal, signal, installation, clock } = context;
  const code = await findCode(invocation, context);
  const text = invocation.json
    ? undefined
    : new (await import("./text_reporter.ts")).TextReporter(terminal, {
      role: "receive",
      quiet: invocation.quiet,
      verbose: invocation.verbose,
      ...(invocation.qr ? { renderQr: (await import("./qr.ts")).renderQr } : {}),
      ...(invocation.command === "give" || invocation.toOutput
        ? {}
        : { directory: invocation.directory }),
      installation,
      clock,
      signal,
    });
  const reporter = text ?? new JsonReporter(context.streams, invocation.verbose);
  if (code === undefined) {
    const event = signal.aborted ? errorEvent("interrupted", "Interrupted") : errorEvent(
      "usage",
      "No code was given",
      `Give it as p2pft ${
        invocation.command === "give" ? "send PATH --to" : "receive"
      } CODE or in ${CODE_VARIABLE}`,
    );
    reporter.handleEvent(event);
    return event.exit;
  }
  try {
    return await new ReceiveRun(invocation, context, { reporter, text, code }).run();
  } catch (error) {
    const event = errorEventOf(error);
    reporter.handleException(error);
    reporter.handleEvent(event);
    return event.exit;
  }
}

/** What a run works with beside its words. */
interface ReceiveRunParts {
  readonly reporter: Reporter;
  /** Absent with `--json`. */
  readonly text: TextReporter | undefined;
  readonly code: string;
}

/** Said where the other side was to be remembered. */
const NOT_SHOWN: WarningEvent = {
  event: "warning",
  code: "not_remembered",
  message: "The other side shows no identity, so it cannot be remembered",
};

function looksLike(name: string, other: string): WarningEvent {
  const message = `"${name}" could be taken for "${other}", who is remembered too`;
  return { event: "warning", code: "name_looks_like", message };
}

/** One run of the command. */
class ReceiveRun {
  readonly #invocation: ReceiveInvocation | GiveInvocation;
  readonly #context: CommandContext;
  readonly #parts: ReceiveRunParts;
  /** Whether the person is asked. */
  readonly #asks: boolean;
  /** Questions about a channel that is gone are taken away when the operation ends. */
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;
  #receive: ReceiveOperation | undefined;
  /** Who the other side has proved to be. */
  #sharer: IdentityReport | undefined;
  #isStream = false;
  #listens = false;

  constructor(
    invocation: ReceiveInvocation | GiveInvocation,
    context: CommandContext,
    parts: ReceiveRunParts,
  ) {
    this.#invocation = invocation;
    this.#context = context;
    this.#parts = parts;
    this.#asks = context.terminal.canAsk && parts.text !== undefined && !invocation.yes;
    this.#signal = AbortSignal.any([context.signal, this.#ended.signal]);
  }

  /** @throws {TransferError} Of identities that cannot be read. */
  async run(): Promise<number> {
    const { reporter, code } = this.#parts;
    const { signal, clock } = this.#context;
    const options = await this.#options();
    try {
      return await runOperation({
        start: async () => {
          this.#receive = await this.#context.receive(code, {
            ...options,
            ...await this.#offer(),
          });
          return this.#receive;
        },
        reporter: {
          handleEvent: (event) => this.#handleEvent(event),
          handleException: (error) => reporter.handleException(error),
        },
        signal,
        clock,
      });
    } finally {
      this.#ended.abort();
    }
  }

  async #options(): Promise<ReceiveOptions> {
    const invocation = this.#invocation;
    const identity = await identityOptions(invocation, this.#context, this.#parts.code);
    const peer = invocation.command === "give" ? invocation.forPeer : invocation.fromPeer;
    return {
      ...transferOptions(invocation, this.#context),
      localAddresses: invocation.localAddresses,
      ...(identity === undefined ? {} : { identity }),
      ...(peer === undefined ? {} : { expectPeer: peer }),
      ...(invocation.command === "give" ? { declines: true } : this.#takeOptions(invocation)),
      confirmWords: (words) => this.#confirmWords(words),
    };
  }

  #takeOptions(invocation: ReceiveInvocation): ReceiveOptions {
    return {
      ...(invocation.toOutput ? { output: this.#context.streams.outputStream() } : {}),
      ...(invocation.isDirectoryGiven ? { directory: invocation.directory } : {}),
      symlinks: invocation.symlinks,
      ...(invocation.manifest === undefined ? {} : { manifest: invocation.manifest }),
      // Of files the decision says it; a manifest is the person's own.
      ...(invocation.overwrite === "always" ? { overwrite: "always" } : {}),
      decide: (offer) => this.#decide(offer, invocation),
    };
  }

  /** What is given to the other side, standard input opened or read where that is it. */
  async #offer(): Promise<Pick<ReceiveOptions, "offer">> {
    const invocation = this.#invocation;
    if (invocation.command === "receive") {
      return invocation.offer.length === 0 ? {} : { offer: invocation.offer };
    }
    const typing = typingLine(invocation, this.#context);
    if (typing !== undefined) this.#context.terminal.note(typing);
    const { streams, signal } = this.#context;
    return { offer: await sourceOf(invocation, streams, signal) };
  }

  #ask(text: string, defaultAnswer: boolean): Promise<boolean> {
    return askYesNo(this.#context.terminal, { text, defaultAnswer, signal: this.#signal });
  }

  async #decide(offer: OfferEvent, invocation: ReceiveInvocation): Promise<OfferDecision> {
    if (this.#asks) {
      this.#parts.text?.showOffer(offer);
      // A text goes to no folder, unless one was given.
      const isText = offer.texts === offer.items && !invocation.isDirectoryGiven;
      const place = invocation.toOutput ? "standard output" : invocation.directory;
      const question = isText && !invocation.toOutput
        ? `Show the ${offer.texts === 1 ? "text" : "texts"}?`
        : `Receive into ${escapeText(place)}?`;
      if (!await this.#ask(question, true)) return { accept: false };
    }
    await this.#rememberSharer(invocation);
    const takeDotNames = invocation.allowDotfiles ||
      (this.#asks && offer.dotNames.length > 0 &&
        await this.#ask(dotNamesQuestion(offer), false));
    // Last: whoever decides one by one is asked about the first right after it.
    const overwrite = await this.#choosePolicy(offer, invocation);
    return { accept: true, overwrite, takeDotNames };
  }

  /** Who wants to be known mostly wants to know: a stranger is given a name, by which it is met again. */
  async #rememberSharer({ identity: shows, remember }: ReceiveInvocation): Promise<void> {
    const identity = this.#sharer;
    if (remember !== undefined && identity === undefined) {
      return this.#parts.reporter.handleEvent(NOT_SHOWN);
    }
    if (remember !== undefined) {
      // A name that has another key ends it: whom was that to be taken from?
      const { lookAlikes } = await this.#receive!.remember(remember);
      for (const other of lookAlikes) this.#parts.reporter.handleEvent(looksLike(remember, other));
      return;
    }
    if (!this.#asks || !shows || identity?.recognition !== "stranger") return;
    await askToRemember(this.#context.terminal, {
      identity,
      remember: async ({ name }) => await this.#receive!.remember(name),
      signal: this.#signal,
    });
  }

  async #choosePolicy(
    offer: OfferEvent,
    invocation: ReceiveInvocation,
  ): Promise<OverwritePolicy | OverwriteChooser> {
    const overwrite = invocation.overwrite ?? (this.#asks ? "ask" : "never");
    if (overwrite !== "ask") return overwrite;
    const { terminal } = this.#context;
    const hasPerson = terminal.canAsk && this.#parts.text !== undefined;
    if (!hasPerson || offer.differItems === 0) return "never";
    return await askOverwrite(terminal, offer, this.#signal);
  }

  async #confirmWords(words: readonly string[]): Promise<boolean> {
    if (!this.#asks) return true;
    this.#parts.text?.showWords(1, words);
    return await this.#ask("Does the other side show the same words?", false);
  }

  #handleEvent(event: TransferEvent): void {
    const { reporter } = this.#parts;
    if (event.event === "offer" && event.back !== true) this.#isStream = event.hasStream === true;
    if (event.event === "identity") this.#sharer = event;
    // Not before there is something to do: reading stops a job in the background of a terminal.
    if (event.event === "connected") this.#listen();
    if (event.event !== "error" || !event.fatal) return reporter.handleEvent(event);
    this.#ended.abort();
    const toOutput = this.#invocation.command === "receive" && this.#invocation.toOutput;
    reporter.handleEvent(withStreamHint(event, { isStream: this.#isStream, toOutput }));
  }

  /** Takes commands from the keyboard, where there is somebody who is asked anyway. */
  #listen(): void {
    const isGiving = this.#invocation.command === "give";
    if (!this.#asks || isGiving || this.#listens || this.#receive === undefined) return;
    this.#listens = true;
    const { terminal, permissions } = this.#context;
    const parts = { receive: this.#receive, terminal, permissions, signal: this.#signal };
    // An input that breaks, such as a terminal that was closed, is one from which nothing comes.
    readReceiveCommands(parts).catch((error) => this.#parts.reporter.handleException(error));
  }
}
