/** The question about names that begin with a dot, such as `.bashrc`. */
import type { OfferEvent } from "../events.ts";
import { escapeText } from "../transfer/escape_text.ts";
import { formatCount } from "./format.ts";
import { cutEnd } from "./text_width.ts";

/** Columns of the names in the question; the offer above lists them all. */
const DOT_NAMES_COLUMNS = 24;

/** The question for an offer that has some. */
export function dotNamesQuestion(offer: OfferEvent): string {
  const names = cutEnd(offer.dotNames.map(escapeText).join(", "), DOT_NAMES_COLUMNS);
  return `Take ${formatCount(offer.dotNames.length, "dot-name")} too (${names})?`;
}
