/**
 * An entry of a share, and its two byte forms: packed in pages of an ENTRIES message, and canonical
 * for the root of the share (docs/transfer.md, "Entries"). What a path may look like on disk is not
 * decided here but in `names.ts`.
 */
import { type ByteReader, writeVarint } from "../bytes/varint.ts";
import { MAX_MTIME_MS, MAX_PATH_BYTES } from "./limits.ts";
import { utf8Length, writeUtf8 } from "./utf8.ts";

/** What an entry is. Symbolic links have kind 2 reserved. */
export type EntryKind = "file" | "directory";

/** One file or folder of a share. */
export interface ManifestEntry {
  /** What it is. */
  readonly kind: EntryKind;
  /** Path within the share: components joined with `/`; as the peer wrote it, so not safe to use. */
  readonly path: string;
  /** Size of a file; 0 for a folder. */
  readonly sizeBytes: number;
  /** Modification time in whole milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Whether the owner may execute it; false for a folder. */
  readonly executable: boolean;
  /** True when the path was not valid UTF-8: it is for display only and is refused. */
  readonly isMalformedName?: true;
}

const KIND_FILE = 0;
const KIND_DIRECTORY = 1;
const KIND_MASK = 0x03;
const EXECUTABLE = 0x04;

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lossyDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Packs entries one after another, each against the one before it; the first of a page stands alone.
 *
 * ```
 * flags (1)            bits 1-0 kind: 0 file, 1 folder · bit 2 executable · others zero
 * shared (varint)      bytes of path that equal those of the entry before
 * length (varint)      bytes of path that follow
 * path (length)
 * size (varint)        files only
 * mtime (varint)       milliseconds less those of the entry before (zigzag)
 * ```
 */
export class EntryPacker {
  #previousPath: Uint8Array = new Uint8Array(0);
  #previousMtimeMs = 0;

  /**
   * Writes the next entry at `offset`.
   *
   * @returns The index just past it.
   * @throws {RangeError} If `out` has too little room.
   */
  write(entry: ManifestEntry, out: Uint8Array, offset: number): number {
    const path = encoder.encode(entry.path);
    const previous = this.#previousPath;
    let shared = 0;
    while (shared < path.length && shared < previous.length && path[shared] === previous[shared]) {
      shared++;
    }
    let at = offset;
    at = writeVarint(flagsOf(entry), out, at);
    at = writeVarint(shared, out, at);
    at = writeVarint(path.length - shared, out, at);
    out.set(path.subarray(shared), at);
    at += path.length - shared;
    if (entry.kind === "file") at = writeVarint(entry.sizeBytes, out, at);
    at = writeVarint(zigzag(entry.mtimeMs - this.#previousMtimeMs), out, at);
    this.#previousPath = path;
    this.#previousMtimeMs = entry.mtimeMs;
    return at;
  }
}

/**
 * Unpacks the entries of one page.
 *
 * @param reader Placed at the first entry; read to its end.
 * @param maxPathBytes How many bytes all paths together may have.
 * @returns The entries; undefined when malformed; `"too_long"` when their paths are.
 */
export function decodeEntries(
  reader: ByteReader,
  maxPathBytes: number,
): ManifestEntry[] | "too_long" | undefined {
  const entries: ManifestEntry[] = [];
  const path = new Uint8Array(MAX_PATH_BYTES);
  let previousLength = 0;
  let mtimeMs = 0;
  let pathBytes = 0;
  while (reader.remaining > 0) {
    const flags = reader.u8();
    const kind = flags & KIND_MASK;
    const shared = reader.varint();
    const own = reader.varint();
    if (kind > KIND_DIRECTORY || flags > (KIND_MASK | EXECUTABLE)) return undefined;
    if (kind === KIND_DIRECTORY && (flags & EXECUTABLE) !== 0) return undefined;
    if (!reader.ok || shared > previousLength || shared + own > MAX_PATH_BYTES) return undefined;
    path.set(reader.bytes(own), shared);
    const sizeBytes = kind === KIND_FILE ? reader.varint() : 0;
    mtimeMs += unzigzag(reader.varint());
    if (!reader.ok || mtimeMs < -MAX_MTIME_MS || mtimeMs > MAX_MTIME_MS) return undefined;
    previousLength = shared + own;
    pathBytes += previousLength;
    if (pathBytes > maxPathBytes) return "too_long";
    const kindName = kind === KIND_FILE ? "file" : "directory";
    const executable = (flags & EXECUTABLE) !== 0;
    const bytes = path.subarray(0, previousLength);
    try {
      entries.push({
        kind: kindName,
        path: strictDecoder.decode(bytes),
        sizeBytes,
        mtimeMs,
        executable,
      });
    } catch {
      // A fatal decoder reports bytes that are not UTF-8 in no other way.
      entries.push({
        kind: kindName,
        path: lossyDecoder.decode(bytes),
        sizeBytes,
        mtimeMs,
        executable,
        isMalformedName: true,
      });
    }
  }
  return entries;
}

/**
 * Longest form of {@linkcode writeCanonicalEntry}: a path that was not UTF-8 grows when its wrong bytes
 * are replaced, to three times as many.
 */
export const MAX_CANONICAL_BYTES: number = 3 * MAX_PATH_BYTES + 1 + 3 * 8;

/**
 * Writes the bytes that stand for an entry in the root of a share: flags (1), path length (varint),
 * path, size (varint), mtime (varint, zigzag).
 *
 * @param out At least {@linkcode MAX_CANONICAL_BYTES}.
 * @returns The index just past them.
 */
export function writeCanonicalEntry(entry: ManifestEntry, out: Uint8Array): number {
  let at = writeVarint(flagsOf(entry), out, 0);
  at = writeVarint(utf8Length(entry.path), out, at);
  at = writeUtf8(entry.path, out, at);
  at = writeVarint(entry.sizeBytes, out, at);
  return writeVarint(zigzag(entry.mtimeMs), out, at);
}

function flagsOf(entry: ManifestEntry): number {
  const kind = entry.kind === "file" ? KIND_FILE : KIND_DIRECTORY;
  return entry.executable ? kind | EXECUTABLE : kind;
}

/** Small numbers of either sign become small numbers. */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
