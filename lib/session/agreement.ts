/**
 * What the receiving person has said in one run, kept for the sessions that follow when one is lost:
 * the share's code pins the key of the other side, so words that were compared and an offer that was
 * taken are those of the same share, and nobody is asked twice [AGAIN-2].
 */
import { constantTimeEqual } from "../bytes/equal.ts";
import type { OfferEvent } from "../events.ts";
import type {
  DifferingItem,
  OfferDecision,
  OverwriteChooser,
  OverwritePolicy,
} from "../options.ts";

/** What was said so far. */
export class Agreement {
  /** The client key for which words were compared, and the answer. */
  #words: { readonly key: Uint8Array; readonly answer: Promise<boolean> } | undefined;
  #decision: Promise<OfferDecision> | undefined;
  /** Stands for the offer that was decided about, once its session is lost. */
  #offerDigest: Uint8Array | undefined;

  /**
   * Whether the words are the same on both sides. Asked once for each key of the client: the other
   * side, too, knows it by that.
   */
  confirmWords(key: Uint8Array, ask: () => Promise<boolean>): Promise<boolean> {
    if (this.#words === undefined || !constantTimeEqual(this.#words.key, key)) {
      this.#words = { key: key.slice(), answer: ask() };
    }
    return this.#words.answer;
  }

  /**
   * A session is lost.
   *
   * @param digest Stands for what was offered; undefined when that had not come.
   */
  noteLost(digest: Uint8Array | undefined): void {
    this.#offerDigest = digest ?? this.#offerDigest;
  }

  /**
   * Whether this is the offer of the session that was lost; if not, what was decided about that is
   * forgotten.
   */
  recognise(digest: () => Uint8Array): boolean {
    const known = this.#offerDigest;
    if (known !== undefined && constantTimeEqual(known, digest())) return true;
    this.#decision = undefined;
    return false;
  }

  /**
   * The decision about an offer, which may still be open: it is asked for once, and once more when
   * nothing came of it.
   */
  decide(
    offer: OfferEvent,
    ask: (offer: OfferEvent) => Promise<OfferDecision>,
  ): Promise<OfferDecision> {
    if (this.#decision !== undefined) return this.#decision;
    const decision = ask(offer).then(rememberChoices);
    this.#decision = decision;
    decision.catch(() => {
      if (this.#decision === decision) this.#decision = undefined;
    });
    return decision;
  }
}

/** Decides about each item once, for as long as both that and what is here are the same. */
function rememberChoices(decision: OfferDecision): OfferDecision {
  const { overwrite } = decision;
  return typeof overwrite === "function"
    ? { ...decision, overwrite: rememberingChooser(overwrite) }
    : decision;
}

function rememberingChooser(choose: OverwriteChooser): OverwriteChooser {
  const chosen = new Map<string, OverwritePolicy | Promise<OverwritePolicy>>();
  return (item: DifferingItem) => {
    const key = JSON.stringify(item);
    const known = chosen.get(key);
    if (known !== undefined) return known;
    const policy = choose(item);
    chosen.set(key, policy);
    return policy;
  };
}
