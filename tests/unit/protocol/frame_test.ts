// Goal: frames read back as they were written, and no bytes make a decoder throw.
// Method: random values through writer and reader, then random and damaged bytes into the readers.
import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteReader, MAX_VARINT } from "../../../lib/bytes/varint.ts";
import { AckRanges } from "../../../lib/protocol/ack_ranges.ts";
import {
  AckFrame,
  blockHeadLength,
  controlHeadLength,
  Frame,
  MAX_CREDIT_FRAME_BYTES,
  readClose,
  writeAck,
  writeBlockHead,
  writeClose,
  writeControlHead,
  writeCredit,
} from "../../../lib/protocol/frame.ts";
import { MAX_ACK_RANGES, MAX_CLOSE_REASON_BYTES } from "../../../lib/protocol/params.ts";

type Range = [smallest: number, largest: number];

/** Ranges from a base upwards: gaps of at least one number, runs of at least one. */
const anyRanges: fc.Arbitrary<Range[]> = fc.tuple(
  fc.oneof(fc.nat(100), fc.nat(), fc.constant(2 ** 40)),
  fc.array(
    fc.tuple(fc.oneof(fc.nat(3), fc.nat(20_000)), fc.oneof(fc.nat(3), fc.nat(100))),
    { minLength: 1, maxLength: MAX_ACK_RANGES, size: "max" },
  ),
).map(([base, parts]) => {
  let next = base;
  return parts.map(([gap, run]): Range => {
    const smallest = next + gap;
    next = smallest + run + 2;
    return [smallest, smallest + run];
  }).reverse();
});

function ackRanges(ranges: readonly Range[]): AckRanges {
  const all = new AckRanges();
  for (const [smallest, largest] of ranges) {
    for (let number = smallest; number <= largest; number++) all.add(number);
  }
  return all;
}

function readAck(bytes: Uint8Array): { ranges: Range[]; delayMs: number } | undefined {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== Frame.ACK) return undefined;
  const frame = new AckFrame();
  if (!frame.read(reader) || reader.remaining > 0) return undefined;
  const ranges = Array.from(
    { length: frame.count },
    (_, index): Range => [frame.smallest[index]!, frame.largest[index]!],
  );
  return { ranges, delayMs: frame.delayMs };
}

Deno.test("ACK frames read back as written", () => {
  fc.assert(
    fc.property(anyRanges, fc.double({ min: 0, max: 100, noNaN: true }), (ranges, delayMs) => {
      const out = new Uint8Array(1200);
      const end = writeAck(ackRanges(ranges), delayMs, out, 3, out.length);
      const ack = readAck(out.subarray(3, end))!;
      assert.deepEqual(ack.ranges, ranges);
      assert.ok(Math.abs(ack.delayMs - delayMs) <= 0.004 + 1e-9, "units of 8 µs");
    }),
  );
});

Deno.test("[ACK-4] ACK frames cut to the room they have keep the newest ranges", () => {
  fc.assert(fc.property(anyRanges, fc.integer({ min: 22, max: 200 }), (ranges, room) => {
    const out = new Uint8Array(300).fill(0xee);
    const end = writeAck(ackRanges(ranges), 1, out, 7, 7 + room);
    assert.ok(end > 7 && end <= 7 + room);
    assert.ok(out.subarray(end).every((byte) => byte === 0xee));
    const read = readAck(out.subarray(7, end))!.ranges;
    assert.ok(read.length >= 1);
    assert.deepEqual(read, ranges.slice(0, read.length));
  }));
});

Deno.test("[ACK-4] writeAck names old ranges that have changed, thrice, beside the newest", () => {
  const ranges = new AckRanges();
  const out = new Uint8Array(1200);
  const write = () => readAck(out.subarray(0, writeAck(ranges, 0, out, 0, out.length)))!.ranges;
  for (let number = 0; number <= 400; number += 4) {
    ranges.add(number);
    write();
  }
  const newest = (count: number) =>
    Array.from({ length: count }, (_, index) => [400 - 4 * index, 400 - 4 * index]);
  for (let acks = 0; acks < 4; acks++) assert.deepEqual(write(), newest(MAX_ACK_RANGES));
  ranges.add(81);
  for (let acks = 0; acks < 3; acks++) {
    assert.deepEqual(write(), [...newest(MAX_ACK_RANGES - 1), [80, 81]]);
  }
  assert.deepEqual(write(), newest(MAX_ACK_RANGES));
  for (let number = 2; number <= 150; number += 4) ranges.add(number);
  const ends = write().map(([, largest]) => largest);
  assert.deepEqual(ends.slice(0, 32), newest(32).map(([, largest]) => largest));
  assert.equal(ends.length, MAX_ACK_RANGES);
  assert.ok(ends[32]! <= 150);
});

