import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteReader, MAX_VARINT, varintLength, writeVarint } from "../../../lib/bytes/varint.ts";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";

/** Integers of every encoded length, their borders among them. */
const anyValue = fc.oneof(
  fc.constantFrom(0, 63, 64, 16_383, 16_384, 2 ** 30 - 1, 2 ** 30, 2 ** 32, MAX_VARINT),
  fc.maxSafeNat(),
  fc.nat(),
  fc.nat(20_000),
);

function write(value: number): string {
  const out = new Uint8Array(8);
  return encodeHex(out.subarray(0, writeVarint(value, out, 0)));
}

function read(hex: string): { value: number; ok: boolean } {
  const reader = new ByteReader(decodeHex(hex));
  const value = reader.varint();
  return { value, ok: reader.ok };
}

Deno.test("ByteReader.varint reads the examples of RFC 9000, A.1", () => {
  assert.deepEqual(read("9d7f3e7d"), { value: 494_878_333, ok: true });
  assert.deepEqual(read("7bbd"), { value: 15_293, ok: true });
  assert.deepEqual(read("25"), { value: 37, ok: true });
  assert.deepEqual(read("4025"), { value: 37, ok: true });
});

Deno.test("[INT-1] ByteReader.varint refuses what a number cannot hold", () => {
  // The eight-byte example of RFC 9000, A.1 is 151,288,809,941,952,652, above 2^53 − 1.
  assert.deepEqual(read("c2197c5eff14e88c"), { value: 0, ok: false });
  assert.deepEqual(read("c020000000000000"), { value: 0, ok: false });
  assert.deepEqual(read("c01fffffffffffff"), { value: MAX_VARINT, ok: true });
});

Deno.test("writeVarint writes the examples of RFC 9000, A.1", () => {
  assert.equal(write(494_878_333), "9d7f3e7d");
  assert.equal(write(15_293), "7bbd");
  assert.equal(write(37), "25");
  assert.equal(write(MAX_VARINT), "c01fffffffffffff");
  assert.equal(write(2 ** 32 + 1), "c000000100000001");
});

Deno.test("[INT-1] writeVarint takes the shortest form at every border", () => {
  const borders: [number, number][] = [
    [0, 1],
    [63, 1],
    [64, 2],
    [16_383, 2],
    [16_384, 4],
    [2 ** 30 - 1, 4],
    [2 ** 30, 8],
    [MAX_VARINT, 8],
  ];
  for (const [value, length] of borders) {
    assert.equal(varintLength(value), length, `${value}`);
    assert.equal(write(value).length, 2 * length, `${value}`);
  }
});

Deno.test("varints read back as written, and nothing around them is touched", () => {
  fc.assert(fc.property(anyValue, fc.nat(5), (value, offset) => {
    const out = new Uint8Array(16).fill(0xee);
    const end = writeVarint(value, out, offset);
    assert.equal(end, offset + varintLength(value));
    assert.ok(out.subarray(0, offset).every((byte) => byte === 0xee));
    assert.ok(out.subarray(end).every((byte) => byte === 0xee));
    const reader = new ByteReader(new Uint8Array(0));
    reader.reset(out, offset, end);
    assert.equal(reader.varint(), value);
    assert.ok(reader.ok);
    assert.equal(reader.remaining, 0);
  }));
});

Deno.test("writeVarint throws on what is no integer from 0 to 2^53 − 1, and without room", () => {
  const out = new Uint8Array(8);
  for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    assert.throws(() => writeVarint(value, out, 0), RangeError, `${value}`);
  }
  assert.throws(() => writeVarint(64, out, 7), RangeError);
  assert.throws(() => writeVarint(2 ** 30, out, 1), RangeError);
  assert.throws(() => writeVarint(0, out, 8), RangeError);
  assert.deepEqual(out, new Uint8Array(8));
});

Deno.test("ByteReader.varint refuses every truncation", () => {
  fc.assert(fc.property(anyValue, fc.nat(7), (value, kept) => {
    const out = new Uint8Array(8);
    const length = writeVarint(value, out, 0);
    const reader = new ByteReader(out.subarray(0, Math.min(kept, length - 1)));
    assert.equal(reader.varint(), 0);
    assert.equal(reader.ok, false);
  }));
});

type Step = ["u8"] | ["u16"] | ["varint"] | ["bytes", number];

const anySteps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.constant<Step>(["u8"]),
    fc.constant<Step>(["u16"]),
    fc.constant<Step>(["varint"]),
    fc.tuple(fc.constant("bytes" as const), fc.oneof(fc.nat(8), fc.maxSafeNat())),
  ),
  { maxLength: 20, size: "max" },
);

function runStep(reader: ByteReader, step: Step): number {
  switch (step[0]) {
    case "u8":
      return reader.u8();
    case "u16":
      return reader.u16();
    case "varint":
      return reader.varint();
    case "bytes":
      return reader.bytes(step[1]).length;
  }
}

Deno.test("ByteReader gives nothing once a read failed, and never leaves its bounds", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40, size: "max" }), anySteps, (bytes, steps) => {
    const start = Math.min(2, bytes.length);
    const end = Math.max(start, bytes.length - 2);
    const reader = new ByteReader(new Uint8Array(0));
    reader.reset(bytes, start, end);
    let failed = false;
    for (const step of steps) {
      const before = reader.offset;
      const value = runStep(reader, step);
      failed ||= !reader.ok;
      assert.equal(reader.ok, !failed, "ok never comes back");
      if (failed) assert.equal(value, 0);
      assert.ok(reader.offset >= before && reader.offset <= end);
      assert.equal(reader.remaining, end - reader.offset);
    }
  }));
});

Deno.test("ByteReader.bytes is a view and refuses more than is left", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const reader = new ByteReader(bytes);
  const view = reader.bytes(2);
  bytes[0] = 9;
  assert.deepEqual([...view], [9, 2]);
  assert.equal(reader.bytes(2).length, 0);
  assert.equal(reader.ok, false);
  assert.equal(reader.remaining, 0);
});

Deno.test("ByteReader.reset makes a failed reader whole", () => {
  const reader = new ByteReader(new Uint8Array(0));
  reader.u8();
  assert.equal(reader.ok, false);
  reader.reset(Uint8Array.of(0x12, 0x34));
  assert.equal(reader.ok, true);
  assert.equal(reader.u16(), 0x1234);
});
