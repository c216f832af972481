/**
 * The root over a whole share: a SHA-256 tree whose leaves are the entries in manifest order, each
 * with the root of its file when that was sent and verified (docs/transfer.md, "Root of the share").
 * Both sides compute it, each from what it knows; the RECEIPT compares them [XFER-15].
 */
import type { ManifestEntry } from "./entry.ts";
import { canonicalEntry } from "./entry.ts";
import { hashLeaf, type TransferCrypto, TreeHasher } from "./hash_tree.ts";
import { HASH_BYTES } from "./limits.ts";

const NOT_SENT = new Uint8Array([0]);
const VERIFIED = new Uint8Array([1]);

/** Which entries were verified, and with which roots. */
export class ShareTree {
  readonly #crypto: TransferCrypto;
  readonly #entries: readonly ManifestEntry[];
  readonly #isVerified: Uint8Array;
  readonly #roots: Uint8Array;

  /**
   * @param crypto Where SHA-256 comes from.
   * @param entries All entries, in manifest order.
   */
  constructor(crypto: TransferCrypto, entries: readonly ManifestEntry[]) {
    this.#crypto = crypto;
    this.#entries = entries;
    this.#isVerified = new Uint8Array(entries.length);
    this.#roots = new Uint8Array(entries.length * HASH_BYTES);
  }

  /** Notes the root of a file. */
  setRoot(entry: number, root: Uint8Array): void {
    this.#isVerified[entry] = 1;
    this.#roots.set(root, entry * HASH_BYTES);
  }

  /** Notes that a file does not count, whatever was said before. */
  clearRoot(entry: number): void {
    this.#isVerified[entry] = 0;
  }

  /** The root noted for a file; a view. */
  rootOf(entry: number): Uint8Array {
    return this.#roots.subarray(entry * HASH_BYTES, (entry + 1) * HASH_BYTES);
  }

  /** Sum of the sizes of the files that have a root. */
  get verifiedBytes(): number {
    let bytes = 0;
    for (let index = 0; index < this.#entries.length; index++) {
      if (this.#isVerified[index] === 1) bytes += this.#entries[index]!.sizeBytes;
    }
    return bytes;
  }

  /** The root over the share, 32 bytes. Takes about 5 µs for each entry. */
  root(): Uint8Array {
    const tree = new TreeHasher(this.#crypto);
    for (let index = 0; index < this.#entries.length; index++) {
      tree.push(this.#leaf(index));
    }
    return tree.root();
  }

  #leaf(index: number): Uint8Array {
    const entry = canonicalEntry(this.#entries[index]!);
    const isVerified = this.#isVerified[index] === 1;
    const rootBytes = isVerified ? HASH_BYTES : 0;
    const leaf = new Uint8Array(entry.length + 1 + rootBytes);
    leaf.set(entry);
    leaf.set(isVerified ? VERIFIED : NOT_SENT, entry.length);
    const start = index * HASH_BYTES;
    leaf.set(this.#roots.subarray(start, start + rootBytes), entry.length + 1);
    return hashLeaf(this.#crypto, leaf);
  }
}