Deno.test("writeAck writes nothing without room for one range", () => {
  const out = new Uint8Array(64).fill(0xee);
  assert.equal(writeAck(ackRanges([[5, 5]]), 0, out, 4, 25), 4);
  assert.ok(out.every((byte) => byte === 0xee));
});

Deno.test("writeAck's bytes are those of the table", () => {
  const out = new Uint8Array(32);
  // 90-100, 80 and 70-71 are there; 2 ms are 250 units of 8 µs.
  const end = writeAck(ackRanges([[90, 100], [80, 80], [70, 71]]), 2, out, 0, out.length);
  const expected = [Frame.ACK, 0x40, 100, 0x40, 250, 2, 10, 8, 0, 7, 1];
  assert.deepEqual([...out.subarray(0, end)], expected);
});

Deno.test("writeAck survives an ACK that waited for days", () => {
  const out = new Uint8Array(64);
  const end = writeAck(ackRanges([[0, 0]]), 1e9, out, 0, out.length);
  assert.deepEqual(readAck(out.subarray(0, end))!.ranges, [[0, 0]]);
});

Deno.test("AckFrame.read refuses ranges below packet number 0", () => {
  assert.equal(readAck(Uint8Array.of(Frame.ACK, 5, 0, 0, 6)), undefined, "first run");
  assert.notEqual(readAck(Uint8Array.of(Frame.ACK, 5, 0, 0, 5)), undefined);
  assert.equal(readAck(Uint8Array.of(Frame.ACK, 5, 0, 1, 0, 4, 0)), undefined, "gap");
  assert.equal(readAck(Uint8Array.of(Frame.ACK, 5, 0, 1, 0, 3, 1)), undefined, "second run");
  assert.deepEqual(
    readAck(Uint8Array.of(Frame.ACK, 5, 0, 1, 0, 3, 0))!.ranges,
    [[5, 5], [0, 0]],
  );
});

Deno.test("AckFrame.read takes 64 ranges and refuses 65", () => {
  const body = (gaps: number) => {
    const pairs = Array.from({ length: 2 * gaps }, () => 0);
    return Uint8Array.of(
      Frame.ACK,
      0x43,
      0xe8,
      0,
      ...[gaps < 64 ? [gaps] : [0x40, gaps]].flat(),
      0,
      ...pairs,
    );
  };
  assert.equal(readAck(body(63))!.ranges.length, MAX_ACK_RANGES);
  assert.equal(readAck(body(64)), undefined);
});

Deno.test("AckFrame.read never throws, and what it accepts is well formed", () => {
  const frame = new AckFrame();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80, size: "max" }), (bytes) => {
    const reader = new ByteReader(bytes);
    if (!frame.read(reader)) return;
    assert.ok(frame.count >= 1 && frame.count <= MAX_ACK_RANGES);
    assert.ok(frame.delayMs >= 0);
    for (let index = 0; index < frame.count; index++) {
      assert.ok(frame.smallest[index]! >= 0);
      assert.ok(frame.largest[index]! >= frame.smallest[index]!);
      if (index > 0) assert.ok(frame.largest[index]! <= frame.smallest[index - 1]! - 2);
    }
  }));
});

Deno.test("AckFrame.read refuses every truncation of an ACK", () => {
  const out = new Uint8Array(200);
  const ranges: Range[] = [[90, 20_000], [80, 80], [7, 71]];
  const end = writeAck(ackRanges(ranges), 20, out, 0, out.length);
  for (let length = 1; length < end; length++) {
    assert.equal(readAck(out.subarray(0, length)), undefined, `${length} bytes`);
  }
});

const anyNumber = fc.oneof(fc.nat(100), fc.nat(), fc.maxSafeNat());

