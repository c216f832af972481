/** What stands for an offer, to know it by when it comes again [AGAIN-2]; said to nobody. */
import type { TransferCrypto } from "../hash_tree.ts";
import { HASH_BYTES } from "../limits.ts";
import { type ManifestEntry, MAX_CANONICAL_BYTES, writeCanonicalEntry } from "../offer/entry.ts";

/** Bytes hashed at a time: a hash for each of a million entries would take seconds. */
const CHUNK_BYTES = 65_536;

/**
 * A hash over all entries as they stand in the root of a share, 32 bytes.
 *
 * @param entries All of the list, in manifest order.
 */
export function offerDigestOf(
  crypto: TransferCrypto,
  entries: readonly ManifestEntry[],
): Uint8Array {
  const entryBytes = new Uint8Array(MAX_CANONICAL_BYTES);
  // Each hash is over the one before and the entries that follow; none of these is the beginning of
  // another one.
  const chunk = new Uint8Array(HASH_BYTES + CHUNK_BYTES + MAX_CANONICAL_BYTES);
  let end = HASH_BYTES;
  const fold = () => {
    chunk.set(crypto.sha256(chunk.subarray(0, end)));
    end = HASH_BYTES;
  };
  for (const entry of entries) {
    const length = writeCanonicalEntry(entry, entryBytes);
    chunk.set(entryBytes.subarray(0, length), end);
    end += length;
    if (end >= HASH_BYTES + CHUNK_BYTES) fold();
  }
  fold();
  return chunk.slice(0, HASH_BYTES);
}
