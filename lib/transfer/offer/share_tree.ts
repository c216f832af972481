/**
 * The root over a whole share: a SHA-256 tree whose leaves are the entries in manifest order, each
 * with the root of its file when that was sent and verified (docs/transfer.md, "Root of the share").
 * Both sides compute it, each from what it knows; the RECEIPT compares them [XFER-15].
 *
 * The tree grows while files are sent, as far as entries are decided without a gap: at the end of
 * tens of thousands of files the other side would wait for it.
 */
import type { ManifestEntry } from "./entry.ts";
import { MAX_CANONICAL_BYTES, writeCanonicalEntry } from "./entry.ts";
import { ShareRoots } from "./share_roots.ts";
import { hashLeaf, type TransferCrypto, TreeHasher } from "../hash_tree.ts";
import { HASH_BYTES } from "../limits.ts";
import type { SourceStorage } from "../../storage/storage.ts";

const NOT_SENT = 0;
const VERIFIED = 1;
/** Whatever is said of it later. */
const GIVEN_UP = 2;

/**
 * Most leaves that a file adds to the tree: more than one, to make up for gaps; few, because a peer
 * that asks for a file and cancels it makes the tree begin anew.
 */
const GROWTH = 4;

/** Leaves that are added without a pause: some 10 ms. A share may have a million. */
const LEAVES_PER_TURN = 4096;

// Shared by all: filled and hashed within one call.
const leaf = new Uint8Array(MAX_CANONICAL_BYTES + 1 + HASH_BYTES);

/** Which entries were verified, and with which roots. */
export class ShareTree {
  readonly #crypto: TransferCrypto;
  readonly #entries: readonly ManifestEntry[];
  /** For each entry, one of the three. */
  readonly #states: Uint8Array;
  readonly #roots: ShareRoots;
  /** Roots that are not those of {@linkcode ShareTree.#roots}. */
  readonly #ownRoots = new Map<number, Uint8Array>();
  /** How long streams were that have a root. */
  readonly #streamBytes = new Map<number, number>();
  /** Over the first entries, as many as it counts. */
  #tree: TreeHasher;

  /**
   * @param crypto Where SHA-256 comes from.
   * @param entries All entries, in manifest order.
   * @param roots Where roots are kept: the same for all clients of a share.
   */
  constructor(
    crypto: TransferCrypto,
    entries: readonly ManifestEntry[],
    roots: ShareRoots = new ShareRoots(entries.length),
  ) {
    this.#crypto = crypto;
    this.#entries = entries;
    this.#states = new Uint8Array(entries.length);
    this.#roots = roots;
    this.#tree = new TreeHasher(crypto);
  }

  /**
   * Notes the root of a file or stream, unless it was given up.
   *
   * @param streamBytes How long the stream was.
   */
  setRoot(entry: number, root: Uint8Array, streamBytes?: number): void {
    if (this.#states[entry] === GIVEN_UP) return;
    this.#states[entry] = VERIFIED;
    if (streamBytes !== undefined) this.#streamBytes.set(entry, streamBytes);
    if (this.#roots.note(entry, root)) this.#ownRoots.delete(entry);
    else this.#ownRoots.set(entry, root.slice());
    if (entry < this.#tree.count) this.#tree = new TreeHasher(this.#crypto);
    for (let grown = 0; grown < GROWTH && this.#isDecided(this.#tree.count); grown++) this.#grow();
  }

  /** Notes that a file does not count, whatever was or will be said of it [XFER-14]. */
  giveUp(entry: number): void {
    const wasVerified = this.isVerified(entry);
    this.#states[entry] = GIVEN_UP;
    if (wasVerified && entry < this.#tree.count) this.#tree = new TreeHasher(this.#crypto);
  }

  /** The root noted for a file, which there must be; a view. */
  rootOf(entry: number): Uint8Array {
    return this.#ownRoots.get(entry) ?? this.#roots.rootOf(entry);
  }

  /** Whether an entry counts: it has a root and was not given up. */
  isVerified(entry: number): boolean {
    return this.#states[entry] === VERIFIED;
  }

  /** Bytes of the files and streams that count. */
  get verifiedBytes(): number {
    let bytes = 0;
    for (let index = 0; index < this.#entries.length; index++) {
      if (this.isVerified(index)) {
        bytes += this.#streamBytes.get(index) ?? this.#entries[index]!.sizeBytes;
      }
    }
    return bytes;
  }

  /** Whether {@linkcode ShareTree.root} takes no longer than others of the program can wait. */
  get isNearlyComplete(): boolean {
    return this.#entries.length - this.#tree.count <= LEAVES_PER_TURN;
  }

  /**
   * Adds what the tree lacks for its root, in turns with everything else.
   *
   * @param storage Lets other things of the program happen.
   */
  async complete(storage: Pick<SourceStorage, "breathe">): Promise<void> {
    while (!this.isNearlyComplete) {
      for (let turn = 0; turn < LEAVES_PER_TURN; turn++) this.#grow();
      await storage.breathe?.();
    }
  }

  /** The root over the share, 32 bytes; takes a few µs for each entry that the tree lacks. */
  root(): Uint8Array {
    while (this.#tree.count < this.#entries.length) this.#grow();
    return this.#tree.root();
  }

  /** Whether the leaf of an entry will hardly change any more. */
  #isDecided(index: number): boolean {
    const kind = this.#entries[index]?.kind;
    return (this.#states[index] ?? NOT_SENT) !== NOT_SENT || kind === "directory" ||
      kind === "symlink";
  }

  #grow(): void {
    this.#tree.push(this.#leaf(this.#tree.count));
  }

  #leaf(index: number): Uint8Array {
    const isVerified = this.isVerified(index);
    let end = writeCanonicalEntry(this.#entries[index]!, leaf);
    leaf[end++] = isVerified ? VERIFIED : NOT_SENT;
    if (isVerified) {
      const root = this.rootOf(index);
      for (let at = 0; at < HASH_BYTES; at++) leaf[end++] = root[at]!;
    }
    return hashLeaf(this.#crypto, leaf.subarray(0, end));
  }
}
