/**
 * Parsers of what an authenticated peer says: control messages, pages of entries, how messages are
 * cut from their stream, and whole sessions, in which a receiver or a sender answers.
 */
import assert from "node:assert/strict";
import { concatBytes } from "../../lib/bytes/concat.ts";
import { ByteReader, varintLength, writeVarint } from "../../lib/bytes/varint.ts";
import { type IdentityRole, signIdentity } from "../../lib/crypto/identity.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { ERRORS, TransferError } from "../../lib/errors.ts";
import type { ManifestEntry } from "../../lib/transfer/offer/entry.ts";
import { hashGroup, TreeHasher } from "../../lib/transfer/hash_tree.ts";
import { MAX_MESSAGE_BYTES } from "../../lib/transfer/limits.ts";
import type { Exchange } from "../../lib/transfer/exchange.ts";
import type { Half } from "../../lib/transfer/half.ts";
import type { TakingOptions } from "../../lib/transfer/receiving/receiver.ts";
import type { GivingOptions } from "../../lib/transfer/sending/sender.ts";
import { buildManifest } from "../../lib/transfer/offer/manifest.ts";
import { MessageReader } from "../../lib/transfer/message_stream.ts";
import { decodeMessage } from "../../lib/transfer/message_decoder.ts";
import { encodeMessage } from "../../lib/transfer/message_encoder.ts";
import { messageTypeNumber } from "../../lib/transfer/message_numbers.ts";
import { FEATURE_IDENTITY, type Message } from "../../lib/transfer/messages.ts";
import { ClientExchange } from "../../lib/transfer/client_exchange.ts";
import { SharerExchange } from "../../lib/transfer/sharer_exchange.ts";
import { FakeStorage } from "../support/fake_storage.ts";
import { type MemoryChannel, MemoryLink } from "../support/memory_channel.ts";
import { Prng } from "../support/prng.ts";
import { clientHello, reportEnd } from "../support/transfer_pair.ts";
import type { FuzzTarget } from "./_engine.ts";
import type { Pieces } from "./_mutator.ts";

const GROUP = 1_048_576;
const HASH = new Uint8Array(32).fill(0xab);

/** A right statement of identity, of the session of these tests. */
function statementOf(role: IdentityRole): Uint8Array {
  return signIdentity(nodeProvider, HASH, { role, handshakeHash: HASH });
}

function entry(details: Partial<ManifestEntry> & { readonly path: string }): ManifestEntry {
  return { kind: "file", sizeBytes: 0, mtimeMs: 1000, executable: false, ...details };
}

const ENTRIES: readonly ManifestEntry[] = [
  entry({ kind: "directory", path: "folder" }),
  entry({ path: "folder/large", sizeBytes: GROUP + 10, executable: true }),
  entry({ path: "folder/small", sizeBytes: 5 }),
  entry({ path: "folder/übergroß 名前", mtimeMs: -5 }),
];

/** One of every kind that is no plain file. */
const OTHER_ENTRIES: readonly ManifestEntry[] = [
  entry({ kind: "directory", path: "a" }),
  entry({ kind: "symlink", path: "a/link", linkTarget: "../a/b" }),
  entry({ kind: "stream", path: "a/stdin" }),
  entry({ path: "a/note", sizeBytes: 12, isText: true }),
];

const HELLO: Message = { type: "hello", version: 1, features: 0, text: "a name" };
const ALL = { ranges: [] };

/** One message of every kind and of every status. */
const MESSAGES: readonly Message[] = [
  HELLO,
  { type: "verify_commit", commitment: HASH },
  { type: "verify_nonce", nonce: HASH },
  { type: "pending", reason: "reply" },
  { type: "list", first: 0 },
  { type: "entries", first: 0, entries: ENTRIES },
  { type: "entries", first: 0, entries: OTHER_ENTRIES },
  { type: "get", firstRequest: 0, items: [{ entry: 1, ...ALL }, { entry: 2, ...ALL }] },
  {
    type: "get",
    firstRequest: 2,
    items: [{ entry: 1, ranges: [{ offset: 0, length: GROUP }, { offset: GROUP, length: 10 }] }],
  },
  { type: "nodes", request: 0, firstGroup: 0, hashes: concatBytes(HASH, HASH) },
  { type: "root", request: 0, status: "whole", root: HASH, sentBytes: 0 },
  { type: "root", request: 1, status: "ranges", root: new Uint8Array(0), sentBytes: 0 },
  { type: "root", request: 1, status: "changed", root: new Uint8Array(0), sentBytes: 3 },
  { type: "root", request: 0, status: "hashed", root: HASH, sentBytes: 0 },
  { type: "check", firstRequest: 3, entries: [1, 2] },
  { type: "cancel", request: 1 },
  { type: "receipt", root: HASH, items: 4, bytes: 9, leftOut: 1 },
  { type: "bye" },
  { type: "decline", wireCode: 8, text: "disk full" },
  { type: "identity", statement: statementOf("client") },
];

