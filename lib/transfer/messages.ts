/**
 * The control messages of a transfer (docs/transfer.md, "Messages"): what each says, and its bytes.
 * How messages are cut out of the control stream is in `message_stream.ts`; when each may be sent,
 * in `exchange.ts` and the files it names.
 */
import { ByteReader, writeVarint } from "../bytes/varint.ts";
import { IDENTITY_STATEMENT_BYTES } from "../crypto/identity.ts";
import { decodeEntries, EntryPacker, type ManifestEntry } from "./offer/entry.ts";
import { HASH_BYTES, MAX_MANIFEST_BYTES, MAX_RANGES, MAX_TEXT_BYTES } from "./limits.ts";

/** The version of the messages this side speaks. */
export const TRANSFER_VERSION = 1;

/** A feature bit of HELLO: this side wants the words compared. */
export const FEATURE_VERIFY = 0x01;

/** A feature bit of HELLO: this side makes a statement of identity. */
export const FEATURE_IDENTITY = 0x02;

/** Who speaks and what it can do; the first message of both sides. */
export interface Hello {
  /** Version of these messages. The rest is only meaningful when it is ours. */
  readonly version: number;
  /** Feature bits; unknown ones are ignored. */
  readonly features: number;
  /** What the peer calls itself, perhaps empty; not to be trusted. */
  readonly text: string;
}

/** Part of a file. */
export interface ByteRange {
  /** First byte; a multiple of the group size. */
  readonly offset: number;
  /** Bytes; ends at a multiple of the group size or at the end of the file. */
  readonly length: number;
}

/** One request of a GET. Its number is that of the GET's first plus its place. */
export interface RequestItem {
  /** Which entry. */
  readonly entry: number;
  /** Which parts, in ascending order; none means the whole file. */
  readonly ranges: readonly ByteRange[];
}

/** How a request ended. */
export type RootStatus =
  /** The whole file was sent; its root follows. */
  | "whole"
  /** All ranges were sent. */
  | "ranges"
  /** Size or time were not those of the entry, before or after reading. */
  | "changed"
  /** It could not be read. */
  | "unreadable"
  /** The receiver gave it up. */
  | "cancelled"
  /** A CHECK: the file was hashed and not sent; its root follows. */
  | "hashed";

/** The end of a request. */
export interface Root {
  readonly type: "root";
  readonly request: number;
  readonly status: RootStatus;
  /** 32 bytes when the status is `whole` or `hashed`, else empty. */
  readonly root: Uint8Array;
  /**
   * How many bytes of the request were sent, where the receiver cannot know: of a file that was not
   * sent to its end, and of a stream. Else 0.
   */
  readonly sentBytes: number;
}

/**
 * What a client waits for: `admission`, the word of a person who is being asked; `reply`, its reply
 * code, without which this share lets nobody in.
 */
export type PendingReason = "admission" | "reply";

/** The index is the number in the message. */
const PENDING_REASONS: readonly PendingReason[] = ["admission", "reply"];

