/**
 * Reads and changes the file in which an identity and the peers are kept. A change is made to what
 * is in the file at that moment, while no other program may change it, and is there whole or not at
 * all. A file that is not understood is never replaced.
 *
 * The file itself is handed in; on a disk it is `deno_identity_file.ts`.
 */
import type { CryptoProvider, RandomSource } from "../crypto/provider.ts";
import { TransferError } from "../errors.ts";
import { EMPTY_BOOK, type IdentityBook } from "./identity_book.ts";
import {
  formatIdentityFile,
  IDENTITY_FILE_VERSION,
  type IdentityFileProblem,
  MAX_IDENTITY_FILE_BYTES,
  parseIdentityFile,
} from "./identity_file.ts";

/** A file that only its owner may read. */
export interface IdentityFile {
  /** Where it is, for messages. */
  readonly path: string;
  /**
   * All of it.
   *
   * @param maxBytes A longer one is refused.
   * @returns Undefined when there is none.
   * @throws {TransferError} `read_failed` if it cannot be read, is no plain file, is too long, or can
   * be read by others.
   */
  read(maxBytes: number): Promise<Uint8Array | undefined>;
  /**
   * Runs `work` while no other program, and no other call in this one, does the same; waits for
   * those that do. Makes the folder where there is none.
   *
   * @param work Is given what replaces the file: atomically, and so that it survives a power cut.
   * @throws {TransferError} `write_failed` or `disk_full`, or whatever `work` throws.
   */
  exclusively<Result>(
    work: (replace: (bytes: Uint8Array) => Promise<void>) => Promise<Result>,
  ): Promise<Result>;
}

/** What a change makes of a book: a new one, or none when it changes nothing; and what to tell. */
export interface BookChange<Result> {
  /** What is kept from now on; absent when nothing changes. */
  readonly book?: IdentityBook;
  /** What to tell whoever asked for the change. */
  readonly result: Result;
}

/** The identity and the peers of one person. */
export class IdentityStore {
  readonly #file: IdentityFile;

  /**
   * Reads nothing yet.
   *
   * @param file Where they are kept.
   */
  constructor(file: IdentityFile) {
    this.#file = file;
  }

  /** Where they are kept, for messages. */
  get path(): string {
    return this.#file.path;
  }

  /**
   * What is there now; an empty book when there is no file.
   *
   * @throws {TransferError} `read_failed`, also for a file that is not understood, which is named with
   * the line; `version_mismatch` for one of a later version.
   */
  async read(): Promise<IdentityBook> {
    const bytes = await this.#file.read(MAX_IDENTITY_FILE_BYTES);
    if (bytes === undefined) return EMPTY_BOOK;
    const parsed = parseIdentityFile(bytes);
    if (!parsed.ok) throw this.#problemError(parsed.problem);
    return parsed.book;
  }

  /**
   * Changes what is there.
   *
   * @param change Pure, and quick: other programs may wait.
   * @returns What the change tells.
   * @throws {TransferError} As {@linkcode read}, and `write_failed` or `disk_full`.
   */
  async update<Result>(change: (book: IdentityBook) => BookChange<Result>): Promise<Result> {
    return await this.#file.exclusively(async (replace) => {
      const { book, result } = change(await this.read());
      if (book !== undefined) await replace(new TextEncoder().encode(formatIdentityFile(book)));
      return result;
    });
  }

  /**
   * The identity of this person, made now if there is none.
   *
   * @returns The Ed25519 secret key, 32 bytes.
   */
  async ownKey(random: RandomSource): Promise<Uint8Array> {
    return await this.update((book) => {
      if (book.secretKey !== undefined) return { result: book.secretKey };
      const secretKey = new Uint8Array(32);
      random.fill(secretKey);
      return { book: { ...book, secretKey }, result: secretKey };
    });
  }

  #problemError(problem: IdentityFileProblem): TransferError {
    const name = `Cannot read ${this.path}`;
    if (problem.reason === "unknown_version") {
      return new TransferError(
        "version_mismatch",
        `${name}: it is of version ${problem.version}, this p2pft knows version ${IDENTITY_FILE_VERSION}`,
        { hint: "Update p2pft on this machine; the file was left as it is" },
      );
    }
    return new TransferError("read_failed", `${name}: line ${problem.line} ${problem.why}`, {
      hint:
        "Put the line right or remove it; the file was left as it is. docs/identities.md says how it is written",
    });
  }
}

/** The public key of a book's own identity; undefined when there is none. */
export function ownPublicKey(
  provider: CryptoProvider,
  book: IdentityBook,
): Uint8Array | undefined {
  return book.secretKey === undefined ? undefined : provider.signingKeyOf(book.secretKey);
}