function bodyOf(message: Message): Uint8Array {
  const out = new Uint8Array(4096);
  return out.slice(0, encodeMessage(message, out, 0));
}

/** Type, length and body, as they stand in the stream. */
function framed(type: number, body: Uint8Array): Uint8Array {
  const head = new Uint8Array(1 + varintLength(body.length));
  head[0] = type;
  writeVarint(body.length, head, 1);
  return concatBytes(head, body);
}

const onWire = (message: Message): Uint8Array =>
  framed(messageTypeNumber(message.type), bodyOf(message));

/** Types above it are refused whatever follows. */
const LAST_TYPE = 0x0f;
/** Paths of a page, together: less than there may be, so that the bound is found. */
const PAGE_PATH_BYTES = 20_000;

const message: FuzzTarget = {
  name: "control message",
  seeds: MESSAGES.map((one) =>
    concatBytes(new Uint8Array([messageTypeNumber(one.type)]), bodyOf(one))
  ),
  inputs: 25_000,
  check: (input) => {
    const type = input[0] ?? 0;
    const body = input.subarray(1);
    const read = decodeMessage(type, body, PAGE_PATH_BYTES);
    if (read === undefined) return type > LAST_TYPE ? "unknown" : `type ${type} refused`;
    if (read === "too_long") return `type ${type} too long`;
    if (read.type === "entries") {
      const paths = read.entries.reduce((sum, { path }) => sum + path.length, 0);
      assert.ok(paths <= PAGE_PATH_BYTES, `${paths} characters of paths`);
      assert.ok(4 * read.entries.length <= body.length, "more entries than bytes for them");
      // Bytes that are not UTF-8 are replaced and marked: they are for display only.
      if (read.entries.some(({ isMalformedName }) => isMalformedName)) return "malformed names";
    }
    // Another version's HELLO is read no further than its number, and wrong UTF-8 is replaced.
    if (read.type === "hello") return read.version === 1 ? "hello" : "hello of another version";
    const out = new Uint8Array(8 * input.length + 100_000);
    const end = encodeMessage(read, out, 0);
    assert.deepEqual(decodeMessage(type, out.subarray(0, end)), read);
    return `${read.type}${read.type === "root" ? ` ${read.status}` : ""}`;
  },
};

/** Cuts a control stream into messages. */
const streamPieces: Pieces = {
  split: (stream) => {
    const list: Uint8Array[] = [];
    const reader = new ByteReader(stream);
    while (reader.remaining > 0) {
      const start = reader.offset;
      reader.u8();
      reader.bytes(reader.varint());
      list.push(stream.slice(start, reader.ok ? reader.offset : stream.length));
    }
    return list;
  },
  join: (list) =>
    concatBytes(...list.map((piece) => {
      const reader = new ByteReader(piece);
      const type = reader.u8();
      reader.varint();
      return framed(type, piece.subarray(reader.offset));
    })),
};

function cut(chunks: readonly Uint8Array[]): { readonly ok: boolean; readonly messages: string[] } {
  const messages: string[] = [];
  const reader = new MessageReader((type, body) => messages.push(`${type} ${body.join()}`));
  return { ok: chunks.every((chunk) => reader.push(chunk)), messages };
}

const stream: FuzzTarget = {
  name: "message stream",
  pieces: streamPieces,
  seeds: [concatBytes(...MESSAGES.map(onWire)), framed(0x45, new Uint8Array(300))],
  inputs: 4000,
  check: (input) => {
    const whole = cut([input]);
    const bytes = cut(Array.from(input, (byte) => new Uint8Array([byte])));
    // A message that is too long ends both at the same place; no more is handed on after it.
    assert.deepEqual(bytes.messages, whole.messages);
    assert.equal(bytes.ok, whole.ok);
    return `${whole.ok ? "taken" : "too long"}, ${Math.min(whole.messages.length, 20)} messages`;
  },
};

