import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_MESSAGE_BYTES, MAX_RANGES } from "../../../lib/transfer/limits.ts";
import { MessageOutbox, MessageReader } from "../../../lib/transfer/message_stream.ts";
import { decodeHello, decodeMessage } from "../../../lib/transfer/message_decoder.ts";
import { encodeHello, encodeMessage } from "../../../lib/transfer/message_encoder.ts";
import { isIgnorableType, messageTypeNumber } from "../../../lib/transfer/message_numbers.ts";
import { type Message, TRANSFER_VERSION } from "../../../lib/transfer/messages.ts";
import { entry, record } from "./_entries.ts";

const number = fc.maxSafeNat();
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
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
    links: number,
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
    type: fc.constant("check" as const),
    firstRequest: number,
    entries: fc.array(number, { minLength: 1, maxLength: 10 }),
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
    sentBytes: number,
  }),
  record({
    type: fc.constant("root" as const),
    request: number,
    status: fc.constant("hashed" as const),
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
  record({
    type: fc.constant("decline" as const),
    wireCode: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    text: fc.string({ unit: "grapheme", maxLength: 20 }),
  }),
  record({
    type: fc.constant("identity" as const),
    statement: fc.uint8Array({ minLength: 96, maxLength: 96 }),
  }),
);

/** Messages that go on to the end of their body. */
const LISTS: readonly Message["type"][] = ["entries", "get", "check", "nodes"];

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
      const isList = LISTS.includes(value.type);
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
    if (LISTS.includes(value.type)) return;
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

Deno.test("IDENTITY is 0x0f with the 96 bytes of a statement and nothing else", () => {
  assert.equal(messageTypeNumber("identity"), 0x0f);
  const statement = Uint8Array.from({ length: 97 }, (_, index) => index);
  const whole = statement.subarray(0, 96);
  assert.deepEqual(encode({ type: "identity", statement: whole }), whole);
  assert.deepEqual(decodeMessage(0x0f, whole), { type: "identity", statement: whole.slice() });
  for (const length of [0, 95, 97]) {
    assert.equal(decodeMessage(0x0f, statement.subarray(0, length)), undefined);
  }
});

Deno.test("encodeMessage writes CHECK and the ends of requests as the specification has them", () => {
  const root = new Uint8Array(32).fill(7);
  const bytesOf = (value: Message) => [...encode(value)];
  assert.equal(messageTypeNumber("check"), 0x0e);
  assert.deepEqual(bytesOf({ type: "check", firstRequest: 3, entries: [5, 300] }), [
    3,
    5,
    0x41,
    0x2c,
  ]);
  const end = { type: "root", request: 9 } as const;
  const none = new Uint8Array(0);
  // The length of a stream; nothing for a file, whose size is known.
  assert.deepEqual(bytesOf({ ...end, status: "whole", root, sentBytes: 300 }), [
    9,
    0,
    ...root,
    0x41,
    0x2c,
  ]);
  assert.deepEqual(bytesOf({ ...end, status: "whole", root, sentBytes: 0 }), [9, 0, ...root, 0]);
  assert.deepEqual(bytesOf({ ...end, status: "ranges", root: none, sentBytes: 0 }), [9, 1]);
  assert.deepEqual(bytesOf({ ...end, status: "changed", root: none, sentBytes: 2 }), [9, 2, 2]);
  assert.deepEqual(bytesOf({ ...end, status: "hashed", root, sentBytes: 0 }), [9, 5, ...root]);
});

Deno.test("decodeMessage refuses a CHECK of nothing and an end it does not know [XFER-2]", () => {
  const decode = (type: Message["type"], ...bytes: number[]) =>
    decodeMessage(messageTypeNumber(type), new Uint8Array(bytes));
  assert.deepEqual(decode("check", 0, 5), { type: "check", firstRequest: 0, entries: [5] });
  assert.equal(decode("check", 0), undefined);
  assert.equal(decode("check"), undefined);
  assert.equal(decode("check", 0, 0x41), undefined, "a number cut off");
  assert.equal(decode("root", 0, 6, 0), undefined);
  assert.equal(decode("root", 0, 5, ...new Uint8Array(31)), undefined);
  assert.equal(decode("root", 0, 5, ...new Uint8Array(33)), undefined);
});

Deno.test("decodeMessage takes no fewer counts in an OFFER than there are kinds [XFER-6]", () => {
  const offer = messageTypeNumber("offer");
  assert.deepEqual(decodeMessage(offer, new Uint8Array([4, 1, 2, 1, 9])), {
    type: "offer",
    entries: 4,
    files: 1,
    directories: 2,
    links: 1,
    bytes: 9,
  });
  assert.equal(decodeMessage(offer, new Uint8Array([4, 1, 2, 9])), undefined);
});
