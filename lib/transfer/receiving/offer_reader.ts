/** Collects what a sharer offers: the OFFER and the pages of its list [XFER-6]. */
import type { ManifestEntry } from "../offer/entry.ts";
import { MAX_ENTRIES, MAX_MANIFEST_BYTES } from "../limits.ts";
import { TransferError } from "../../errors.ts";
import type { Message } from "../messages.ts";
import type { Half } from "../half.ts";
import type { ListPart } from "./list_room.ts";
import { utf8Length } from "../utf8.ts";

/** The entries of an offer, as they come in. */
export class OfferReader {
  /** The entries so far, in manifest order. */
  readonly entries: ManifestEntry[] = [];
  readonly #half: Half;
  #offer: (Message & { type: "offer" }) | undefined;
  readonly #room: ListPart | undefined;
  #pathBytes = 0;

  /**
   * @param half What ends when the other side breaks a rule.
   * @param room What the list has to fit into besides its own bounds.
   */
  constructor(half: Half, room?: ListPart) {
    this.#half = half;
    this.#room = room;
  }

  /** How many more bytes the paths may have. */
  get pathBytesLeft(): number {
    return MAX_MANIFEST_BYTES - this.#pathBytes;
  }

  /** Takes the OFFER; whether everything is there. */
  handleOffer(offer: Message & { type: "offer" }): boolean {
    const half = this.#half;
    if (offer.entries > MAX_ENTRIES) {
      half.fail("limit_exceeded", `The other side offers ${offer.entries} entries`);
    } else if (offer.files + offer.directories + offer.links !== offer.entries) {
      half.violation("OFFER does not add up");
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
      this.#half.violation("ENTRIES out of order");
      return false;
    }
    if (entries.length + page.entries.length > offer.entries) {
      this.#half.violation("more ENTRIES than offered");
      return false;
    }
    let pathBytes = 0;
    for (const { path, linkTarget } of page.entries) {
      pathBytes += utf8Length(path) + utf8Length(linkTarget ?? "");
    }
    if (!this.#takeRoom(page.entries.length, pathBytes)) return false;
    this.#pathBytes += pathBytes;
    for (const entry of page.entries) entries.push(entry);
    return this.#isComplete(offer);
  }

  /** Takes room for more of the list; without it the offer is turned down [BACK-6]. */
  #takeRoom(entries: number, pathBytes: number): boolean {
    if (this.#room?.take(entries, pathBytes) ?? true) return true;
    const message = "Too much is offered by all clients together at this moment";
    this.#half.refuse(new TransferError("refused", message, { hint: "Offer it again later" }));
    return false;
  }

  /** Forgets the list: nothing of it will be taken any more. */
  forget(): void {
    this.entries.length = 0;
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
      this.#half.fail("limit_exceeded", "The other side offers more than 2^53 bytes");
      return false;
    }
    if (files !== offer.files || links !== offer.links || bytes !== offer.bytes) {
      this.#half.violation("ENTRIES are not what was offered");
      return false;
    }
    return true;
  }
}
