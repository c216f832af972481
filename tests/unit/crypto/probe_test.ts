import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../../lib/bytes/concat.ts";
import { MAX_PROBE_BYTES, MIN_PROBE_BYTES, ProbeCodec } from "../../../lib/crypto/probe.ts";
import { countingRandom, PROVIDERS, someBytes } from "./_support.ts";

const [handshakeKey, probeKey] = [someBytes(32, 1), someBytes(32, 2)];

Deno.test("ProbeCodec opens what it sealed, whichever provider did either", () => {
  const codecs = PROVIDERS.map((each) =>
    new ProbeCodec(each, handshakeKey, probeKey, countingRandom())
  );
  for (const sealer of codecs) {
    for (const opener of codecs) {
      for (const type of [1, 2] as const) {
        const probe = { type, transactionId: someBytes(8, 3) };
        assert.deepEqual(opener.open(sealer.seal(probe)), probe);
      }
    }
  }
});

Deno.test("ProbeCodec uses all lengths from 64 to 128 bytes", () => {
  const codec = new ProbeCodec(PROVIDERS[0]!, handshakeKey, probeKey, countingRandom());
  const lengths = new Set<number>();
  for (let count = 0; count < 2000; count++) {
    lengths.add(codec.seal({ type: 1, transactionId: someBytes(8) }).length);
  }
  assert.equal(lengths.size, MAX_PROBE_BYTES - MIN_PROBE_BYTES + 1);
  assert.equal(Math.min(...lengths), MIN_PROBE_BYTES);
  assert.equal(Math.max(...lengths), MAX_PROBE_BYTES);
});

Deno.test("ProbeCodec refuses any flipped bit, other keys, other lengths and random bytes", () => {
  const codec = new ProbeCodec(PROVIDERS[0]!, handshakeKey, probeKey, countingRandom());
  const datagram = codec.seal({ type: 1, transactionId: someBytes(8) });
  for (let bit = 0; bit < datagram.length * 8; bit++) {
    const damaged = new Uint8Array(datagram);
    damaged[bit >>> 3]! ^= 1 << (bit & 7);
    assert.equal(codec.open(damaged), undefined);
  }
  const otherReply = new ProbeCodec(
    PROVIDERS[0]!,
    handshakeKey,
    someBytes(32, 9),
    countingRandom(),
  );
  const otherShare = new ProbeCodec(PROVIDERS[0]!, someBytes(32, 9), probeKey, countingRandom());
  assert.equal(otherReply.open(datagram), undefined);
  assert.equal(otherShare.open(datagram), undefined);
  for (let length = 0; length < datagram.length; length++) {
    assert.equal(codec.open(datagram.subarray(0, length)), undefined);
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 140 }), (bytes) => {
    assert.equal(codec.open(bytes), undefined);
  }));
  assert.ok(codec.open(datagram));
  assert.throws(() => codec.seal({ type: 1, transactionId: someBytes(7) }), RangeError);
});

Deno.test("ProbeCodec refuses an authentic probe of unknown type", () => {
  const codec = new ProbeCodec(PROVIDERS[0]!, handshakeKey, probeKey, countingRandom());
  const datagram = codec.seal({ type: 3 as 1, transactionId: someBytes(8) });
  assert.equal(codec.open(datagram), undefined);
});

Deno.test("ProbeCodec finds where the first of joined probes ends, and nothing in anything else", () => {
  const codec = new ProbeCodec(PROVIDERS[0]!, handshakeKey, probeKey, countingRandom());
  const other = new ProbeCodec(PROVIDERS[0]!, someBytes(32, 4), probeKey, countingRandom());
  const seal = (by: ProbeCodec) => by.seal({ type: 1, transactionId: someBytes(8) });
  for (let count = 0; count < 200; count++) {
    const probes = [seal(codec), seal(codec), seal(codec)];
    let piece = concatBytes(...probes);
    for (const probe of probes.slice(0, 2)) {
      assert.equal(codec.peekLength(piece), probe.length);
      piece = piece.subarray(probe.length);
    }
    assert.equal(codec.peekLength(piece), 0, "alone");
  }
  assert.equal(codec.peekLength(concatBytes(seal(other), seal(codec))), 0);
  for (const length of [0, 16, 127, 128, 300]) assert.equal(codec.peekLength(someBytes(length)), 0);
});
