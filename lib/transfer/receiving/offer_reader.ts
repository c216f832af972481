/** Collects what a sharer offers: the OFFER and the pages of its list [XFER-6]. */
import type { ManifestEntry } from "../offer/entry.ts";
import { MAX_ENTRIES, MAX_MANIFEST_BYTES } from "../limits.ts";
import type { Message } from "../messages.ts";
import type { Session } from "../session.ts";
import { utf8Length } from "../utf8.ts";

/** The entries of an offer, as they come in. */
export class OfferReader {
  /** The entries so far, in manifest order. */
  readonly entries: ManifestEntry[] = [];
  readonly #session: Session;
  #offer: (Message & { type: "offer" }) | undefined;
  #pathBytes = 0;

  /** @param session What ends when the sharer breaks a rule. */
  constructor(session: Session) {
    this.#session = session;
  }

  /** How many more bytes the paths may have. */
  get pathBytesLeft(): number {
    return MAX_MANIFEST_BYTES - this.#pathBytes;
  }

  /** Takes the OFFER; whether everything is there. */
  handleOffer(offer: Message & { type: "offer" }): boolean {
    const session = this.#session;
    if (offer.entries > MAX_ENTRIES) {
      session.fail("limit_exceeded", `The other side offers ${offer.entries} entries`);
    } else if (offer.files + offer.directories + offer.links !== offer.entries) {
      session.violation("OFFER does not add up");
    } else {
      this.#offer = offer;
      return this.#isComplete(offer);
    }
    return false;
  }

  /** Takes a page; whether everything is there. */
  handlePage(page: Message & { type: "entries" }): boolean {
    const { entries } = this;
    const offer = this.#offer;
    if (offer === undefined || page.first !== entries.length || page.entries.length === 0) {
      this.#session.violation("ENTRIES out of order");
      return false;
    }
    if (entries.length + page.entries.length > offer.entries) {
      this.#session.violation("more ENTRIES than offered");
      return false;
    }
    for (const entry of page.entries) {
      entries.push(entry);
      this.#pathBytes += utf8Length(entry.path) + utf8Length(entry.linkTarget ?? "");
    }
    return this.#isComplete(offer);
  }

  #isComplete(offer: Message & { type: "offer" }): boolean {
    if (this.entries.length < offer.entries) return false;
    let files = 0;
    let links = 0;
    let bytes = 0;
    for (const entry of this.entries) {
      if (entry.kind === "file" || entry.kind === "stream") files++;
      else if (entry.kind === "symlink") links++;
      bytes += entry.sizeBytes;
    }
    if (!Number.isSafeInteger(bytes)) {
      this.#session.fail("limit_exceeded", "The other side offers more than 2^53 bytes");
      return false;
    }
    if (files !== offer.files || links !== offer.links || bytes !== offer.bytes) {
      this.#session.violation("ENTRIES are not what was offered");
      return false;
    }
    return true;
  }
}
