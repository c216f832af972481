import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteReader } from "../../../lib/bytes/varint.ts";
import {
  decodeEntries,
  EntryPacker,
  type ManifestEntry,
  MAX_CANONICAL_BYTES,
  writeCanonicalEntry,
} from "../../../lib/transfer/entry.ts";
import {
  MAX_MESSAGE_BYTES,
  MAX_MTIME_MS,
  MAX_PATH_BYTES,
  MAX_RANGES,
} from "../../../lib/transfer/limits.ts";
import { MessageOutbox, MessageReader } from "../../../lib/transfer/message_stream.ts";
import {
  decodeHello,
  decodeMessage,
  encodeHello,
  encodeMessage,
  isIgnorableType,
  type Message,
  messageTypeNumber,
  TRANSFER_VERSION,
} from "../../../lib/transfer/messages.ts";

/** A record as the code makes it: with the prototype of every object. */
function record<Shape>(model: { [Key in keyof Shape]: fc.Arbitrary<Shape[Key]> }) {
  return fc.record<Shape>(model, { noNullPrototype: true });
}

const number = fc.maxSafeNat();
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const mtime = fc.integer({ min: -MAX_MTIME_MS, max: MAX_MTIME_MS });
const path = fc.string({ unit: "binary", minLength: 1, maxLength: 40 })
  .filter((text) => text.isWellFormed());

const entry: fc.Arbitrary<ManifestEntry> = fc.oneof(
  record({
    kind: fc.constant("file" as const),
    path,
    sizeBytes: number,
    mtimeMs: mtime,
    executable: fc.boolean(),
  }),
  record({
    kind: fc.constant("directory" as const),
    path,
    sizeBytes: fc.constant(0),
    mtimeMs: mtime,
    executable: fc.constant(false),
  }),
);

const noBytes = fc.constant(new Uint8Array(0));

