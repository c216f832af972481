/**
 * Reads a file back and hashes it: its plain SHA-256 and the root of its tree in one pass. The next
 * group is read while one is hashed.
 */
import type { CryptoProvider } from "../crypto/provider.ts";
import { hashGroup, TreeHasher } from "../transfer/hash_tree.ts";
import { GROUP_BYTES } from "../transfer/limits.ts";
import type { SourceFile, Storage } from "../storage/storage.ts";

/** What a file is, as far as its bytes go. */
export interface FileDigests {
  /** Bytes that were read, to the end of the file. */
  readonly sizeBytes: number;
  /** SHA-256 of them. */
  readonly sha256: Uint8Array;
  /** Root of their tree (docs/transfer.md, "Integrity"). */
  readonly root: Uint8Array;
}

/** What {@linkcode FileDigester} works with. */
export interface FileDigesterOptions {
  readonly storage: Storage;
  readonly crypto: Pick<CryptoProvider, "sha256" | "createSha256">;
  /** Told of bytes that were read. */
  readonly onBytes: (count: number) => void;
  /** Aborted when nobody wants to know any more. */
  readonly signal: AbortSignal;
}

/** Hashes files, one after another; its two buffers are used for all of them. */
export class FileDigester {
  readonly #options: FileDigesterOptions;
  #buffer = new Uint8Array(GROUP_BYTES);
  #nextBuffer = new Uint8Array(GROUP_BYTES);

  /** @param options What it works with. */
  constructor(options: FileDigesterOptions) {
    this.#options = options;
  }

  /**
   * Hashes a plain file.
   *
   * @param sizeBytes What its size seems to be; a small file is read in one call.
   * @throws {StorageError} When it cannot be read.
   * @throws When the signal is aborted: its reason.
   */
  async digest(path: string, sizeBytes: number): Promise<FileDigests> {
    const { storage, crypto, onBytes, signal } = this.#options;
    signal.throwIfAborted();
    if (sizeBytes <= GROUP_BYTES) {
      const bytes = this.#buffer.subarray(0, sizeBytes);
      const reading = storage.readWhole(path, bytes);
      const { length, after } = reading instanceof Promise ? await reading : reading;
      if (length === sizeBytes && after.sizeBytes === sizeBytes) {
        onBytes(length);
        return { sizeBytes, sha256: crypto.sha256(bytes), root: hashGroup(crypto, bytes) };
      }
    }
    const source = await storage.openSource(path);
    try {
      return await this.#digestSource(source);
    } finally {
      source.close();
    }
  }

  async #digestSource(source: SourceFile): Promise<FileDigests> {
    const { crypto, onBytes, signal } = this.#options;
    const plain = crypto.createSha256();
    const tree = new TreeHasher(crypto);
    let sizeBytes = 0;
    let reading = source.read(0, this.#buffer);
    for (;;) {
      const length = await reading;
      signal.throwIfAborted();
      const bytes = this.#buffer.subarray(0, length);
      const isLast = length < GROUP_BYTES;
      sizeBytes += length;
      if (!isLast) reading = source.read(sizeBytes, this.#nextBuffer);
      if (length > 0) {
        plain.update(bytes);
        tree.push(hashGroup(crypto, bytes));
        onBytes(length);
      }
      if (isLast) return { sizeBytes, sha256: plain.digest(), root: tree.root() };
      [this.#buffer, this.#nextBuffer] = [this.#nextBuffer, this.#buffer];
    }
  }
}
