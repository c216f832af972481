/** The answer to LIST: the entries of a share, page by page (docs/transfer.md, "Messages"). */
import type { ManifestEntry } from "./entry.ts";
import { ENTRIES_PAGE_BYTES } from "../limits.ts";
import type { Half } from "../half.ts";

/** Pages of a list on their way out; one list at a time. */
export class EntryPages {
  readonly #half: Half;
  readonly #entries: readonly ManifestEntry[];
  /** The next entry to list; undefined when no list is wanted. */
  #next: number | undefined;

  /**
   * @param half Where pages go.
   * @param entries All entries, in manifest order.
   */
  constructor(half: Half, entries: readonly ManifestEntry[]) {
    this.#half = half;
    this.#entries = entries;
  }

  /** Whether a page is wanted. */
  get isWanted(): boolean {
    return this.#next !== undefined;
  }

  /**
   * Takes a LIST. It is looked at when it is answered: to refuse it sooner would tell a client that
   * is not let in how many entries there are [XFER-4].
   */
  handleList(first: number): void {
    if (this.isWanted) return this.#half.violation("LIST while another is answered");
    this.#next = first;
  }

  /** Sends the next page of the list that is wanted. */
  sendPage(): void {
    const entries = this.#entries;
    const first = this.#next!;
    if (first > entries.length) return this.#half.violation("LIST beyond the end");
    const page: ManifestEntry[] = [];
    let next = first;
    for (let bytes = 0; next < entries.length && bytes < ENTRIES_PAGE_BYTES; next++) {
      const entry = entries[next]!;
      page.push(entry);
      // An upper bound: no character needs more than three bytes for each unit of UTF-16.
      bytes += 3 * (entry.path.length + (entry.linkTarget?.length ?? 0)) + 32;
    }
    this.#next = next < entries.length ? next : undefined;
    if (page.length > 0) this.#half.send({ type: "entries", first, entries: page });
  }
}
