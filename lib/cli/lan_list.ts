/**
 * The shares of the local network as a person sees them: a number each, which no other share gets,
 * its name, and where it was heard from. Pure.
 */
import type { LanShare, LanShareEvent } from "../local_network.ts";
import { escapeText } from "../transfer/escape_text.ts";

/** More than this a list never shows: somebody plays with it. */
const MAX_LISTED = 256;

/** Said above the first. */
export const LIST_HEADING = "Shares on the local network:";

interface Listed {
  share: LanShare;
  isGone: boolean;
}

/** What a list says to a number. */
export type Numbered =
  | { readonly kind: "share"; readonly share: LanShare }
  | { readonly kind: "gone"; readonly share: LanShare }
  | { readonly kind: "none" };

/** What was found so far. */
export class LanList {
  /** At index 0 is number 1. */
  readonly #listed: Listed[] = [];

  /** Takes what happened; the lines that tell of it. */
  handle({ type, share }: LanShareEvent): string[] {
    const index = this.#listed.findIndex((listed) => listed.share.id === share.id);
    if (type === "gone") {
      const listed = this.#listed[index];
      if (listed === undefined) return [];
      listed.isGone = true;
      return [`${numbered(index)}  ${escapeText(listed.share.name)} is gone`];
    }
    const known = this.#listed[index];
    if (known !== undefined) {
      known.share = share;
      known.isGone = false;
      return [];
    }
    if (this.#listed.length >= MAX_LISTED) return [];
    this.#listed.push({ share, isGone: false });
    const line = `${numbered(this.#listed.length - 1)}  ${shareText(share)}`;
    return this.#listed.length === 1 ? [LIST_HEADING, line] : [line];
  }

  /** Those that are there now. */
  get shares(): LanShare[] {
    return this.#listed.filter(({ isGone }) => !isGone).map(({ share }) => share);
  }

  /** What a person means by a number. */
  find(number: number): Numbered {
    const listed = this.#listed[number - 1];
    if (listed === undefined) return { kind: "none" };
    return { kind: listed.isGone ? "gone" : "share", share: listed.share };
  }
}

/** A share in one line: what it calls itself proves nothing, its addresses say a little more. */
export function shareText({ name, addresses }: LanShare): string {
  return `${escapeText(name)}  (${addresses.join(", ")})`;
}

function numbered(index: number): string {
  return `${index + 1}`.padStart(3);
}
