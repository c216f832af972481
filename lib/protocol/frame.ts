/**
 * Frames: what a packet carries inside its encryption (docs/protocol.md, "Frames"). Encoders write
 * into the packet under construction; decoding is a loop in `connection.ts` over a
 * {@linkcode ByteReader}, because a frame never outlives its packet and is not worth an object.
 *
 * ```
 * type  name              body (v = varint)
 * 0x00  PADDING           none
 * 0x01  PING              none
 * 0x02  ACK               largest v · delay in 8 µs v · gaps v · first run v · (gap v · run v)*
 * 0x03  CONTROL           offset v · length v · bytes
 * 0x04  BLOCK             request v · offset v · length v · bytes
 * 0x05  CREDIT            block limit v · control limit v
 * 0x06  PATH_CHALLENGE    8 bytes
 * 0x07  PATH_RESPONSE     8 bytes
 * 0x09  CANDIDATES        in candidates_frame.ts
 * 0x0a  OBSERVED_ADDRESS  in candidates_frame.ts
 * 0x0b  ACK_NOW           none
 * 0x0c  CLOSE             code v · length v · UTF-8 text
 * 0x0d  LIMITED           in limited_frame.ts
 * ```
 */
import { type ByteReader, varintLength, writeVarint } from "../bytes/varint.ts";
import type { AckRanges } from "./ack_ranges.ts";
import { MAX_ACK_RANGES, MAX_CLOSE_REASON_BYTES } from "./params.ts";

/** Frame types. Number 0x08 is kept for NEW_CONNECTION_ID. */
export const Frame = {
  PADDING: 0x00,
  PING: 0x01,
  ACK: 0x02,
  CONTROL: 0x03,
  BLOCK: 0x04,
  CREDIT: 0x05,
  PATH_CHALLENGE: 0x06,
  PATH_RESPONSE: 0x07,
  CANDIDATES: 0x09,
  OBSERVED_ADDRESS: 0x0a,
  ACK_NOW: 0x0b,
  CLOSE: 0x0c,
  LIMITED: 0x0d,
} as const;

/** ACK delays travel in units of 8 µs: a varint of two bytes then reaches 131 ms. */
const ACK_DELAY_UNITS_PER_MS = 125;

/** Ranges of an ACK that may be old ones which have changed. */
const MOST_OLD_RANGES = MAX_ACK_RANGES / 2;

/** How many of the newest ranges an ACK names: all it has room for but what is news of older ones. */
function countNewest(ranges: AckRanges): number {
  let news = 0;
  for (let index = MAX_ACK_RANGES; index < ranges.count; index++) {
    if (ranges.isNews(index)) news++;
  }
  return MAX_ACK_RANGES - Math.min(news, MOST_OLD_RANGES);
}

/**
 * Writes an ACK for `ranges`, newest first, as many as fit: the newest, and of the others those that
 * have changed lately [ACK-4].
 *
 * @param ranges Not empty.
 * @param delayMs How long the newest packet has been waiting for this ACK.
 * @param out Written from `offset`, at most up to `end`.
 * @returns The index just past the frame, or `offset` when there was no room for one range.
 */
export function writeAck(
  ranges: AckRanges,
  delayMs: number,
  out: Uint8Array,
  offset: number,
  end: number,
): number {
  // Type, largest, delay, gap count and first run: never more than this.
  if (end - offset < 1 + 8 + 4 + 1 + 8) return offset;
  const delay = Math.min(Math.round(delayMs * ACK_DELAY_UNITS_PER_MS), 0x3fff_ffff);
  let at = offset;
  out[at++] = Frame.ACK;
  at = writeVarint(ranges.largest(0), out, at);
  at = writeVarint(delay, out, at);
  const countAt = at++;
  at = writeVarint(ranges.largest(0) - ranges.smallest(0), out, at);
  ranges.markTold(0);
  let above = ranges.smallest(0);
  let gaps = 0;
  const newest = countNewest(ranges);
  for (let index = 1; index < ranges.count && gaps < MAX_ACK_RANGES - 1; index++) {
    if (index >= newest && !ranges.isNews(index)) continue;
    const gap = above - ranges.largest(index) - 2;
    const run = ranges.largest(index) - ranges.smallest(index);
    if (at + varintLength(gap) + varintLength(run) > end) break;
    at = writeVarint(gap, out, at);
    at = writeVarint(run, out, at);
    ranges.markTold(index);
    above = ranges.smallest(index);
    gaps++;
  }
  out[countAt] = gaps; // below 64, so one byte
  return at;
}

