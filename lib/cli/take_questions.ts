/**
 * What is taken of what clients give: the person is asked about each gift, one after another, and
 * first about those of the host that was asked about least often: who brings many gifts keeps nobody
 * else from being asked about. Where nobody is asked, that of clients whom somebody has named is
 * taken, or all of it.
 */
import { TransferError } from "../errors.ts";
import type { AdmittedBy, OfferEvent, TransferEvent } from "../events.ts";
import { hostKey, parseSocketAddress } from "../nat/address.ts";
import type { ClientReport, OfferDecision } from "../options.ts";
import { QuestionTurns } from "../sharing/question_turns.ts";
import { escapeText } from "../transfer/escape_text.ts";
import { nameOf } from "./admission_questions.ts";
import { dotNamesQuestion } from "./dot_names.ts";
import type { TakeArguments } from "./invocation.ts";
import { amountOf } from "./messages.ts";
import { askYesNo } from "./questions.ts";
import type { Terminal } from "./terminal.ts";
import { cutEnd } from "./text_width.ts";

/** What the questions work with. */
export interface TakeParts {
  readonly terminal: Terminal;
  readonly take: TakeArguments;
  /** `person`: who is asked. `all`, `named`: whose gifts are taken without a question. */
  readonly takesFrom: "person" | "all" | "named";
  /** Writes lines for the person. */
  readonly note: (line: string) => void;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** What says whom the sharing person means: a pasted code, or an identity that is allowed. */
const NAMED_BY: ReadonlySet<AdmittedBy> = new Set(["reply", "identity", "yes"]);

/** The questions of one share. */
export class TakeQuestions {
  readonly #parts: TakeParts;
  /** Of questions that are asked or wait for their turn: aborted when the client is gone. */
  readonly #open = new Map<number, AbortController>();
  /** By what those who are in were let in; a gift may come before that was told here. */
  readonly #admitted = new Map<number, PromiseWithResolvers<AdmittedBy | undefined>>();
  /** One question at a time is all that a screen shows. */
  readonly #turns = new QuestionTurns(() => 1);

  constructor(parts: TakeParts) {
    this.#parts = parts;
  }

  /** Takes note of who is let in, by what, and who is gone. */
  handleEvent(event: TransferEvent): void {
    // Of who comes again it is known from before.
    if (event.event === "admission" && event.admitted && event.by !== "again") {
      this.#admittedOf(event.session).resolve(event.by);
    }
    if (event.event === "connected" && event.resumes !== undefined) {
      const gone = this.#open.get(event.resumes);
      if (gone !== undefined) this.#open.set(event.session, gone);
      const earlier = this.#admittedOf(event.resumes).promise;
      // Whom somebody has named stays so: `again` says only that it is the same client.
      void earlier.then((by) => this.#admittedOf(event.session).resolve(by));
      this.#admitted.delete(event.resumes);
    }
    if (event.event === "error" && event.session !== undefined) {
      this.#open.get(event.session)?.abort();
      // A client that is lost may come again, and one that gives no more may still take.
      if (event.code !== "path_lost" && event.back !== true) this.#forget(event.session);
    }
  }

  /**
   * Decides about a gift.
   *
   * @throws {TransferError} `interrupted` when the client is gone before the person has answered: it
   *   is asked about once more when it comes again.
   */
  async decide(offer: OfferEvent, client: ClientReport): Promise<OfferDecision> {
    const { takesFrom, take } = this.#parts;
    const plain = { overwrite: take.overwrite, takeDotNames: take.allowDotfiles };
    if (takesFrom === "all") return { accept: true, ...plain };
    if (takesFrom === "named") {
      const by = await this.#admittedOf(client.session).promise;
      return { accept: by !== undefined && NAMED_BY.has(by), ...plain };
    }
    const gone = new AbortController();
    this.#open.set(client.session, gone);
    const turn = Promise.withResolvers<void>();
    // Whoever is gone waits for no turn.
    gone.signal.addEventListener("abort", () => turn.resolve(), { once: true });
    const endTurn = this.#turns.wait(hostOf(client.address), turn.resolve);
    try {
      await turn.promise;
      return { ...plain, ...await this.#ask(offer, client, gone.signal) };
    } finally {
      endTurn();
      for (const [session, other] of this.#open) if (other === gone) this.#open.delete(session);
    }
  }

  async #ask(
    offer: OfferEvent,
    client: ClientReport,
    gone: AbortSignal,
  ): Promise<Pick<OfferDecision, "accept" | "takeDotNames">> {
    const { terminal, take, note } = this.#parts;
    const signal = AbortSignal.any([this.#parts.signal, gone]);
    const ask = async (text: string) => {
      const answer = await askYesNo(terminal, { text, defaultAnswer: false, signal });
      if (gone.aborted) throw goneError();
      return answer;
    };
    // Whoever comes and goes asks nobody anything.
    if (gone.aborted) throw goneError();
    const who = escapeText(nameOf(client));
    const names = offer.names.map(escapeText).join(", ");
    note(cutEnd(`${who} wants to give you ${amountOf(offer)}: ${names}`, 2 * terminal.columns));
    if (!await ask(`Take them from ${escapeText(client.identity?.name ?? client.address)}?`)) {
      return { accept: false };
    }
    const takeDotNames = take.allowDotfiles ||
      (offer.dotNames.length > 0 && await ask(dotNamesQuestion(offer)));
    return { accept: true, takeDotNames };
  }

  #admittedOf(session: number): PromiseWithResolvers<AdmittedBy | undefined> {
    const known = this.#admitted.get(session) ?? Promise.withResolvers<AdmittedBy | undefined>();
    this.#admitted.set(session, known);
    return known;
  }

  #forget(session: number): void {
    this.#admitted.get(session)?.resolve(undefined);
    this.#admitted.delete(session);
  }
}

/** What many clients of one person have in common; see `hostKey`. */
function hostOf(address: string): string {
  const parsed = parseSocketAddress(address);
  return parsed === undefined ? address : hostKey(parsed);
}

function goneError(): TransferError {
  return new TransferError("interrupted", "The client is gone, so nothing of it is taken", {
    hint: "It offers the same again when it comes again",
  });
}
