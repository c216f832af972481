/**
 * One CHECK on its way in: the hashes of a file's groups, for whoever has some of them here and wants
 * to know whether they are still right [XFER-17]. Hashes come in order and are kept until nobody
 * needs them; the tree over them is compared with the root.
 */
import { sameHash, type TransferCrypto, TreeHasher } from "../hash_tree.ts";
import type { IncomingFile } from "./incoming_file.ts";
import { HASH_BYTES } from "../limits.ts";

/** What was wrong with an answer. */
export type CheckProblem =
  /** It is not what a CHECK is answered with: a violation. */
  | "malformed"
  /** The hashes do not make the root. */
  | "integrity";

/** A request for hashes and what came of it. */
export class IncomingCheck {
  /** Its number. */
  readonly id: number;
  /** The file it is about. */
  readonly file: IncomingFile;
  /** Whether it was given up by this side. */
  isCancelled = false;
  readonly #tree: TreeHasher;
  /** Of the groups from the first on; grows. */
  #hashes = new Uint8Array(8 * HASH_BYTES);
  #isNeeded = true;
  #root: Uint8Array | undefined;
  #isOver = false;
  #wake = (): void => {};

  /**
   * @param id Its number.
   * @param file The file it is about.
   * @param crypto Where SHA-256 comes from.
   */
  constructor(id: number, file: IncomingFile, crypto: TransferCrypto) {
    this.id = id;
    this.file = file;
    this.#tree = new TreeHasher(crypto);
  }

  /** Takes hashes of consecutive groups. */
  handleNodes(firstGroup: number, hashes: Uint8Array): CheckProblem | undefined {
    const { count } = this.#tree;
    const { groupCount } = this.file;
    const end = count + hashes.length / HASH_BYTES;
    if (groupCount <= 1 || firstGroup !== count || end > groupCount) return "malformed";
    for (let at = 0; at < hashes.length; at += HASH_BYTES) {
      this.#tree.push(hashes.subarray(at, at + HASH_BYTES));
    }
    if (this.#isNeeded) this.#keep(hashes, count * HASH_BYTES);
    this.#wake();
  }

  /** Takes the root, after which nothing comes. */
  handleRoot(root: Uint8Array): CheckProblem | undefined {
    const { groupCount } = this.file;
    if (groupCount > 1) {
      if (this.#tree.count !== groupCount) return "malformed";
      if (!sameHash(this.#tree.root(), root)) return "integrity";
    }
    this.#root = root;
    this.end();
  }

  /** Nothing more comes. */
  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  /** The hash of a group, as soon as it is there; undefined when it will not come. One call at a time. */
  async hashOf(group: number): Promise<Uint8Array | undefined> {
    for (;;) {
      const hash = this.#hashNow(group);
      if (hash !== undefined || this.#isOver) return hash;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** The root of the file, as soon as it is there; undefined when it will not come. As `hashOf`. */
  async root(): Promise<Uint8Array | undefined> {
    while (!this.#isOver) await new Promise<void>((resolve) => this.#wake = resolve);
    return this.#root;
  }

  /** Forgets the hashes: nobody will ask for one any more. */
  forget(): void {
    this.#isNeeded = false;
    this.#hashes = new Uint8Array(0);
  }

  #hashNow(group: number): Uint8Array | undefined {
    if (this.file.groupCount <= 1) return this.#root;
    if (group >= this.#tree.count) return undefined;
    return this.#hashes.slice(group * HASH_BYTES, (group + 1) * HASH_BYTES);
  }

  #keep(hashes: Uint8Array, offset: number): void {
    const end = offset + hashes.length;
    if (end > this.#hashes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#hashes.length));
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes.set(hashes, offset);
  }
}
