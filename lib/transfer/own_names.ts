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
