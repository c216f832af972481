/** What a client's disk has of files that are shared, by groups: in part files, and in their places. */
import { Buffer } from "node:buffer";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { decodeJournal } from "../../lib/transfer/receiving/journal.ts";
import { GROUP_BYTES } from "../../lib/transfer/limits.ts";
import type { CrashDisk } from "./crash_disk.ts";
import { partPathOf, placeOf } from "./crash_share.ts";
import type { DiskNode } from "./disk_node.ts";

/** Bytes of a file that its part file has and its journal names. */
export function keptBytes(disk: CrashDisk, path: string, from: Uint8Array): number {
  return bytesOf(from, groupsInPart(disk, path, from));
}

/** Bytes of a file that its part file has and its journal names, or the file that is in its place. */
export function foundBytes(disk: CrashDisk, path: string, from: Uint8Array): number {
  const inPlace = equalGroups(
    disk.peek(placeOf(path)),
    [0, Math.ceil(from.length / GROUP_BYTES)],
    from,
  );
  return bytesOf(from, new Set([...groupsInPart(disk, path, from), ...inPlace]));
}

function groupsInPart(disk: CrashDisk, path: string, from: Uint8Array): number[] {
  const partPath = partPathOf(path);
  const part = disk.peek(partPath);
  // One with a second name is in its place already.
  if (part?.names !== 1) return [];
  const bytes = disk.peek(partPath.replace(/part$/, "journal"))?.bytes;
  const journal = bytes && decodeJournal(nodeProvider, bytes);
  return equalGroups(part, journal?.groups ?? [], from);
}

/** Those of the groups in some ranges that a file has in common with what is shared. */
function equalGroups(
  node: DiskNode | undefined,
  ranges: readonly number[],
  from: Uint8Array,
): number[] {
  const groups: number[] = [];
  for (let index = 0; index < ranges.length; index += 2) {
    for (let group = ranges[index]!; group < ranges[index + 1]!; group++) {
      const [start, end] = [group * GROUP_BYTES, (group + 1) * GROUP_BYTES];
      const found = node?.bytes.subarray(start, end);
      if (found && Buffer.compare(found, from.subarray(start, end)) === 0) groups.push(group);
    }
  }
  return groups;
}

function bytesOf({ length }: Uint8Array, groups: Iterable<number>): number {
  let bytes = 0;
  for (const group of groups) bytes += Math.min(GROUP_BYTES, length - group * GROUP_BYTES);
  return bytes;
}