// ---- sessions ----

/** In the place of a type: a block with request, offset and length. No message has this type. */
const BLOCK = 0xff;
/** The type of BYE. */
const BYE = messageTypeNumber("bye");
/** Turns without anything that moves until a session counts as waiting for the peer. */
const IDLE_TURNS = 60;
/** Sends of one side that are more than any answer to a short script. */
const MAX_TURNS = 50_000;

function blockPiece(request: number, offset: number, length: number): Uint8Array {
  const body = new Uint8Array(24);
  let at = writeVarint(request, body, 0);
  at = writeVarint(offset, body, at);
  return framed(BLOCK, body.slice(0, writeVarint(length, body, at)));
}

/** Content of the files that scripts send: zeros. */
const ZEROS = new Uint8Array(GROUP);

/** Sends what a script says: messages as they are, and blocks of zeros. */
function playScript(channel: MemoryChannel, script: Uint8Array): void {
  for (const piece of streamPieces.split(script)) {
    const reader = new ByteReader(piece);
    const isBlock = reader.u8() === BLOCK;
    reader.varint();
    const [request, offset, length] = [reader.varint(), reader.varint(), reader.varint()];
    if (!isBlock || !reader.ok) {
      channel.sendControl(piece);
    } else if (length > 0 && length <= GROUP) {
      channel.sendBlock({ request, offset, bytes: ZEROS.subarray(0, length) });
    }
  }
}

async function settle(link: MemoryLink): Promise<void> {
  let idle = 0;
  for (let turns = 0; idle < IDLE_TURNS; turns++) {
    assert.ok(turns < MAX_TURNS, "a session that goes on and on");
    idle = link.left.isBusy || link.right.isBusy ? 0 : idle + 1;
    link.left.deliver();
    link.right.deliver();
    await null;
  }
}

/** Either side of a session. */
type AnyExchange = Pick<Exchange, "finished"> & {
  readonly forth: { readonly half: Half };
};

/** How a session ended, whose peer has nothing more to say and is gone. */
async function endOf(link: MemoryLink, { finished, forth }: AnyExchange): Promise<string> {
  await settle(link);
  const end = link.left.end ?? link.right.end;
  if (!end) link.left.vanish();
  try {
    await finished;
    await forth.half.finished;
    return "done";
  } catch (error) {
    assert.ok(error instanceof TransferError, String(error));
    // A bug has a cause; the same code in a DECLINE has none.
    if (error.code === "internal" && error.cause !== undefined) throw error.cause;
    assert.ok(Object.hasOwn(ERRORS, error.code));
    const message = error.message.replace(/take .*:/, "take it:").replace(/\d+/g, "N");
    return `${error.code}: ${message.slice(0, 80)}`;
  }
}

/** A peer that only listens. */
const SILENT_PEER = {
  handleControl: () => {},
  handleBlock: (_request: number, _offset: number, bytes: Uint8Array) => bytes.length,
  handleBlockReleased: () => {},
  handleWritable: () => {},
};

function treeOf(length: number): { readonly root: Uint8Array; readonly hashes: Uint8Array } {
  const tree = new TreeHasher(nodeProvider);
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < length; at += GROUP) {
    hashes.push(hashGroup(nodeProvider, ZEROS.subarray(0, Math.min(GROUP, length - at))));
    tree.push(hashes.at(-1)!);
  }
  return { root: tree.root(), hashes: concatBytes(...hashes) };
}

const largeTree = treeOf(GROUP + 10);
const rootOf = (request: number, root: Uint8Array): Message => ({
  type: "root",
  request,
  status: "whole",
  root,
  sentBytes: 0,
});
const offer: Message = {
  type: "offer",
  entries: 4,
  files: 3,
  directories: 1,
  links: 0,
  bytes: GROUP + 15,
};

const offered = [onWire(HELLO), onWire(offer), onWire(MESSAGES[5]!)];
const otherOffer: Message = {
  type: "offer",
  entries: 4,
  files: 2,
  directories: 1,
  links: 1,
  bytes: 12,
};

