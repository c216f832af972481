/**
 * Goal: each message comes out of its datagram as it went in; nobody without the code reads, makes
 * or changes one.
 * Method: round trips of all types, a whole XXpsk0 handshake through the codec, an independent
 * reading of the layout, damage and random bytes.
 */
import assert from "node:assert/strict";
import { chacha20 } from "npm:@noble/ciphers@2.4.0/chacha.js";
import fc from "fast-check";
import { decodeHex } from "../../../lib/bytes/hex.ts";
import {
  HANDSHAKE_DATAGRAM_BYTES,
  HandshakeCodec,
  MESSAGE_1_BYTES,
  MESSAGE_1_PAYLOAD_BYTES,
  MESSAGE_2_BYTES,
  MESSAGE_2_PAYLOAD_BYTES,
  MESSAGE_3_BYTES,
  MESSAGE_3_PAYLOAD_BYTES,
} from "../../../lib/crypto/handshake_datagram.ts";
import { NoiseHandshake } from "../../../lib/crypto/noise.ts";
import type { NoiseRole } from "../../../lib/crypto/noise_options.ts";
import { deriveShareKeys } from "../../../lib/crypto/share_keys.ts";
import vectors from "../../vectors/p2pft_keys.json" with { type: "json" };
import { countingRandom, plain, PROVIDERS, someBytes, text } from "./_support.ts";

const provider = PROVIDERS[0]!;
const KEYS = deriveShareKeys(provider, decodeHex(vectors.t));
const OTHER_KEYS = deriveShareKeys(provider, someBytes(16));

const codec = (seed = 1) => new HandshakeCodec(provider, KEYS, countingRandom(seed));
const stranger = () => new HandshakeCodec(provider, OTHER_KEYS, countingRandom());

/** One datagram of each type, with what went in. */
function everyType(): Uint8Array[] {
  const encoder = codec();
  return [
    encoder.encodeMessage1(someBytes(MESSAGE_1_BYTES, 1), someBytes(16, 2)),
    encoder.encodeMessage2(someBytes(MESSAGE_2_BYTES, 3)),
    encoder.encodeMessage3(someBytes(MESSAGE_3_BYTES, 4), someBytes(6, 5)),
    encoder.encodeCookie(someBytes(16, 6)),
  ];
}

Deno.test("HandshakeCodec decodes what it encoded", () => {
  const [one, two, three, four] = everyType() as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const decoder = codec(2);
  const message1 = decoder.decodeMessage1(one)!;
  assert.deepEqual(message1.cookie, someBytes(16, 2));
  assert.deepEqual(plain(message1.message), plain(someBytes(MESSAGE_1_BYTES, 1)));
  assert.deepEqual(plain(decoder.decodeMessage2(two)), plain(someBytes(MESSAGE_2_BYTES, 3)));
  const message3 = decoder.decodeMessage3(three)!;
  assert.deepEqual(message3.connectionId, someBytes(6, 5));
  assert.deepEqual(plain(message3.message), plain(someBytes(MESSAGE_3_BYTES, 4)));
  assert.deepEqual(decoder.openCookie(four), someBytes(16, 6));
});

Deno.test("HandshakeCodec gives a zero cookie when there was none, and hides even that", () => {
  const datagram = codec().encodeMessage1(someBytes(MESSAGE_1_BYTES));
  assert.deepEqual(codec().decodeMessage1(datagram)!.cookie, new Uint8Array(16));
  assert.notDeepEqual(datagram.slice(17, 33), new Uint8Array(16));
});

Deno.test("classify tells the types apart, and each decoder takes only its own", () => {
  const decoder = codec(2);
  for (const [index, datagram] of everyType().entries()) {
    assert.equal(datagram.length, HANDSHAKE_DATAGRAM_BYTES);
    assert.equal(decoder.classify(datagram), index + 1);
    const decoded = [
      decoder.decodeMessage1(datagram),
      decoder.decodeMessage2(datagram),
      decoder.decodeMessage3(datagram),
      decoder.openCookie(datagram),
    ];
    assert.deepEqual(
      decoded.map((each) => each !== undefined),
      [0, 1, 2, 3].map((i) => i === index),
    );
  }
});

Deno.test("classify gives 0 for another share's datagrams, other lengths, and unknown types", () => {
  for (const datagram of everyType()) {
    assert.equal(stranger().classify(datagram), 0);
    assert.equal(codec().classify(datagram.subarray(1)), 0);
    assert.equal(codec().classify(new Uint8Array([...datagram, 0])), 0);
  }
  const unknown = everyType()[0]!;
  unknown[16]! ^= 1 ^ 5;
  assert.equal(codec().classify(unknown), 0);
  unknown[16]! ^= 5;
  assert.equal(codec().classify(unknown), 0);
});

Deno.test("classify gives 0 for any flipped bit of nonce and tag", () => {
  const datagram = everyType()[0]!;
  for (let bit = 0; bit < 16 * 8; bit++) {
    const damaged = new Uint8Array(datagram);
    damaged[bit >>> 3]! ^= 1 << (bit & 7);
    assert.equal(codec().classify(damaged), 0);
  }
});