Deno.test("CONTROL and BLOCK heads have the length that was told, and read back", () => {
  fc.assert(fc.property(anyNumber, anyNumber, fc.nat(20_000), (request, offset, length) => {
    const out = new Uint8Array(64);
    const reader = new ByteReader(out);

    const controlEnd = writeControlHead(offset, length, out, 5);
    assert.equal(controlEnd - 5, controlHeadLength(offset, length));
    reader.reset(out, 5, controlEnd);
    assert.deepEqual(
      [reader.u8(), reader.varint(), reader.varint(), reader.remaining, reader.ok],
      [Frame.CONTROL, offset, length, 0, true],
    );

    const blockEnd = writeBlockHead(request, offset, length, out, 5);
    assert.equal(blockEnd - 5, blockHeadLength(request, offset, length));
    reader.reset(out, 5, blockEnd);
    assert.deepEqual(
      [reader.u8(), reader.varint(), reader.varint(), reader.varint(), reader.remaining, reader.ok],
      [Frame.BLOCK, request, offset, length, 0, true],
    );
  }));
});

Deno.test("CREDIT frames read back and stay within their bound", () => {
  fc.assert(fc.property(anyNumber, anyNumber, (blockLimit, controlLimit) => {
    const out = new Uint8Array(32);
    const end = writeCredit({ blockLimit, controlLimit }, out, 1);
    assert.ok(end - 1 <= MAX_CREDIT_FRAME_BYTES);
    const reader = new ByteReader(out.subarray(1, end));
    assert.deepEqual(
      [reader.u8(), reader.varint(), reader.varint(), reader.remaining],
      [Frame.CREDIT, blockLimit, controlLimit, 0],
    );
  }));
  const out = new Uint8Array(32);
  const limits = { blockLimit: MAX_VARINT, controlLimit: MAX_VARINT };
  assert.equal(writeCredit(limits, out, 0), MAX_CREDIT_FRAME_BYTES);
});

function closeRoundTrip(code: number, reason: string): { code: number; reason: string } {
  const out = new Uint8Array(600);
  const end = writeClose(code, reason, out, 2);
  const reader = new ByteReader(out);
  reader.reset(out, 2, end);
  assert.equal(reader.u8(), Frame.CLOSE);
  const close = readClose(reader)!;
  assert.equal(reader.remaining, 0);
  return close;
}

Deno.test("CLOSE frames read back; long reasons are cut between characters", () => {
  const anyText = fc.string({ unit: "binary", maxLength: 300, size: "max" });
  fc.assert(fc.property(fc.nat(100_000), anyText, (code, reason) => {
    const close = closeRoundTrip(code, reason);
    assert.equal(close.code, code);
    assert.ok(reason.startsWith(close.reason));
    const bytes = new TextEncoder().encode(reason).length;
    if (bytes <= MAX_CLOSE_REASON_BYTES) assert.equal(close.reason, reason);
    else {
      const kept = new TextEncoder().encode(close.reason).length;
      assert.ok(kept <= MAX_CLOSE_REASON_BYTES && kept > MAX_CLOSE_REASON_BYTES - 4);
    }
  }));
  assert.equal(closeRoundTrip(1, "\ufeffx").reason, "\ufeffx");
  assert.equal(closeRoundTrip(1, "é".repeat(200)).reason, "é".repeat(128));
  assert.equal(closeRoundTrip(1, `x${"€".repeat(200)}`).reason, `x${"€".repeat(85)}`);
});

Deno.test("readClose never throws and refuses what is too long or too short", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300, size: "max" }), (bytes) => {
    const close = readClose(new ByteReader(bytes));
    if (close) assert.ok(close.reason.length <= MAX_CLOSE_REASON_BYTES);
  }));
  const tooLong = new Uint8Array(400);
  tooLong.set([1, 0x41, 0x01]); // code 1, 257 bytes of text
  assert.equal(readClose(new ByteReader(tooLong)), undefined);
  tooLong[2] = 0; // 256 bytes
  assert.notEqual(readClose(new ByteReader(tooLong)), undefined);
  assert.equal(readClose(new ByteReader(tooLong.subarray(0, 200))), undefined);
});

Deno.test("frame types are single bytes, distinct, and leave the reserved numbers free", () => {
  const types = Object.values(Frame);
  assert.equal(new Set(types).size, types.length);
  for (const type of types) {
    assert.ok(type < 0x40);
    assert.notEqual(type, 0x08);
  }
});
