// Goal: every byte between acknowledged and written can be copied out, whatever the ring did.
// Method: random writes, sends and acknowledgements in any order against a plain array.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { SendStream } from "../../../lib/protocol/send_stream.ts";

function bytesFrom(offset: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => ((offset + index) * 31 + (offset >> 8)) & 0xff);
}

type Step = { write: number } | { send: number } | { acknowledge: number };

const anySteps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ write: fc.oneof(fc.nat(50), fc.nat(6000)) }),
    fc.record({ send: fc.integer({ min: 1, max: 3000 }) }),
    fc.record({ acknowledge: fc.nat() }),
  ),
  { maxLength: 120, size: "max" },
);

Deno.test("SendStream equals an array through wrapping and growth", () => {
  fc.assert(fc.property(anySteps, (steps) => {
    const stream = new SendStream();
    const written: number[] = [];
    const inFlight: [offset: number, length: number][] = [];
    const isAcked: boolean[] = [];
    for (const step of steps) {
      if ("write" in step) {
        const bytes = bytesFrom(written.length, step.write);
        stream.write(bytes);
        for (const byte of bytes) written.push(byte);
        bytes.fill(0); // it must have been copied
      } else if ("send" in step) {
        const length = Math.min(step.send, stream.writtenOffset - stream.sentOffset);
        if (length === 0) continue;
        inFlight.push([stream.sentOffset, length]);
        stream.sentOffset += length;
      } else if (inFlight.length > 0) {
        const [[offset, length]] = inFlight.splice(step.acknowledge % inFlight.length, 1) as [
          [number, number],
        ];
        stream.acknowledge(offset, length);
        for (let at = offset; at < offset + length; at++) isAcked[at] = true;
      }
      const firstUnacked = isAcked.findIndex((acked) => !acked);
      const ackedOffset = firstUnacked < 0 ? isAcked.length : firstUnacked;
      assert.equal(stream.ackedOffset, ackedOffset);
      assert.equal(stream.writtenOffset, written.length);
      assert.equal(stream.queuedBytes, written.length - ackedOffset);
      const kept = written.slice(ackedOffset);
      const out = new Uint8Array(kept.length + 4).fill(0xee);
      stream.copy(ackedOffset, kept.length, out, 2);
      assert.ok(Buffer.from(kept).equals(out.subarray(2, -2)));
      assert.deepEqual([out[0], out[1], out.at(-1), out.at(-2)], [0xee, 0xee, 0xee, 0xee]);
    }
  }));
});

Deno.test("SendStream.acknowledge moves on only when the gap before is closed", () => {
  const stream = new SendStream();
  stream.write(bytesFrom(0, 100));
  stream.sentOffset = 100;
  stream.acknowledge(40, 20);
  stream.acknowledge(60, 40);
  assert.equal(stream.ackedOffset, 0);
  stream.acknowledge(0, 10);
  assert.equal(stream.ackedOffset, 10);
  stream.acknowledge(10, 30);
  assert.equal(stream.ackedOffset, 100);
});

Deno.test("SendStream grows when it has gone round its ring many times", () => {
  const stream = new SendStream();
  for (let offset = 0; offset < 50_000; offset += 1000) {
    stream.write(bytesFrom(offset, 1000));
    stream.sentOffset += 1000;
    stream.acknowledge(offset, 1000);
  }
  const bytes = bytesFrom(50_000, 20_000);
  stream.write(bytes.subarray(0, 3000));
  stream.write(bytes.subarray(3000));
  const out = new Uint8Array(20_000);
  stream.copy(50_000, 20_000, out, 0);
  assert.ok(Buffer.from(out).equals(bytes));
});

Deno.test("SendStream keeps bytes acknowledged ahead of a gap through growth", () => {
  const stream = new SendStream();
  const first = bytesFrom(0, 4000);
  stream.write(first);
  stream.sentOffset = 4000;
  stream.acknowledge(0, 3000);
  stream.acknowledge(3500, 500);
  const second = bytesFrom(4000, 20_000);
  stream.write(second); // wraps and grows
  const out = new Uint8Array(21_000);
  stream.copy(3000, 21_000, out, 0);
  assert.deepEqual(out.subarray(0, 1000), first.subarray(3000));
  assert.deepEqual(out.subarray(1000), second);
});
