/** Control messages from the bytes that came: whatever those are, nothing is thrown. */
import { ByteReader } from "../bytes/varint.ts";
import { IDENTITY_STATEMENT_BYTES } from "../crypto/identity.ts";
import { HASH_BYTES, MAX_MANIFEST_BYTES, MAX_RANGES, MAX_TEXT_BYTES } from "./limits.ts";
import {
  hasRoot,
  hasSentBytes,
  messageTypeName,
  messageTypeNumber,
  PENDING_REASONS,
  ROOT_STATUSES,
} from "./message_numbers.ts";
import {
  type ByteRange,
  type Hello,
  type Message,
  type RequestItem,
  TRANSFER_VERSION,
} from "./messages.ts";
import { decodeEntries } from "./offer/entry.ts";

const decoder = new TextDecoder();

/**
 * Reads the body of a message. Nothing of `body` is kept.
 *
 * @param typeNumber Its type byte.
 * @param maxPathBytes How many bytes the paths of a page of entries may have together.
 * @returns The message; undefined when the type is unknown or the body malformed; `"too_long"` when
 * a bound is exceeded.
 */
export function decodeMessage(
  typeNumber: number,
  body: Uint8Array,
  maxPathBytes: number = MAX_MANIFEST_BYTES,
): Message | "too_long" | undefined {
  const type = messageTypeName(typeNumber);
  if (type === undefined) return undefined;
  const reader = new ByteReader(body);
  const message = decodeBody(type, reader, maxPathBytes);
  if (message === undefined || message === "too_long") return message;
  // A later version may add to HELLO; to nothing else without a feature bit.
  if (!reader.ok || (reader.remaining > 0 && type !== "hello")) return undefined;
  return message;
}

/** Reads what {@linkcode encodeHello} wrote; undefined when malformed. */
export function decodeHello(body: Uint8Array): Hello | undefined {
  const message = decodeMessage(messageTypeNumber("hello"), body);
  if (typeof message !== "object" || message.type !== "hello") return undefined;
  return { version: message.version, features: message.features, text: message.text };
}

function decodeBody(
  type: Message["type"],
  reader: ByteReader,
  maxPathBytes: number,
): Message | "too_long" | undefined {
  switch (type) {
    case "hello":
      return decodeHelloBody(reader);
    case "verify_commit":
      return { type, commitment: reader.bytes(HASH_BYTES).slice() };
    case "verify_nonce":
      return { type, nonce: reader.bytes(HASH_BYTES).slice() };
    case "identity":
      return { type, statement: reader.bytes(IDENTITY_STATEMENT_BYTES).slice() };
    case "pending": {
      const reason = PENDING_REASONS[reader.varint()];
      return reason === undefined ? undefined : { type, reason };
    }
    case "bye":
      return { type };
    case "decline": {
      const wireCode = reader.varint();
      const text = readText(reader);
      return wireCode === 0 || text === undefined ? undefined : { type, wireCode, text };
    }
    case "offer":
      return {
        type,
        entries: reader.varint(),
        files: reader.varint(),
        directories: reader.varint(),
        links: reader.varint(),
        bytes: reader.varint(),
      };
    case "list":
      return { type, first: reader.varint() };
    case "entries": {
      const first = reader.varint();
      const entries = decodeEntries(reader, maxPathBytes);
      if (entries === undefined || entries === "too_long") return entries;
      return { type, first, entries };
    }
    case "get":
      return decodeGet(reader);
    case "check":
      return decodeCheck(reader);
    case "nodes": {
      const request = reader.varint();
      const firstGroup = reader.varint();
      const hashes = reader.bytes(reader.remaining).slice();
      if (hashes.length === 0 || hashes.length % HASH_BYTES !== 0) return undefined;
      return { type, request, firstGroup, hashes };
    }
    case "root":
      return decodeRoot(reader);
    case "cancel":
      return { type, request: reader.varint() };
    case "receipt":
      return {
        type,
        root: reader.bytes(HASH_BYTES).slice(),
        items: reader.varint(),
        bytes: reader.varint(),
        leftOut: reader.varint(),
      };
    default:
      return type satisfies never;
  }
}

function decodeHelloBody(reader: ByteReader): Message | undefined {
  const version = reader.varint();
  if (version !== TRANSFER_VERSION) {
    // Another version may write anything behind its number.
    reader.bytes(reader.remaining);
    return { type: "hello", version, features: 0, text: "" };
  }
  const features = reader.varint();
  const text = readText(reader);
  return text === undefined ? undefined : { type: "hello", version, features, text };
}

function decodeGet(reader: ByteReader): Message | "too_long" | undefined {
  const firstRequest = reader.varint();
  const items: RequestItem[] = [];
  let rangesLeft = MAX_RANGES;
  while (reader.remaining > 0) {
    const entry = reader.varint();
    const count = reader.varint();
    rangesLeft -= count;
    if (rangesLeft < 0) return "too_long";
    const ranges: ByteRange[] = [];
    for (let index = 0; index < count && reader.ok; index++) {
      ranges.push({ offset: reader.varint(), length: reader.varint() });
    }
    items.push({ entry, ranges });
  }
  return items.length === 0 ? undefined : { type: "get", firstRequest, items };
}

function decodeCheck(reader: ByteReader): Message | undefined {
  const firstRequest = reader.varint();
  const entries: number[] = [];
  while (reader.remaining > 0) entries.push(reader.varint());
  return entries.length === 0 ? undefined : { type: "check", firstRequest, entries };
}

function decodeRoot(reader: ByteReader): Message | undefined {
  const request = reader.varint();
  const status = ROOT_STATUSES[reader.u8()];
  if (status === undefined) return undefined;
  const root = reader.bytes(hasRoot(status) ? HASH_BYTES : 0).slice();
  const sentBytes = hasSentBytes(status) ? reader.varint() : 0;
  return { type: "root", request, status, root, sentBytes };
}

function readText(reader: ByteReader): string | undefined {
  const length = reader.varint();
  return length > MAX_TEXT_BYTES ? undefined : decoder.decode(reader.bytes(length));
}