/** An ACK frame as it was read: ranges newest first, in arrays that are reused. */
export class AckFrame {
  /** How many ranges are valid. */
  count = 0;
  /** How long the peer held the ACK back. */
  delayMs = 0;
  /** Largest packet number of each range. */
  readonly largest: Float64Array = new Float64Array(MAX_ACK_RANGES);
  /** Smallest packet number of each range. */
  readonly smallest: Float64Array = new Float64Array(MAX_ACK_RANGES);

  /**
   * Reads the body of an ACK frame.
   *
   * @returns False when it is malformed: short, too many ranges, or below packet number 0.
   */
  read(reader: ByteReader): boolean {
    let largest = reader.varint();
    this.delayMs = reader.varint() / ACK_DELAY_UNITS_PER_MS;
    const gaps = reader.varint();
    if (gaps >= MAX_ACK_RANGES) return false;
    let smallest = largest - reader.varint();
    if (!reader.ok || smallest < 0) return false;
    this.largest[0] = largest;
    this.smallest[0] = smallest;
    for (let index = 1; index <= gaps; index++) {
      largest = smallest - reader.varint() - 2;
      smallest = largest - reader.varint();
      if (!reader.ok || smallest < 0) return false;
      this.largest[index] = largest;
      this.smallest[index] = smallest;
    }
    this.count = gaps + 1;
    return true;
  }

  /** Takes over another frame's ranges. */
  copyFrom(other: AckFrame): void {
    this.count = other.count;
    for (let index = 0; index < other.count; index++) {
      this.largest[index] = other.largest[index]!;
      this.smallest[index] = other.smallest[index]!;
    }
  }
}

/** Bytes of a CONTROL frame's head: type, offset, length. */
export function controlHeadLength(offset: number, length: number): number {
  return 1 + varintLength(offset) + varintLength(length);
}

/** Writes the head of a CONTROL frame; the caller puts the bytes behind it. */
export function writeControlHead(
  streamOffset: number,
  length: number,
  out: Uint8Array,
  offset: number,
): number {
  out[offset] = Frame.CONTROL;
  return writeVarint(length, out, writeVarint(streamOffset, out, offset + 1));
}

/** Bytes of a BLOCK frame's head: type, request, offset, length. */
export function blockHeadLength(request: number, fileOffset: number, length: number): number {
  return 1 + varintLength(request) + varintLength(fileOffset) + varintLength(length);
}

/** Writes the head of a BLOCK frame; the caller puts the bytes behind it. */
export function writeBlockHead(
  request: number,
  fileOffset: number,
  length: number,
  out: Uint8Array,
  offset: number,
): number {
  out[offset] = Frame.BLOCK;
  const at = writeVarint(request, out, offset + 1);
  return writeVarint(length, out, writeVarint(fileOffset, out, at));
}

/** Most bytes of a CREDIT frame. */
export const MAX_CREDIT_FRAME_BYTES = 17;

/** Writes a CREDIT frame: how far the peer may send in all. */
export function writeCredit(
  limits: { readonly blockLimit: number; readonly controlLimit: number },
  out: Uint8Array,
  offset: number,
): number {
  out[offset] = Frame.CREDIT;
  return writeVarint(limits.controlLimit, out, writeVarint(limits.blockLimit, out, offset + 1));
}

const encoder = new TextEncoder();
// Text comes back as it was sent, a byte order mark at its head too.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Writes a CLOSE frame; the reason is cut to {@linkcode MAX_CLOSE_REASON_BYTES}. */
export function writeClose(code: number, reason: string, out: Uint8Array, offset: number): number {
  let text = encoder.encode(reason);
  if (text.length > MAX_CLOSE_REASON_BYTES) {
    let end = MAX_CLOSE_REASON_BYTES;
    while (end > 0 && (text[end]! & 0xc0) === 0x80) end--; // not inside a character
    text = text.subarray(0, end);
  }
  out[offset] = Frame.CLOSE;
  const at = writeVarint(text.length, out, writeVarint(code, out, offset + 1));
  out.set(text, at);
  return at + text.length;
}

/** Reads the body of a CLOSE frame; undefined when it is malformed. The reason is peer text. */
export function readClose(reader: ByteReader): { code: number; reason: string } | undefined {
  const code = reader.varint();
  const length = reader.varint();
  if (!reader.ok || length > MAX_CLOSE_REASON_BYTES) return undefined;
  const text = reader.bytes(length);
  return reader.ok ? { code, reason: decoder.decode(text) } : undefined;
}
