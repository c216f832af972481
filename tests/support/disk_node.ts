/**
 * A file, folder or link on a disk with a volatile cache: what it is now, what of it is lasting, and
 * what a power cut leaves of the rest.
 */
import type { Prng } from "./prng.ts";

/** What is left after a power cut: as little as may be, all of it, or what chance leaves. */
export type Survival = "least" | "all" | Prng;

/** A write or a change of size that may be lost. */
export interface PendingChange {
  readonly offset: number;
  /** Undefined: the file ends at `offset`. */
  readonly bytes: Uint8Array | undefined;
}

/** A file, folder or link on the disk; it may have several names. */
export interface DiskNode {
  readonly kind: "file" | "directory" | "symlink";
  readonly executable: boolean;
  /** What a symbolic link points to. */
  readonly linkText: string;
  bytes: Uint8Array;
  mtimeMs: number;
  /** How many names it has. */
  names: number;
  /** What is on the disk for sure. */
  lastingBytes: Uint8Array;
  lastingMtimeMs: number;
  pending: PendingChange[];
  /** Number of the name operation that made it; −1 when it was there before. */
  readonly madeBy: number;
}

/** Where times of what is made come from: it must not look like any time of a test. */
export const NOW_MS = 1_600_000_000_000;
/** What a disk writes at once. */
const SECTOR_BYTES = 512;
const NO_BYTES = new Uint8Array(0);

/** Something new on the disk; `madeBy` is the number of the name operation that makes it. */
export function newNode(
  kind: DiskNode["kind"],
  madeBy: number,
  executable = false,
  linkText = "",
): DiskNode {
  return {
    kind,
    executable,
    linkText,
    bytes: NO_BYTES,
    mtimeMs: NOW_MS,
    names: 0,
    lastingBytes: NO_BYTES,
    lastingMtimeMs: NOW_MS,
    pending: [],
    madeBy,
  };
}

/** What is left of a file, folder or link. */
export function survivorOf(node: DiskNode, survival: Survival): DiskNode {
  const { bytes, mtimeMs } = contentOf(node, survival);
  const { kind, executable, linkText } = node;
  return {
    ...newNode(kind, -1, executable, linkText),
    bytes,
    mtimeMs,
    lastingBytes: bytes,
    lastingMtimeMs: mtimeMs,
  };
}

function contentOf(node: DiskNode, survival: Survival): Pick<DiskNode, "bytes" | "mtimeMs"> {
  if (survival === "least") return { bytes: node.lastingBytes, mtimeMs: node.lastingMtimeMs };
  if (survival === "all") return { bytes: node.bytes, mtimeMs: node.mtimeMs };
  let bytes = node.lastingBytes;
  for (const [index, change] of node.pending.entries()) {
    const isLast = index === node.pending.length - 1;
    if (isLast && change.bytes !== undefined && survival.chance(0.4)) {
      bytes = applyChange(bytes, torn(change.offset, change.bytes, survival));
    } else if (survival.chance(0.5)) {
      bytes = applyChange(bytes, change);
    }
  }
  if (survival.chance(0.5)) {
    bytes = applyChange(bytes, { offset: node.bytes.length, bytes: undefined });
  }
  return { bytes, mtimeMs: survival.chance(0.5) ? node.mtimeMs : node.lastingMtimeMs };
}

/** The part of a write before or behind some sector. */
function torn(offset: number, bytes: Uint8Array, prng: Prng): PendingChange {
  const cut = SECTOR_BYTES * prng.integer(0, Math.floor(bytes.length / SECTOR_BYTES));
  return prng.chance(0.5)
    ? { offset, bytes: bytes.subarray(0, cut) }
    : { offset: offset + cut, bytes: bytes.subarray(cut) };
}

/** What becomes of bytes; what was is not touched, for it may be lasting. */
export function applyChange(old: Uint8Array, { offset, bytes }: PendingChange): Uint8Array {
  const end = bytes === undefined ? offset : Math.max(old.length, offset + bytes.length);
  const changed = new Uint8Array(end);
  changed.set(old.subarray(0, end));
  if (bytes !== undefined) changed.set(bytes, offset);
  return changed;
}
