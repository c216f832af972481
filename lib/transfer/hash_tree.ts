/**
 * The Merkle tree over a file: SHA-256, shaped as in RFC 9162 (and RFC 6962), over chunks of
 * 64 KiB. Sixteen leaves make a complete subtree of 1 MiB, the group; so the tree over the group
 * hashes has the same root as the tree over the leaves, and a group can be checked as soon as it is
 * there. See docs/transfer.md, "Integrity".
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9162#section-2.1.1 | RFC 9162, section 2.1.1}
 */
import type { CryptoProvider } from "../crypto/provider.ts";
import { CHUNK_BYTES } from "./limits.ts";

/** What transfers need of a cryptographic provider. */
export type TransferCrypto = Pick<CryptoProvider, "sha256">;

// A leaf can never be taken for a node: the first byte hashed differs.
const LEAF_PREFIX = new Uint8Array([0x00]);
const NODE_PREFIX = new Uint8Array([0x01]);
const NOTHING = new Uint8Array(0);

/** The hash of a leaf. */
export function hashLeaf(crypto: TransferCrypto, bytes: Uint8Array): Uint8Array {
  return crypto.sha256(LEAF_PREFIX, bytes);
}

/**
 * A tree that grows at its right end, in memory logarithmic in its size: one hash per complete
 * subtree of the left, as the ones of a binary counter.
 */
export class TreeHasher {
  readonly #crypto: TransferCrypto;
  readonly #peaks: Uint8Array[] = [];
  #count = 0;

  /**
   * @param crypto Where SHA-256 comes from.
   */
  constructor(crypto: TransferCrypto) {
    this.#crypto = crypto;
  }

  /** How many hashes were pushed. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds the next leaf hash, or the hash of the next complete subtree when all pushed are of one
   * size (the last may be smaller).
   */
  push(hash: Uint8Array): void {
    let node = hash;
    // A set low bit means that the last peak is as large as the node: they become one.
    for (let bit = this.#count; bit % 2 === 1; bit = (bit - 1) / 2) {
      node = this.#crypto.sha256(NODE_PREFIX, this.#peaks.pop()!, node);
    }
    this.#peaks.push(node);
    this.#count++;
  }

  /** The root over everything pushed so far; more may be pushed afterwards. */
  root(): Uint8Array {
    const peaks = this.#peaks;
    if (peaks.length === 0) return this.#crypto.sha256(NOTHING);
    let node = peaks[peaks.length - 1]!;
    for (let index = peaks.length - 2; index >= 0; index--) {
      node = this.#crypto.sha256(NODE_PREFIX, peaks[index]!, node);
    }
    return node;
  }
}

/** The hash of a group in steps of a leaf, for whoever has other things to do in between. */
export class GroupHasher {
  readonly #crypto: TransferCrypto;
  readonly #bytes: Uint8Array;
  readonly #tree: TreeHasher;

  /**
   * @param crypto Where SHA-256 comes from.
   * @param bytes The group; not changed until it is hashed.
   */
  constructor(crypto: TransferCrypto, bytes: Uint8Array) {
    this.#crypto = crypto;
    this.#bytes = bytes;
    this.#tree = new TreeHasher(crypto);
  }

  /** Hashes one more leaf; whether there are more. */
  step(): boolean {
    const start = this.#tree.count * CHUNK_BYTES;
    if (start >= this.#bytes.length) return false;
    const end = start + CHUNK_BYTES;
    this.#tree.push(hashLeaf(this.#crypto, this.#bytes.subarray(start, end)));
    return end < this.#bytes.length;
  }

  /** The hash, once every leaf is hashed. */
  root(): Uint8Array {
    return this.#tree.root();
  }
}

/** The hash of a group, or the root of a file of at most one group. */
export function hashGroup(crypto: TransferCrypto, bytes: Uint8Array): Uint8Array {
  if (bytes.length <= CHUNK_BYTES) {
    return bytes.length === 0 ? crypto.sha256(NOTHING) : hashLeaf(crypto, bytes);
  }
  const hasher = new GroupHasher(crypto, bytes);
  while (hasher.step());
  return hasher.root();
}

/** Whether two hashes are the same. Nothing here is secret. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) {
    if (a[index] !== b[index]) return false;
  }
  return true;
}
