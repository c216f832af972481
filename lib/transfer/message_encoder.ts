/** The bytes of control messages, as they are sent. */
import { writeVarint } from "../bytes/varint.ts";
import { MAX_TEXT_BYTES } from "./limits.ts";
import { hasRoot, hasSentBytes, PENDING_REASONS, ROOT_STATUSES } from "./message_numbers.ts";
import type { Hello, Message } from "./messages.ts";
import { EntryPacker } from "./offer/entry.ts";

const encoder = new TextEncoder();

/**
 * Writes the body of a message at `offset`.
 *
 * @returns The index just past it.
 * @throws {RangeError} If `out` has too little room.
 */
export function encodeMessage(message: Message, out: Uint8Array, offset: number): number {
  let at = offset;
  switch (message.type) {
    case "hello":
      at = writeVarint(message.version, out, at);
      at = writeVarint(message.features, out, at);
      return writeText(message.text, out, at);
    case "verify_commit":
      return writeBytes(message.commitment, out, at);
    case "verify_nonce":
      return writeBytes(message.nonce, out, at);
    case "identity":
      return writeBytes(message.statement, out, at);
    case "pending":
      return writeVarint(PENDING_REASONS.indexOf(message.reason), out, at);
    case "bye":
      return at;
    case "decline":
      at = writeVarint(message.wireCode, out, at);
      return writeText(message.text, out, at);
    case "offer":
      at = writeVarint(message.entries, out, at);
      at = writeVarint(message.files, out, at);
      at = writeVarint(message.directories, out, at);
      at = writeVarint(message.links, out, at);
      return writeVarint(message.bytes, out, at);
    case "list":
      return writeVarint(message.first, out, at);
    case "entries": {
      const packer = new EntryPacker();
      at = writeVarint(message.first, out, at);
      for (const entry of message.entries) at = packer.write(entry, out, at);
      return at;
    }
    case "get":
      at = writeVarint(message.firstRequest, out, at);
      for (const item of message.items) {
        at = writeVarint(item.entry, out, at);
        at = writeVarint(item.ranges.length, out, at);
        for (const range of item.ranges) {
          at = writeVarint(range.offset, out, at);
          at = writeVarint(range.length, out, at);
        }
      }
      return at;
    case "check":
      at = writeVarint(message.firstRequest, out, at);
      for (const entry of message.entries) at = writeVarint(entry, out, at);
      return at;
    case "nodes":
      at = writeVarint(message.request, out, at);
      at = writeVarint(message.firstGroup, out, at);
      return writeBytes(message.hashes, out, at);
    case "root":
      at = writeVarint(message.request, out, at);
      at = writeVarint(ROOT_STATUSES.indexOf(message.status), out, at);
      if (hasRoot(message.status)) at = writeBytes(message.root, out, at);
      return hasSentBytes(message.status) ? writeVarint(message.sentBytes, out, at) : at;
    case "cancel":
      return writeVarint(message.request, out, at);
    case "receipt":
      at = writeBytes(message.root, out, at);
      at = writeVarint(message.items, out, at);
      at = writeVarint(message.bytes, out, at);
      return writeVarint(message.leftOut, out, at);
    default:
      return message satisfies never;
  }
}

/**
 * The body of a HELLO on its own: what a client puts into message 3 of the handshake.
 *
 * @throws {RangeError} If the text is longer than {@linkcode MAX_TEXT_BYTES}.
 */
export function encodeHello(hello: Hello): Uint8Array {
  const out = new Uint8Array(8 + 8 + 2 + MAX_TEXT_BYTES);
  return out.slice(0, encodeMessage({ type: "hello", ...hello }, out, 0));
}

/** @throws {RangeError} If the text is longer than {@linkcode MAX_TEXT_BYTES}. */
function writeText(text: string, out: Uint8Array, offset: number): number {
  const bytes = encoder.encode(text);
  if (bytes.length > MAX_TEXT_BYTES) {
    throw new RangeError(
      `Cannot encode a text of ${bytes.length} bytes: at most ${MAX_TEXT_BYTES}`,
    );
  }
  return writeBytes(bytes, out, writeVarint(bytes.length, out, offset));
}

function writeBytes(bytes: Uint8Array, out: Uint8Array, offset: number): number {
  if (offset + bytes.length > out.length) {
    throw new RangeError(`Cannot write ${bytes.length} bytes at ${offset} of ${out.length}`);
  }
  out.set(bytes, offset);
  return offset + bytes.length;
}
