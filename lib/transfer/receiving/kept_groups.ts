/**
 * What may be here of a file already: groups of a part file that an earlier run left behind, and of
 * another file on this machine. Nothing of it counts before it was hashed and compared [DISK-8].
 */
import type { BufferPool } from "../buffer_pool.ts";
import { GroupReader } from "../group_reader.ts";
import { GroupHasher, sameHash, type TransferCrypto } from "../hash_tree.ts";
import type { IncomingCheck } from "./incoming_check.ts";
import type { RequestedRange } from "./incoming_request.ts";
import { GROUP_BYTES } from "../limits.ts";
import type { ByteRange } from "../messages.ts";
import type { SourceFile } from "../../storage/storage.ts";

/** Groups: first, just past the last, first, … in ascending order, neither overlapping nor touching. */
export type GroupRanges = readonly number[];

/** Where groups are read, and which. */
export interface KeptGroups {
  readonly source: Pick<SourceFile, "read">;
  readonly groups: GroupRanges;
}

/** What became of one group. */
export interface ProvenGroup {
  readonly group: number;
  /** Valid during the call, and until its promise resolves. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Its hash, when it is the sharer's; else undefined. */
  readonly hash: Uint8Array | undefined;
}

/** How to compare. */
export interface ProofOptions {
  readonly crypto: TransferCrypto;
  /** Where buffers come from. */
  readonly pool: BufferPool;
  /** Where the sharer's hashes come in. */
  readonly check: IncomingCheck;
  /** Asked before each group; after the first no nothing more is read. */
  readonly isWanted: () => boolean;
  /** Told of each group, in order. */
  readonly onGroup: (proven: ProvenGroup) => void | Promise<void>;
}

/** The parts of a file in which no group of `groups` is. */
export function missingRanges(groups: GroupRanges, sizeBytes: number): RequestedRange[] {
  const missing: RequestedRange[] = [];
  let start = 0;
  for (let index = 0; index < groups.length; index += 2) {
    const end = groups[index]! * GROUP_BYTES;
    if (end > start) missing.push({ start, end });
    start = groups[index + 1]! * GROUP_BYTES;
  }
  if (start < sizeBytes) missing.push({ start, end: sizeBytes });
  return missing;
}

/** The groups from 0 up to, not including, `end` that are not in `groups`. */
export function otherGroups(groups: GroupRanges, end: number): GroupRanges {
  const others: number[] = [];
  for (const range of missingRanges(groups, end * GROUP_BYTES)) {
    const first = range.start / GROUP_BYTES;
    if (first < end) others.push(first, Math.min(end, range.end / GROUP_BYTES));
  }
  return others;
}

/**
 * Hashes what is here, in small steps, and compares it with what the sharer has. Reads a few groups
 * ahead, and goes no faster than the sharer's hashes come.
 */
export async function proveGroups(kept: KeptGroups, options: ProofOptions): Promise<void> {
  const { crypto, pool, check, isWanted, onGroup } = options;
  const { sizeBytes } = check.file;
  const reader = new GroupReader(kept.source, byteRanges(kept.groups, sizeBytes), {
    pool,
    isWanted,
  });
  try {
    for (let read = await reader.next(); read !== undefined; read = await reader.next()) {
      const { range, buffer, readBytes } = read;
      const group = range.offset / GROUP_BYTES;
      const bytes = buffer.subarray(0, range.length);
      const expected = isWanted() ? await check.hashOf(group) : undefined;
      if (expected === undefined) {
        pool.give(buffer);
        return;
      }
      // Fewer bytes, or none that can be read: a part file that was cut off, for instance.
      const own = readBytes === range.length ? await hashInSteps(crypto, bytes) : undefined;
      const hash = own !== undefined && sameHash(own, expected) ? own : undefined;
      if (isWanted()) await onGroup({ group, bytes, hash });
      pool.give(buffer);
    }
  } finally {
    await reader.stop();
  }
}

/** In small steps: a whole group at once would hold up the datagrams for half a millisecond. */
async function hashInSteps(crypto: TransferCrypto, bytes: Uint8Array): Promise<Uint8Array> {
  const hasher = new GroupHasher(crypto, bytes);
  while (hasher.step()) await null;
  return hasher.root();
}

function byteRanges(groups: GroupRanges, sizeBytes: number): ByteRange[] {
  const ranges: ByteRange[] = [];
  for (let index = 0; index < groups.length; index += 2) {
    const offset = groups[index]! * GROUP_BYTES;
    const end = Math.min(groups[index + 1]! * GROUP_BYTES, sizeBytes);
    ranges.push({ offset, length: end - offset });
  }
  return ranges;
}
