// Goal: the control stream comes out whole and in order, however its bytes arrive.
// Method: random splits, duplicates and overlaps of a known stream within a moving window, some
// handed on at once as the connection does it, against a plain byte array.
import assert from "node:assert/strict";
import fc from "fast-check";
import { CONTROL_WINDOW_BYTES, MAX_CONTROL_GAPS } from "../../../lib/protocol/params.ts";
import { ReceiveStream } from "../../../lib/protocol/receive_stream.ts";

/** Byte `offset` of the stream that all these tests send; neighbours and windows differ. */
function byteAt(offset: number): number {
  return (offset ^ (offset >>> 7) ^ (offset >>> 15) ^ (offset >>> 20)) & 0xff;
}

function streamBytes(offset: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => byteAt(offset + index));
}

/** Takes all that is ready; checks it byte by byte and gives its length. */
function takeAll(stream: ReceiveStream, from: number): number {
  let offset = from;
  for (let bytes = stream.take(); bytes; bytes = stream.take()) {
    assert.ok(bytes.length > 0);
    for (const byte of bytes) assert.equal(byte, byteAt(offset++));
    assert.equal(stream.deliveredOffset, offset);
  }
  return offset - from;
}

Deno.test("ReceiveStream equals an array under splits, duplicates and overlaps", () => {
  const anyPiece = fc.record({
    back: fc.nat(60),
    ahead: fc.nat(150),
    length: fc.nat(80),
    take: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(anyPiece, { minLength: 20, maxLength: 120, size: "max" }), (pieces) => {
      const stream = new ReceiveStream();
      const present = new Set<number>();
      let delivered = 0;
      for (const { back, ahead, length, take } of pieces) {
        const offset = Math.max(0, delivered + ahead - back);
        const bytes = streamBytes(offset, length);
        if (stream.isNext(offset)) {
          stream.skip(length);
          delivered += length;
          assert.equal(stream.deliveredOffset, delivered);
          continue;
        }
        assert.equal(stream.receive(offset, bytes), true);
        bytes.fill(0xaa); // the stream may keep no view of the packet
        for (let at = offset; at < offset + length; at++) present.add(at);
        if (take) {
          const start = delivered;
          while (present.has(delivered)) delivered++;
          assert.equal(takeAll(stream, start), delivered - start);
        }
      }
    }),
  );
});

Deno.test("ReceiveStream is whole after its pieces came in any order", () => {
  const anyCuts = fc.uniqueArray(fc.integer({ min: 1, max: 4999 }), {
    maxLength: 200,
    size: "max",
  });
  fc.assert(fc.property(anyCuts, fc.infiniteStream(fc.nat()), (cuts, chance) => {
    const borders = [0, ...cuts.sort((a, b) => a - b), 5000];
    const pieces = borders.slice(1).map((end, index) => [borders[index]!, end] as const);
    for (let index = pieces.length - 1; index > 0; index--) {
      const other = chance.next().value! % (index + 1);
      [pieces[index], pieces[other]] = [pieces[other]!, pieces[index]!];
    }
    const stream = new ReceiveStream();
    for (const [start, end] of pieces) {
      assert.equal(stream.receive(start, streamBytes(start, end - start)), true);
    }
    assert.equal(takeAll(stream, 0), 5000);
    assert.equal(stream.isNext(5000), true);
  }));
});

Deno.test("ReceiveStream keeps a full window whose end comes first, many times round its ring", () => {
  const stream = new ReceiveStream();
  const half = CONTROL_WINDOW_BYTES / 2;
  let offset = 12_345;
  stream.skip(offset);
  for (let round = 0; round < 5; round++) {
    assert.equal(stream.receive(offset + half, streamBytes(offset + half, half)), true);
    assert.equal(stream.take(), undefined);
    assert.equal(stream.receive(offset, streamBytes(offset, half)), true);
    assert.equal(takeAll(stream, offset), CONTROL_WINDOW_BYTES);
    offset += CONTROL_WINDOW_BYTES;
  }
});

Deno.test("ReceiveStream ignores what was delivered already", () => {
  const stream = new ReceiveStream();
  stream.skip(100);
  assert.equal(stream.receive(0, streamBytes(0, 100)), true);
  assert.equal(stream.take(), undefined);
  assert.equal(stream.receive(90, streamBytes(90, 30)), true);
  assert.equal(takeAll(stream, 100), 20);
});

Deno.test("ReceiveStream hands nothing on past a gap, and nothing new at its edge", () => {
  const stream = new ReceiveStream();
  stream.receive(10, streamBytes(10, 5));
  assert.equal(stream.take(), undefined);
  assert.equal(stream.isNext(0), false, "bytes behind it wait to be joined");
  assert.equal(stream.isNext(10), false);
});

Deno.test("ReceiveStream makes no gap of a piece without bytes", () => {
  const stream = new ReceiveStream();
  assert.equal(stream.receive(50, new Uint8Array(0)), true);
  assert.equal(stream.isNext(0), true);
  assert.equal(stream.take(), undefined);
});

Deno.test("ReceiveStream joins what touches: neighbours are no gap, from either side", () => {
  const stream = new ReceiveStream();
  const middle = 3 * MAX_CONTROL_GAPS;
  for (let step = 0; step < 2 * MAX_CONTROL_GAPS; step++) {
    assert.equal(stream.receive(middle - step, streamBytes(middle - step, 1)), true);
    assert.equal(stream.receive(middle + step, streamBytes(middle + step, 1)), true);
  }
});

Deno.test("ReceiveStream refuses more gaps than an honest path makes", () => {
  const stream = new ReceiveStream();
  for (let gap = 1; gap <= MAX_CONTROL_GAPS; gap++) {
    assert.equal(stream.receive(2 * gap, streamBytes(2 * gap, 1)), true, `${gap}`);
  }
  const next = 2 * (MAX_CONTROL_GAPS + 1);
  assert.equal(stream.receive(next, streamBytes(next, 1)), false);
});