Deno.test("openCookie refuses any flipped bit", () => {
  const datagram = everyType()[3]!;
  for (let bit = 0; bit < datagram.length * 8; bit += 7) {
    const damaged = new Uint8Array(datagram);
    damaged[bit >>> 3]! ^= 1 << (bit & 7);
    assert.equal(codec().openCookie(damaged), undefined);
  }
});

Deno.test("HandshakeCodec never throws on random bytes", () => {
  const decoder = codec();
  const length = fc.constantFrom(0, 1, 15, 16, 17, 1199, 1200, 1201);
  fc.assert(fc.property(length, fc.integer(), (size, seed) => {
    const bytes = someBytes(size, seed);
    assert.equal(decoder.classify(bytes), 0);
    assert.equal(decoder.decodeMessage1(bytes), undefined);
    assert.equal(decoder.decodeMessage2(bytes), undefined);
    assert.equal(decoder.decodeMessage3(bytes), undefined);
    assert.equal(decoder.openCookie(bytes), undefined);
  }));
});

Deno.test("[HS-1] HandshakeCodec draws a fresh nonce for every datagram, so that repeats differ throughout", () => {
  const encoder = codec();
  const message = someBytes(MESSAGE_1_BYTES);
  const [first, second] = [encoder.encodeMessage1(message), encoder.encodeMessage1(message)];
  assert.notDeepEqual(first.slice(0, 12), second.slice(0, 12));
  assert.notDeepEqual(first.slice(12, 65), second.slice(12, 65));
  assert.deepEqual(codec().decodeMessage1(first), codec().decodeMessage1(second));
});

Deno.test("HandshakeCodec lays fields out as docs/protocol.md says", () => {
  const datagram = codec().encodeMessage1(someBytes(MESSAGE_1_BYTES, 1), someBytes(16, 2));
  const nonce = datagram.slice(0, 12);
  const block = chacha20(KEYS.handshake, nonce, new Uint8Array(64), undefined, 0);
  const unmasked = (from: number, length: number, mask: number) =>
    datagram.slice(from, from + length).map((byte, index) => byte ^ block[mask + index]!);
  assert.deepEqual(datagram.slice(12, 16), block.slice(0, 4));
  assert.deepEqual(plain(unmasked(16, 1, 4)), [1]);
  assert.deepEqual(unmasked(17, 16, 37), someBytes(16, 2));
  assert.deepEqual(unmasked(33, 32, 5), someBytes(32, 1));
  assert.deepEqual(datagram.slice(65), someBytes(MESSAGE_1_BYTES, 1).slice(32));
});

Deno.test("HandshakeCodec throws on wrong lengths", () => {
  const encoder = codec();
  assert.throws(() => encoder.encodeMessage1(new Uint8Array(MESSAGE_1_BYTES - 1)), RangeError);
  assert.throws(
    () => encoder.encodeMessage1(new Uint8Array(MESSAGE_1_BYTES), new Uint8Array(15)),
    RangeError,
  );
  assert.throws(() => encoder.encodeMessage2(new Uint8Array(MESSAGE_2_BYTES + 1)), RangeError);
  assert.throws(
    () => encoder.encodeMessage3(new Uint8Array(MESSAGE_3_BYTES), new Uint8Array(5)),
    RangeError,
  );
  assert.throws(() => encoder.encodeMessage3(new Uint8Array(0), new Uint8Array(6)), RangeError);
  assert.throws(() => encoder.encodeCookie(new Uint8Array(17)), RangeError);
});

Deno.test("a whole XXpsk0 handshake fits its datagrams exactly", () => {
  assert.deepEqual(
    [MESSAGE_1_PAYLOAD_BYTES, MESSAGE_2_PAYLOAD_BYTES, MESSAGE_3_PAYLOAD_BYTES],
    [1119, 1087, 1113],
  );
  const random = countingRandom(3);
  const start = (role: NoiseRole) =>
    NoiseHandshake.start(provider, {
      pattern: "XXpsk0",
      role,
      prologue: text("p2pft/1"),
      psks: [KEYS.psk],
      staticKeys: provider.generateKeyPair(random),
    });
  const [client, sharer] = [start("initiator"), start("responder")];
  const [clientCodec, sharerCodec] = [codec(4), codec(5)];

  const payload1 = someBytes(MESSAGE_1_PAYLOAD_BYTES, 1);
  const datagram1 = clientCodec.encodeMessage1(client.writeMessage(payload1, random)!);
  const got1 = sharer.readMessage(sharerCodec.decodeMessage1(datagram1)!.message);
  assert.deepEqual(plain(got1), plain(payload1));

  const payload2 = someBytes(MESSAGE_2_PAYLOAD_BYTES, 2);
  const datagram2 = sharerCodec.encodeMessage2(sharer.writeMessage(payload2, random)!);
  const got2 = client.readMessage(clientCodec.decodeMessage2(datagram2)!);
  assert.deepEqual(plain(got2), plain(payload2));

  const payload3 = someBytes(MESSAGE_3_PAYLOAD_BYTES, 3);
  const datagram3 = clientCodec.encodeMessage3(
    client.writeMessage(payload3, random)!,
    someBytes(6),
  );
  const got3 = sharer.readMessage(sharerCodec.decodeMessage3(datagram3)!.message);
  assert.deepEqual(plain(got3), plain(payload3));
  assert.deepEqual(client.handshakeHash, sharer.handshakeHash);
});