/** Every control message. */
export type Message =
  | ({ readonly type: "hello" } & Hello)
  /** Sharer: SHA-256 of its nonce. */
  | { readonly type: "verify_commit"; readonly commitment: Uint8Array }
  /** Client, then sharer: its nonce. */
  | { readonly type: "verify_nonce"; readonly nonce: Uint8Array }
  /** Sharer: the client is not let in yet. */
  | { readonly type: "pending"; readonly reason: PendingReason }
  /** Giver: what there is, in numbers. */
  | {
    readonly type: "offer";
    readonly entries: number;
    /** Files and streams. */
    readonly files: number;
    readonly directories: number;
    /** Symbolic links. */
    readonly links: number;
    /** Of all files; what a stream has is not known. */
    readonly bytes: number;
  }
  /** Taker: send the entries from this one on. */
  | { readonly type: "list"; readonly first: number }
  /** Giver: a page of entries. */
  | {
    readonly type: "entries";
    readonly first: number;
    readonly entries: readonly ManifestEntry[];
  }
  /** Taker: send files. */
  | { readonly type: "get"; readonly firstRequest: number; readonly items: readonly RequestItem[] }
  /** Taker: read and hash files, and send none of their bytes. */
  | {
    readonly type: "check";
    /** Number of the first request; those of GET and CHECK are one sequence. */
    readonly firstRequest: number;
    /** Which entry each request is for; at least one. */
    readonly entries: readonly number[];
  }
  /** Giver: hashes of consecutive groups. */
  | {
    readonly type: "nodes";
    readonly request: number;
    readonly firstGroup: number;
    /** 32 bytes for each group. */
    readonly hashes: Uint8Array;
  }
  | Root
  /** Taker: this request is given up. */
  | { readonly type: "cancel"; readonly request: number }
  /** Taker: everything is in its place. */
  | {
    readonly type: "receipt";
    /** Root over the share, 32 bytes. */
    readonly root: Uint8Array;
    /** Entries now in their place. */
    readonly items: number;
    /** File bytes verified. */
    readonly bytes: number;
    /** Files left out. */
    readonly leftOut: number;
  }
  /** Giver: the receipt is right. */
  | { readonly type: "bye" }
  /** Both: a statement of identity, as it came; see `lib/crypto/identity.ts`. */
  | { readonly type: "identity"; readonly statement: Uint8Array }
  /** Taker: nothing of this offer is taken, or no more of it. */
  | {
    readonly type: "decline";
    /** Number of the error that is why (docs/protocol.md, "Error codes"); not 0. */
    readonly wireCode: number;
    /** Why, for people, perhaps empty; at most 255 bytes. Not to be trusted. */
    readonly text: string;
  };

/** Numbers of the messages on the wire. */
const TYPE_NUMBERS = {
  hello: 0x01,
  verify_commit: 0x02,
  verify_nonce: 0x03,
  pending: 0x04,
  offer: 0x05,
  list: 0x06,
  entries: 0x07,
  get: 0x08,
  nodes: 0x09,
  root: 0x0a,
  cancel: 0x0b,
  receipt: 0x0c,
  bye: 0x0d,
  check: 0x0e,
  identity: 0x0f,
  decline: 0x10,
} as const satisfies Record<Message["type"], number>;

const TYPE_NAMES: (Message["type"] | undefined)[] = [];
for (const [name, number] of Object.entries(TYPE_NUMBERS)) {
  TYPE_NAMES[number] = name as Message["type"];
}

const ROOT_STATUSES: readonly RootStatus[] = [
  "whole",
  "ranges",
  "changed",
  "unreadable",
  "cancelled",
  "hashed",
];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The type byte of a message. */
export function messageTypeNumber(type: Message["type"]): number {
  return TYPE_NUMBERS[type];
}

/** Whether a type this version does not know may be skipped: 0x40 to 0x7f [XFER-2]. */
export function isIgnorableType(typeNumber: number): boolean {
  return typeNumber >= 0x40 && typeNumber <= 0x7f;
}

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
  const type = TYPE_NAMES[typeNumber];
  if (type === undefined) return undefined;
  const reader = new ByteReader(body);
  const message = decodeBody(type, reader, maxPathBytes);
  if (message === undefined || message === "too_long") return message;
  // A later version may add to HELLO; to nothing else without a feature bit.
  if (!reader.ok || (reader.remaining > 0 && type !== "hello")) return undefined;
  return message;
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

/** Whether a root follows a status. */
function hasRoot(status: RootStatus): boolean {
  return status === "whole" || status === "hashed";
}

/** Whether the number of bytes that were sent follows a status. */
function hasSentBytes(status: RootStatus): boolean {
  return status !== "ranges" && status !== "hashed";
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

/**
 * The body of a HELLO on its own: what a client puts into message 3 of the handshake.
 *
 * @throws {RangeError} If the text is longer than {@linkcode MAX_TEXT_BYTES}.
 */
export function encodeHello(hello: Hello): Uint8Array {
  const out = new Uint8Array(8 + 8 + 2 + MAX_TEXT_BYTES);
  return out.slice(0, encodeMessage({ type: "hello", ...hello }, out, 0));
}

/** Reads what {@linkcode encodeHello} wrote; undefined when malformed. */
export function decodeHello(body: Uint8Array): Hello | undefined {
  const message = decodeMessage(TYPE_NUMBERS.hello, body);
  if (typeof message !== "object" || message.type !== "hello") return undefined;
  return { version: message.version, features: message.features, text: message.text };
}
