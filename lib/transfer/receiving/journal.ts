/**
 * What is known to be on the disk of a part file (docs/transfer.md, "Files"). The journal only says
 * where to look: what it names is hashed again before it counts, so an old or foreign one costs time
 * and never bytes [DISK-7].
 *
 * ```
 * magic (8)            "p2pft-j1"
 * size (varint)        bytes of the file that was offered
 * ranges, each         groups left out since the end of the one before (varint, 0 for the first
 *                      only) · groups in it (varint, at least 1)
 * check (32)           SHA-256 of all before
 * ```
 */
import { ByteReader, writeVarint } from "../../bytes/varint.ts";
import { sameHash, type TransferCrypto } from "../hash_tree.ts";
import { GROUP_BYTES, HASH_BYTES, MAX_JOURNAL_BYTES, MAX_JOURNAL_RANGES } from "../limits.ts";

/** What a journal says. */
export interface Journal {
  /** Bytes of the file that was offered. */
  readonly sizeBytes: number;
  /**
   * Groups that were synced: first, just past the last, first, … in ascending order. Ranges neither
   * overlap nor touch, and lie within the size.
   */
  readonly groups: readonly number[];
}

const MAGIC = new TextEncoder().encode("p2pft-j1");

/**
 * The bytes of a journal.
 *
 * @returns At most {@linkcode MAX_JOURNAL_BYTES}: of more than {@linkcode MAX_JOURNAL_RANGES} ranges
 * the first are taken.
 */
export function encodeJournal(crypto: TransferCrypto, { sizeBytes, groups }: Journal): Uint8Array {
  const out = new Uint8Array(MAX_JOURNAL_BYTES);
  out.set(MAGIC);
  let at = writeVarint(sizeBytes, out, MAGIC.length);
  let previousEnd = 0;
  const count = Math.min(groups.length, 2 * MAX_JOURNAL_RANGES);
  for (let index = 0; index < count; index += 2) {
    const first = groups[index]!;
    const end = groups[index + 1]!;
    at = writeVarint(first - previousEnd, out, at);
    at = writeVarint(end - first, out, at);
    previousEnd = end;
  }
  out.set(crypto.sha256(out.subarray(0, at)), at);
  return out.slice(0, at + HASH_BYTES);
}

/**
 * Reads what {@linkcode encodeJournal} wrote.
 *
 * @returns Undefined for anything else: torn, damaged, or by another program.
 */
export function decodeJournal(crypto: TransferCrypto, bytes: Uint8Array): Journal | undefined {
  const end = bytes.length - HASH_BYTES;
  if (end < MAGIC.length || bytes.length > MAX_JOURNAL_BYTES) return undefined;
  const body = bytes.subarray(0, end);
  if (!sameHash(body.subarray(0, MAGIC.length), MAGIC)) return undefined;
  if (!sameHash(crypto.sha256(body), bytes.subarray(end))) return undefined;
  const reader = new ByteReader(body);
  reader.bytes(MAGIC.length);
  const sizeBytes = reader.varint();
  const groupCount = Math.ceil(sizeBytes / GROUP_BYTES);
  const groups: number[] = [];
  let previousEnd = 0;
  while (reader.remaining > 0) {
    const gap = reader.varint();
    const count = reader.varint();
    const rangeEnd = previousEnd + gap + count;
    if (!reader.ok || count === 0 || rangeEnd > groupCount) return undefined;
    if (gap === 0 && groups.length > 0) return undefined;
    groups.push(previousEnd + gap, rangeEnd);
    previousEnd = rangeEnd;
  }
  if (!reader.ok || groups.length > 2 * MAX_JOURNAL_RANGES) return undefined;
  return { sizeBytes, groups };
}