/** Plays a script to a client, which may have something to give. */
async function playToClient(input: Uint8Array, give?: () => GivingOptions): Promise<string> {
  const storage = new FakeStorage();
  storage.addFile("/outside", "mine");
  const link = new MemoryLink(1);
  const receiver = new ClientExchange({
    channel: link.right,
    storage,
    crypto: nodeProvider,
    directory: "/into",
    identity: { role: "client", handshakeHash: HASH, sign: () => statementOf("client") },
    decide: () => Promise.resolve({ accept: true, takeDotNames: true }),
    onEvent: () => {},
    give,
  });
  link.right.handler = receiver;
  link.left.handler = SILENT_PEER;
  reportEnd(link.right, receiver);
  receiver.start();
  let isSending = false;
  for (const piece of streamPieces.split(input)) {
    // What is offered is compared with what is here before blocks can have been asked for, and all
    // is written before it is time to say good-bye.
    const isLate = (piece[0] === BLOCK && !isSending) || piece[0] === BYE;
    if (isLate) await settle(link);
    isSending ||= piece[0] === BLOCK;
    playScript(link.left, piece);
  }
  const end = await endOf(link, receiver);
  assert.equal(storage.openFiles, 0, "files are still open");
  for (const path of storage.paths("/")) {
    assert.ok(path === "/outside" || path === "/into" || path.startsWith("/into/"), path);
  }
  return end;
}

const toReceiver: FuzzTarget = {
  name: "session, to the receiver",
  pieces: streamPieces,
  inputs: 1200,
  seeds: [
    [
      ...offered,
      blockPiece(0, 0, GROUP),
      blockPiece(0, GROUP, 10),
      onWire({ type: "nodes", request: 0, firstGroup: 0, hashes: largeTree.hashes }),
      onWire(rootOf(0, largeTree.root)),
      blockPiece(1, 0, 5),
      onWire(rootOf(1, treeOf(5).root)),
      onWire(rootOf(2, treeOf(0).root)),
      onWire({ type: "bye" }),
    ],
    [...offered, blockPiece(1, 0, 5), onWire(rootOf(1, HASH)), onWire(MESSAGES[12]!)],
    [
      ...[onWire(HELLO), onWire(otherOffer), onWire(MESSAGES[6]!)],
      blockPiece(0, 0, 100),
      onWire(rootOf(0, treeOf(100).root)),
      blockPiece(1, 0, 12),
      onWire(rootOf(1, treeOf(12).root)),
      onWire({ type: "bye" }),
    ],
    [onWire(HELLO), onWire(MESSAGES[3]!), onWire(offer), onWire(MESSAGES[5]!)],
    [
      onWire({ ...HELLO, features: FEATURE_IDENTITY }),
      onWire({ type: "identity", statement: statementOf("sharer") }),
      onWire(offer),
    ],
    [onWire(HELLO), ...MESSAGES.map(onWire)],
  ].map((pieces) => concatBytes(...pieces)),
  check: (input) => playToClient(input),
};

const sharedFiles = new FakeStorage();
sharedFiles.addFile("/share/large", ZEROS.subarray(0, GROUP));
sharedFiles.addFile("/share/more", new Prng(3).bytes(GROUP + 10));
sharedFiles.addFile("/share/small", "small");
sharedFiles.addFile("/secret", "secret");
const manifest = await buildManifest(sharedFiles, ["/share"], { onWarning: () => {} });

/** Plays a script to a sharer, which may take what is offered. */
async function playToSharer(input: Uint8Array, take?: TakingOptions): Promise<string> {
  const link = new MemoryLink(1);
  const sender = new SharerExchange({
    channel: link.left,
    storage: sharedFiles,
    crypto: nodeProvider,
    manifest,
    identity: { role: "sharer", handshakeHash: HASH, sign: () => statementOf("sharer") },
    clientHello: clientHello(),
    onEvent: () => {},
    take,
  });
  link.left.handler = sender;
  link.right.handler = SILENT_PEER;
  reportEnd(link.left, sender);
  sender.start();
  let isSending = false;
  for (const piece of streamPieces.split(input)) {
    // As to a client: nothing was asked for before what is offered was compared with what is here.
    const isLate = (piece[0] === BLOCK && !isSending) || piece[0] === BYE;
    if (isLate && take !== undefined) await settle(link);
    isSending ||= piece[0] === BLOCK;
    playScript(link.right, piece);
  }
  const end = await endOf(link, sender);
  assert.equal(sharedFiles.openFiles, 0, "files are still open");
  assert.ok(link.left.controlBytes <= input.length * 64 + 8 * MAX_MESSAGE_BYTES);
  return end;
}

