/**
 * Names of the files that this program keeps beside those it puts together (docs/transfer.md,
 * "Files"): the same in every run, and nothing a peer may send [NAME-6].
 */
import { encodeHex } from "../bytes/hex.ts";
import type { TransferCrypto } from "./hash_tree.ts";
import { MAX_PATH_BYTES } from "./limits.ts";
import { writeUtf8 } from "./utf8.ts";

// Shared by all: filled and hashed within one call. A name that was changed here may be a little
// longer than the one that was sent, one component of it.
const pathBytes = new Uint8Array(2 * MAX_PATH_BYTES);

/** Digits of the hash in a name. */
const HASH_DIGITS = 16;

/** The names beside one file. */
export interface OwnNames {
  /** Of the part file. */
  readonly part: string;
  /** Of its journal. */
  readonly journal: string;
}

/**
 * The names beside a file [DISK-3].
 *
 * @param storedAs Path of the file within the share, as it is stored.
 */
export function ownNamesOf(crypto: TransferCrypto, storedAs: string): OwnNames {
  const path = pathBytes.subarray(0, writeUtf8(storedAs, pathBytes, 0));
  const stem = `.p2pft-${encodeHex(crypto.sha256(path)).slice(0, HASH_DIGITS)}`;
  return { part: `${stem}.part`, journal: `${stem}.journal` };
}

/** Which names are used by whom, where several transfers go into one folder at a time. */
export class NameClaims {
  readonly #holders = new Map<string, OwnNaming>();
  #count = 0;

  /** A number for who joins; from 1. */
  join(): number {
    return ++this.#count;
  }

  /** Whether the names beside a file are those of `naming`: they go to the first who wants them. */
  claim(storedAs: string, naming: OwnNaming): boolean {
    const holder = this.#holders.get(storedAs);
    if (holder === undefined) this.#holders.set(storedAs, naming);
    return holder === undefined || holder === naming;
  }

  /** Gives back what one holds. */
  release(naming: OwnNaming): void {
    for (const [storedAs, holder] of this.#holders) {
      if (holder === naming) this.#holders.delete(storedAs);
    }
  }
}

/**
 * The names beside the files of one transfer. Where others go into the same folder at the same time,
 * who comes second to a file uses names that no other run will look for, so neither touches what the
 * other is putting together [DISK-3].
 */
export class OwnNaming {
  readonly #crypto: TransferCrypto;
  readonly #claims: NameClaims | undefined;
  readonly #number: number;
  /** Files whose names were another's. */
  readonly #second = new Set<string>();

  /**
   * @param crypto Where SHA-256 comes from.
   * @param claims What others use; undefined when nobody else goes into the folder.
   */
  constructor(crypto: TransferCrypto, claims?: NameClaims) {
    this.#crypto = crypto;
    this.#claims = claims;
    this.#number = claims?.join() ?? 0;
  }

  /** The names beside a file: the same each time. */
  of(storedAs: string): OwnNames {
    const claims = this.#claims;
    const isFirst = claims === undefined ||
      (!this.#second.has(storedAs) && claims.claim(storedAs, this));
    if (isFirst) return ownNamesOf(this.#crypto, storedAs);
    this.#second.add(storedAs);
    // No path has a NUL in it.
    return ownNamesOf(this.#crypto, `${storedAs}\0${this.#number}`);
  }

  /** The transfer is over. */
  end(): void {
    this.#claims?.release(this);
  }
}
