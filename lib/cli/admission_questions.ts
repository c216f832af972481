/**
 * Asks the person who may come in: one question for each client, below the line that says that it is
 * there, and taken away when it is gone. Who shows an identity can be let in for good.
 */
import type { IdentityReport, TransferEvent } from "../events.ts";
import type { ClientRequest } from "../options.ts";
import { escapeText } from "../transfer/escape_text.ts";
import type { ShareOperation } from "./context.ts";
import { askAdmission, askYesNo } from "./questions.ts";
import { askToRemember } from "./remember_question.ts";
import type { Terminal } from "./terminal.ts";
import type { TextReporter } from "./text_reporter.ts";

/** What the questions work with. */
export interface AdmissionParts {
  readonly terminal: Terminal;
  readonly text: TextReporter;
  /** Remembers a client who showed who it is. */
  readonly remember: ShareOperation["remember"];
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** The questions of one share. */
export class AdmissionQuestions {
  readonly #parts: AdmissionParts;
  /** What was reported of a session: the question about it belongs below that. */
  readonly #reported = new Map<number, PromiseWithResolvers<void>>();

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** An event was reported. */
  handleReported(event: TransferEvent): void {
    if (event.event === "connected") this.#reportedOf(event.session).resolve();
    if (event.event === "admission") this.#reported.delete(event.session);
    if (event.event === "error" && event.session !== undefined) {
      this.#reportedOf(event.session).resolve();
      this.#reported.delete(event.session);
    }
  }

  /** Asks about a client. */
  async ask(client: ClientRequest): Promise<boolean> {
    const { session, words, identity } = client;
    await this.#reportedOf(session).promise;
    const signal = AbortSignal.any([this.#parts.signal, client.signal]);
    const { terminal, text } = this.#parts;
    if (words !== undefined) text.showWords(session, words);
    const who = escapeText(nameOf(client));
    const asked = words === undefined
      ? `Let ${who} in?`
      : `Does ${who} show the same words? Let it in?`;
    if (identity === undefined || !this.#canRemember(identity)) {
      return await askYesNo(terminal, { text: asked, defaultAnswer: false, signal });
    }
    const answer = await askAdmission(terminal, { text: asked, signal });
    if (answer === "always") {
      await askToRemember(terminal, {
        identity,
        remember: (name) => this.#parts.remember(session, { ...name, always: true }),
        signal,
      });
    }
    return answer !== "no";
  }

  /** Nobody is let in for good who came under a name that has another key. */
  #canRemember({ recognition }: IdentityReport): boolean {
    return recognition === "known" || recognition === "stranger";
  }

  #reportedOf(session: number): PromiseWithResolvers<void> {
    const known = this.#reported.get(session) ?? Promise.withResolvers<void>();
    this.#reported.set(session, known);
    return known;
  }
}

/** Who it is, for a question: its name with its address, or only that. */
export function nameOf(
  { address, identity }: { readonly address: string; readonly identity?: IdentityReport },
): string {
  return identity?.name === undefined ? address : `${identity.name} (${address})`;
}
