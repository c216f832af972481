/**
 * The hashes of a file's verified groups, in whatever order they come, and the root they make. Those
 * in order leave nothing behind but a tree of logarithmic size; the rest waits, 32 bytes each.
 */
import { type TransferCrypto, TreeHasher } from "../hash_tree.ts";
import { HASH_BYTES } from "../limits.ts";

/** Groups whose hashes wait in one piece of memory. */
const PAGE_GROUPS = 1024;

interface Page {
  readonly hashes: Uint8Array;
  readonly isThere: Uint8Array;
}

/** Which groups of a file are verified, and with which hashes. */
export class GroupHashes {
  /** How many groups were added. */
  count = 0;
  readonly #groupCount: number;
  readonly #tree: TreeHasher;
  /** Of groups that are not in the tree yet, by the place of the page. */
  #pages: Map<number, Page> | undefined;

  /**
   * @param crypto Where SHA-256 comes from.
   * @param groupCount How many groups the file has; infinite while nobody knows.
   */
  constructor(crypto: TransferCrypto, groupCount: number) {
    this.#tree = new TreeHasher(crypto);
    this.#groupCount = groupCount;
  }

  /** Adds the hash of a group, once. */
  add(group: number, hash: Uint8Array): void {
    this.count++;
    if (group !== this.#tree.count) return this.#keep(group, hash);
    this.#tree.push(hash);
    if (this.#pages !== undefined) this.#pushWaiting(this.#pages);
  }

  /** The root over all groups, once every one was added. */
  root(): Uint8Array {
    return this.#tree.root();
  }

  #keep(group: number, hash: Uint8Array): void {
    const pages = this.#pages ??= new Map();
    const place = Math.floor(group / PAGE_GROUPS);
    let page = pages.get(place);
    if (page === undefined) {
      const count = Math.min(PAGE_GROUPS, this.#groupCount - place * PAGE_GROUPS);
      page = { hashes: new Uint8Array(count * HASH_BYTES), isThere: new Uint8Array(count) };
      pages.set(place, page);
    }
    const within = group - place * PAGE_GROUPS;
    page.hashes.set(hash, within * HASH_BYTES);
    page.isThere[within] = 1;
  }

  #pushWaiting(pages: Map<number, Page>): void {
    for (;;) {
      const group = this.#tree.count;
      const place = Math.floor(group / PAGE_GROUPS);
      const within = group - place * PAGE_GROUPS;
      if (within === 0) pages.delete(place - 1);
      const page = pages.get(place);
      if (page === undefined || page.isThere[within] !== 1) return;
      const start = within * HASH_BYTES;
      this.#tree.push(page.hashes.slice(start, start + HASH_BYTES));
    }
  }
}
