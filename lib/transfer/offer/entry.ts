/**
 * An entry of a share, and its two byte forms: packed in pages of an ENTRIES message, and canonical
 * for the root of the share (docs/transfer.md, "Entries"). What a path may look like on disk is not
 * decided here but in `names.ts`.
 */
import { type ByteReader, writeVarint } from "../../bytes/varint.ts";
import {
  MAX_LINK_TARGET_BYTES,
  MAX_MTIME_MS,
  MAX_PATH_BYTES,
  MAX_SNIPPET_BYTES,
} from "../limits.ts";
import { utf8Length, writeUtf8 } from "../utf8.ts";

/** What an entry is. The place in {@linkcode KINDS} is the number on the wire. */
export type EntryKind =
  | "file"
  | "directory"
  /** A symbolic link, sent as the text it holds. */
  | "symlink"
  /** Bytes whose number is known when they end, such as the output of a program. */
  | "stream";

/** One file, folder, link or stream of a share. */
export interface ManifestEntry {
  /** What it is. */
  readonly kind: EntryKind;
  /** Path within the share: components joined with `/`; as the peer wrote it, so not safe to use. */
  readonly path: string;
  /** Size of a file; 0 for everything else. */
  readonly sizeBytes: number;
  /** Modification time in whole milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Whether the owner may execute it; true for files only. */
  readonly executable: boolean;
  /** What a link holds, 1 to 4095 bytes of UTF-8; as the peer wrote it. Links have it, nothing else. */
  readonly linkTarget?: string;
  /** True for a file of at most 65,536 bytes that is meant to be read at once rather than stored. */
  readonly isText?: true;
  /** True when the path was not valid UTF-8: it is for display only and is refused. */
  readonly isMalformedName?: true;
}

/** By number on the wire. */
const KINDS: readonly EntryKind[] = ["file", "directory", "symlink", "stream"];
const KIND_MASK = 0x03;
const EXECUTABLE = 0x04;
const TEXT = 0x08;

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lossyDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Packs entries one after another, each against the one before it; the first of a page stands alone.
 *
 * ```
 * flags (1)            bits 1-0 kind: 0 file, 1 folder, 2 link, 3 stream · bit 2 executable and
 *                      bit 3 text, files only and not both · others zero
 * shared (varint)      bytes of path that equal those of the entry before
 * length (varint)      bytes of path that follow
 * path (length)
 * size (varint)        files only
 * target               links only: length (varint) · UTF-8
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
    if (entry.kind === "symlink") at = writeTarget(entry, out, at);
    at = writeVarint(zigzag(entry.mtimeMs - this.#previousMtimeMs), out, at);
    this.#previousPath = path;
    this.#previousMtimeMs = entry.mtimeMs;
    return at;
  }
}

/** An entry while it is read: nearly all have none of what is optional, so they keep one shape. */
type Unpacked = { -readonly [Key in keyof ManifestEntry]: ManifestEntry[Key] };

/**
 * Unpacks the entries of one page.
 *
 * @param reader Placed at the first entry; read to its end.
 * @param maxPathBytes How many bytes all paths and link targets together may have.
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
    const shared = reader.varint();
    const own = reader.varint();
    if (!areFlagsValid(flags)) return undefined;
    if (!reader.ok || shared > previousLength || shared + own > MAX_PATH_BYTES) return undefined;
    path.set(reader.bytes(own), shared);
    previousLength = shared + own;
    pathBytes += previousLength;
    const kind = KINDS[flags & KIND_MASK]!;
    const sizeBytes = kind === "file" ? reader.varint() : 0;
    let linkTarget: string | undefined;
    if (kind === "symlink") {
      const target = readTarget(reader);
      if (target === undefined) return undefined;
      pathBytes += target.length;
      linkTarget = decodeStrictly(target);
      if (linkTarget === undefined) return undefined;
    }
    mtimeMs += unzigzag(reader.varint());
    if (!reader.ok || mtimeMs < -MAX_MTIME_MS || mtimeMs > MAX_MTIME_MS) return undefined;
    if (pathBytes > maxPathBytes) return "too_long";
    const isText = (flags & TEXT) !== 0;
    if (isText && sizeBytes > MAX_SNIPPET_BYTES) return undefined;
    const bytes = path.subarray(0, previousLength);
    const name = decodeStrictly(bytes);
    const entry: Unpacked = {
      kind,
      path: name ?? lossyDecoder.decode(bytes),
      sizeBytes,
      mtimeMs,
      executable: (flags & EXECUTABLE) !== 0,
    };
    if (linkTarget !== undefined) entry.linkTarget = linkTarget;
    if (isText) entry.isText = true;
    if (name === undefined) entry.isMalformedName = true;
    entries.push(entry);
  }
  return entries;
}

/** Whether no unknown bit is set, and executable and text for nothing but a file, one of them. */
function areFlagsValid(flags: number): boolean {
  return flags === EXECUTABLE || flags === TEXT || flags <= KIND_MASK;
}

/** The bytes of a link's target; undefined when it is too short or long or holds NUL. */
function readTarget(reader: ByteReader): Uint8Array | undefined {
  const target = reader.bytes(Math.min(reader.varint(), MAX_LINK_TARGET_BYTES + 1));
  const fits = target.length > 0 && target.length <= MAX_LINK_TARGET_BYTES;
  return fits && !target.includes(0) ? target : undefined;
}

/** The text of bytes; undefined when they are not valid UTF-8. */
function decodeStrictly(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    // A fatal decoder reports bytes that are not UTF-8 in no other way.
    return undefined;
  }
}

/**
 * Longest form of {@linkcode writeCanonicalEntry}: a path that was not UTF-8 grows when its wrong bytes
 * are replaced, to three times as many.
 */
export const MAX_CANONICAL_BYTES: number = 3 * MAX_PATH_BYTES + MAX_LINK_TARGET_BYTES + 1 + 3 * 8;

/**
 * Writes the bytes that stand for an entry in the root of a share: flags (1), path length (varint),
 * path, size (varint; for a link length (varint) and bytes of its target), mtime (varint, zigzag).
 *
 * @param out At least {@linkcode MAX_CANONICAL_BYTES}.
 * @returns The index just past them.
 */
export function writeCanonicalEntry(entry: ManifestEntry, out: Uint8Array): number {
  let at = writeVarint(flagsOf(entry), out, 0);
  at = writeVarint(utf8Length(entry.path), out, at);
  at = writeUtf8(entry.path, out, at);
  at = entry.kind === "symlink"
    ? writeTarget(entry, out, at)
    : writeVarint(entry.sizeBytes, out, at);
  return writeVarint(zigzag(entry.mtimeMs), out, at);
}

function writeTarget({ linkTarget = "" }: ManifestEntry, out: Uint8Array, offset: number): number {
  return writeUtf8(linkTarget, out, writeVarint(utf8Length(linkTarget), out, offset));
}

function flagsOf(entry: ManifestEntry): number {
  const kind = KINDS.indexOf(entry.kind);
  if (entry.isText) return kind | TEXT;
  return entry.executable ? kind | EXECUTABLE : kind;
}

/** Small numbers of either sign become small numbers. */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
