/**
 * The roots of files that clients of one share were told: nearly always the same for all, so they are
 * kept once. Each client's own {@linkcode ShareTree} knows which of them count, and what differs.
 */
import { sameHash } from "../hash_tree.ts";
import { HASH_BYTES } from "../limits.ts";

/** A root for each entry that any client was told one of. */
export class ShareRoots {
  readonly #entries: number;
  /** Made with the first root: many shares have a client that asks for nothing. */
  #roots: Uint8Array | undefined;
  #isKnown: Uint8Array | undefined;

  /** @param entries How many entries there are. */
  constructor(entries: number) {
    this.#entries = entries;
  }

  /**
   * Notes the root of an entry, if none is known. One that is known stays: others rely on it.
   *
   * @returns Whether the one that is known now is this one.
   */
  note(entry: number, root: Uint8Array): boolean {
    this.#roots ??= new Uint8Array(this.#entries * HASH_BYTES);
    this.#isKnown ??= new Uint8Array(this.#entries);
    if (this.#isKnown[entry] === 1) return sameHash(this.rootOf(entry), root);
    this.#isKnown[entry] = 1;
    this.#roots.set(root, entry * HASH_BYTES);
    return true;
  }

  /** The root of an entry; a view. There must be one. */
  rootOf(entry: number): Uint8Array {
    return this.#roots!.subarray(entry * HASH_BYTES, (entry + 1) * HASH_BYTES);
  }
}