const message: fc.Arbitrary<Message> = fc.oneof(
  record({
    type: fc.constant("hello" as const),
    version: fc.constant(TRANSFER_VERSION),
    features: number,
    text: fc.string({ maxLength: 60 }),
  }),
  record({ type: fc.constant("verify_commit" as const), commitment: hash }),
  record({ type: fc.constant("verify_nonce" as const), nonce: hash }),
  record({
    type: fc.constant("pending" as const),
    reason: fc.constantFrom("admission" as const, "reply" as const),
  }),
  record({
    type: fc.constant("offer" as const),
    entries: number,
    files: number,
    directories: number,
    bytes: number,
  }),
  record({ type: fc.constant("list" as const), first: number }),
  record({
    type: fc.constant("entries" as const),
    first: number,
    entries: fc.array(entry, { maxLength: 20 }),
  }),
  record({
    type: fc.constant("get" as const),
    firstRequest: number,
    items: fc.array(
      record({
        entry: number,
        ranges: fc.array(record({ offset: number, length: number }), { maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 10 },
    ),
  }),
  record({
    type: fc.constant("nodes" as const),
    request: number,
    firstGroup: number,
    hashes: fc.integer({ min: 1, max: 4 }).chain((count) =>
      fc.uint8Array({ minLength: 32 * count, maxLength: 32 * count })
    ),
  }),
  record({
    type: fc.constant("root" as const),
    request: number,
    status: fc.constant("whole" as const),
    root: hash,
    sentBytes: fc.constant(0),
  }),
  record({
    type: fc.constant("root" as const),
    request: number,
    status: fc.constant("ranges" as const),
    root: noBytes,
    sentBytes: fc.constant(0),
  }),
  record({
    type: fc.constant("root" as const),
    request: number,
    status: fc.constantFrom("changed" as const, "unreadable" as const, "cancelled" as const),
    root: noBytes,
    sentBytes: number,
  }),
  record({ type: fc.constant("cancel" as const), request: number }),
  record({
    type: fc.constant("receipt" as const),
    root: hash,
    items: number,
    bytes: number,
    leftOut: number,
  }),
  record({ type: fc.constant("bye" as const) }),
);

/** Bytes of a message's body. */
function encode(value: Message): Uint8Array {
  const out = new Uint8Array(MAX_MESSAGE_BYTES);
  return out.subarray(0, encodeMessage(value, out, 0));
}

Deno.test("decodeMessage gives back what encodeMessage took", () => {
  fc.assert(
    fc.property(message, (value) => {
      assert.deepEqual(decodeMessage(messageTypeNumber(value.type), encode(value)), value);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("decodeMessage never throws and never takes a shortened message for whole", () => {
  fc.assert(
    fc.property(message, fc.nat(), (value, cut) => {
      const bytes = encode(value);
      const length = cut % (bytes.length + 1);
      const short = decodeMessage(messageTypeNumber(value.type), bytes.subarray(0, length));
      // Lists may end after any whole item; nothing else may.
      const isList = value.type === "entries" || value.type === "get" || value.type === "nodes";
      if (length < bytes.length && !isList) assert.equal(short, undefined);
    }),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(fc.nat(255), fc.uint8Array({ maxLength: 300 }), (typeNumber, bytes) => {
      decodeMessage(typeNumber, bytes);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("decodeMessage refuses bytes behind a message, but not behind HELLO", () => {
  fc.assert(fc.property(message, (value) => {
    if (["entries", "get", "nodes"].includes(value.type)) return;
    const bytes = new Uint8Array([...encode(value), 0]);
    const decoded = decodeMessage(messageTypeNumber(value.type), bytes);
    if (value.type === "hello") assert.deepEqual(decoded, value);
    else assert.equal(decoded, undefined);
  }));
});

Deno.test("decodeMessage refuses more ranges than a GET may have [XFER-8]", () => {
  const ranges = Array.from({ length: MAX_RANGES + 1 }, () => ({ offset: 0, length: 1 }));
  const isTooLong = (...counts: number[]) => {
    const items = counts.map((count, entry) => ({ entry, ranges: ranges.slice(0, count) }));
    const body = encode({ type: "get", firstRequest: 0, items });
    return decodeMessage(messageTypeNumber("get"), body) === "too_long";
  };
  assert.ok(isTooLong(MAX_RANGES + 1));
  assert.ok(isTooLong(MAX_RANGES, 1));
  assert.ok(!isTooLong(MAX_RANGES, 0));
  assert.ok(!isTooLong(MAX_RANGES - 1, 1));
});

Deno.test("isIgnorableType names the types a later version may add [XFER-2]", () => {
  for (let typeNumber = 0; typeNumber < 256; typeNumber++) {
    assert.equal(isIgnorableType(typeNumber), typeNumber >= 0x40 && typeNumber < 0x80);
  }
});

Deno.test("decodeHello reads the version of a HELLO it does not understand [XFER-3]", () => {
  const hello = { version: TRANSFER_VERSION, features: 1, text: "Zoë" };
  assert.deepEqual(decodeHello(encodeHello(hello)), hello);
  assert.deepEqual(decodeHello(new Uint8Array([2, 255, 255])), {
    version: 2,
    features: 0,
    text: "",
  });
  assert.equal(decodeHello(new Uint8Array(0)), undefined);
  assert.equal(decodeHello(new Uint8Array([1, 0, 5, 65])), undefined);
  assert.throws(() => encodeHello({ ...hello, text: "x".repeat(256) }), RangeError);
});

Deno.test("EntryPacker writes a path as its difference from the one before", () => {
  const packer = new EntryPacker();
  const out = new Uint8Array(200);
  const file = {
    kind: "file",
    sizeBytes: 1,
    mtimeMs: 1_700_000_000_000,
    executable: false,
  } as const;
  const first = packer.write({ ...file, path: "folder/with/a/long/name/one" }, out, 0);
  const second = packer.write({ ...file, path: "folder/with/a/long/name/two" }, out, first);
  assert.ok(first > 30);
  assert.equal(second - first, 1 + 1 + 1 + 3 + 1 + 1);
});

Deno.test("decodeEntries refuses what no packer writes", () => {
  const decode = (...bytes: number[]) => decodeEntries(new ByteReader(new Uint8Array(bytes)), 100);
  assert.deepEqual(decode(0, 0, 1, 97, 5, 0), [
    { kind: "file", path: "a", sizeBytes: 5, mtimeMs: 0, executable: false },
  ]);
  assert.equal(decode(2, 0, 1, 97, 5, 0), undefined, "kind reserved for links");
  assert.equal(decode(8, 0, 1, 97, 5, 0), undefined, "unknown flag");
  assert.equal(decode(5, 0, 1, 97, 0), undefined, "executable folder");
  assert.equal(decode(0, 1, 1, 97, 5, 0), undefined, "shares more than there is");
  assert.equal(decode(0, 0, 200, 97), undefined, "longer than the page");
});

Deno.test("decodeEntries bounds what a short page unfolds to [XFER-6]", () => {
  const packer = new EntryPacker();
  const out = new Uint8Array(MAX_MESSAGE_BYTES);
  const long = { kind: "directory", sizeBytes: 0, mtimeMs: 0, executable: false } as const;
  let at = 0;
  for (let count = 0; count < 100; count++) {
    at = packer.write({ ...long, path: "x".repeat(MAX_PATH_BYTES) }, out, at);
  }
  const decode = (maxPathBytes: number) =>
    decodeEntries(new ByteReader(out.subarray(0, at)), maxPathBytes);
  assert.ok(at < 20_000);
  assert.equal(decode(100 * MAX_PATH_BYTES - 1), "too_long");
  assert.equal((decode(100 * MAX_PATH_BYTES) as ManifestEntry[]).length, 100);
});

Deno.test("decodeEntries marks a path that is not UTF-8", () => {
  const bytes = new Uint8Array([1, 0, 2, 0xff, 97, 0]);
  const entries = decodeEntries(new ByteReader(bytes), 100) as ManifestEntry[];
  assert.equal(entries[0]!.isMalformedName, true);
  assert.equal(entries[0]!.path, "\ufffda");
});

function canonicalEntry(entry: ManifestEntry): Uint8Array {
  const out = new Uint8Array(MAX_CANONICAL_BYTES);
  return out.slice(0, writeCanonicalEntry(entry, out));
}

Deno.test("writeCanonicalEntry differs whenever the entry does", () => {
  fc.assert(fc.property(entry, entry, (a, b) => {
    const same = JSON.stringify(a) === JSON.stringify(b);
    const equal = canonicalEntry(a).toString() === canonicalEntry(b).toString();
    assert.equal(equal, same);
  }));
});

Deno.test("MessageReader cuts out messages however the bytes arrive [XFER-1]", () => {
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (messages, lengths) => {
        const outbox = new MessageOutbox();
        for (const value of messages) outbox.add(value);
        assert.equal(outbox.count, messages.length);
        const bytes = outbox.take().slice();
        const found: (Message | string | undefined)[] = [];
        const reader = new MessageReader((type, body) => found.push(decodeMessage(type, body)));
        for (let at = 0, index = 0; at < bytes.length; index++) {
          const length = lengths[index % lengths.length]!;
          const view = bytes.slice(at, at + length);
          assert.ok(reader.push(view));
          view.fill(0xee);
          at += length;
        }
        assert.deepEqual(found, messages);
      },
    ),
  );
});

Deno.test("MessageReader takes the longest message and no longer one [XFER-1]", () => {
  let count = 0;
  const push = (...bytes: number[]) =>
    new MessageReader(() => void count++).push(new Uint8Array(bytes));
  assert.equal(push(1, 0x80, 0x04, 0x00, 0x00), true);
  assert.equal(push(1, 0x80, 0x04, 0x00, 0x01), false);
  assert.equal(push(1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), false);
  const reader = new MessageReader(() => void count++);
  assert.ok(reader.push(new Uint8Array([1, 0x80, 0x04, 0x00, 0x00])));
  for (let sent = 0; sent < MAX_MESSAGE_BYTES; sent += 4096) {
    assert.equal(count, 0);
    assert.ok(reader.push(new Uint8Array(4096)));
  }
  assert.equal(count, 1);
});

Deno.test("MessageOutbox refuses a message that no peer takes", () => {
  const outbox = new MessageOutbox();
  const hashes = new Uint8Array(MAX_MESSAGE_BYTES);
  assert.throws(() => outbox.add({ type: "nodes", request: 0, firstGroup: 0, hashes }), RangeError);
});
