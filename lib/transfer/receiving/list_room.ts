/**
 * Room for the lists of all clients that offer something to one share at a time [BACK-6]: what one
 * list may hold is bounded, but there may be hundreds of clients.
 */
import { MAX_ENTRIES, MAX_MANIFEST_BYTES } from "../limits.ts";

/** What all lists of a share may hold together. */
export class ListRoom {
  #entries = 0;
  #pathBytes = 0;

  /** The part of one list. */
  share(): ListPart {
    return new ListPart((entries, pathBytes) => this.#take(entries, pathBytes));
  }

  #take(entries: number, pathBytes: number): boolean {
    const isMore = entries > 0 || pathBytes > 0;
    const isTooMuch = this.#entries + entries > MAX_ENTRIES ||
      this.#pathBytes + pathBytes > MAX_MANIFEST_BYTES;
    if (isMore && isTooMuch) return false;
    this.#entries += entries;
    this.#pathBytes += pathBytes;
    return true;
  }
}

/** What one list holds of it. */
export class ListPart {
  readonly #take: (entries: number, pathBytes: number) => boolean;
  #entries = 0;
  #pathBytes = 0;

  /** @param take Takes of the room of all, or gives back what is negative; false when it is full. */
  constructor(take: (entries: number, pathBytes: number) => boolean) {
    this.#take = take;
  }

  /** Takes room for more; false when there is none. */
  take(entries: number, pathBytes: number): boolean {
    if (!this.#take(entries, pathBytes)) return false;
    this.#entries += entries;
    this.#pathBytes += pathBytes;
    return true;
  }

  /** Gives all of it back; may be called again. */
  giveBack(): void {
    this.#take(-this.#entries, -this.#pathBytes);
    this.#entries = 0;
    this.#pathBytes = 0;
  }
}