const toSender: FuzzTarget = {
  name: "session, to the sender",
  pieces: streamPieces,
  inputs: 1200,
  seeds: [
    [
      onWire({ type: "list", first: 0 }),
      onWire({
        type: "get",
        firstRequest: 0,
        items: [
          { entry: 3, ...ALL },
          { entry: 2, ranges: [{ offset: 0, length: GROUP }, { offset: GROUP, length: 10 }] },
        ],
      }),
      onWire({ type: "cancel", request: 1 }),
      onWire({ type: "get", firstRequest: 2, items: [{ entry: 1, ...ALL }] }),
      onWire({ type: "check", firstRequest: 3, entries: [1, 2] }),
      onWire({ type: "receipt", root: HASH, items: 1, bytes: 5, leftOut: 0 }),
    ],
    [onWire({ type: "list", first: 2 }), onWire({ type: "list", first: 9 })],
    MESSAGES.map(onWire),
  ].map((pieces) => concatBytes(...pieces)),
  check: (input) => playToSharer(input),
};

const decline: Message = { type: "decline", wireCode: ERRORS.disk_full.wire, text: "disk full" };

/** What a client hears that both takes and gives; its requests are answered, and it is asked. */
const toClientOfBoth: FuzzTarget = {
  name: "session of both ways, to the client",
  pieces: streamPieces,
  inputs: 600,
  seeds: [
    [
      ...offered,
      onWire({ type: "list", first: 0 }),
      onWire({ type: "get", firstRequest: 0, items: [{ entry: 1, ...ALL }, { entry: 3, ...ALL }] }),
      blockPiece(1, 0, 5),
      onWire(rootOf(1, treeOf(5).root)),
      onWire({ type: "check", firstRequest: 2, entries: [2] }),
      onWire({ type: "cancel", request: 1 }),
      onWire({ type: "receipt", root: HASH, items: 1, bytes: 5, leftOut: 0 }),
    ],
    [...offered, onWire(decline), onWire(decline)],
  ].map((pieces) => concatBytes(...pieces)),
  check: (input) =>
    playToClient(input, () => ({ storage: sharedFiles, manifest, onEvent: () => {} })),
};

/** What a sharer hears that both gives and takes. */
const toSharerOfBoth: FuzzTarget = {
  name: "session of both ways, to the sharer",
  pieces: streamPieces,
  inputs: 600,
  seeds: [
    [
      onWire({ type: "list", first: 0 }),
      onWire(offer),
      onWire(MESSAGES[5]!),
      blockPiece(0, 0, GROUP),
      blockPiece(0, GROUP, 10),
      onWire({ type: "nodes", request: 0, firstGroup: 0, hashes: largeTree.hashes }),
      onWire(rootOf(0, largeTree.root)),
      onWire({ type: "get", firstRequest: 0, items: [{ entry: 3, ...ALL }] }),
      onWire(rootOf(1, treeOf(5).root)),
      onWire(decline),
      onWire({ type: "bye" }),
    ],
    [onWire(otherOffer), onWire(MESSAGES[6]!), blockPiece(0, 0, 100), onWire(decline)],
    [onWire(offer), onWire(offer)],
  ].map((pieces) => concatBytes(...pieces)),
  check: async (input) => {
    const storage = new FakeStorage();
    storage.addFile("/outside", "mine");
    const end = await playToSharer(input, {
      storage,
      directory: "/taken",
      decide: () => Promise.resolve({ accept: true, takeDotNames: true }),
      onEvent: () => {},
    });
    assert.equal(storage.openFiles, 0, "files are still open");
    for (const path of storage.paths("/")) {
      assert.ok(path === "/outside" || path === "/taken" || path.startsWith("/taken/"), path);
    }
    return end;
  },
};

/** Everything that comes from whoever was let in. */
export const TRANSFER_TARGETS: readonly FuzzTarget[] = [
  message,
  stream,
  toReceiver,
  toSender,
  toClientOfBoth,
  toSharerOfBoth,
];
