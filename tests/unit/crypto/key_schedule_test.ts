/**
 * Goal: the key schedule is QUIC's with other labels.
 * Method: the same functions, given QUIC's labels, build the short-header packet of RFC 9001, A.5;
 * with ours they give what an independent implementation computed.
 */
import assert from "node:assert/strict";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import { loadChaCha20Key } from "../../../lib/crypto/chacha20_block.ts";
import {
  AES_LABELS,
  deriveHeaderKey,
  deriveNextSecret,
  derivePacketIv,
  derivePacketKey,
  hkdfExpandLabel,
  type KeyLabels,
  writeHeaderMask,
  writePacketNonce,
} from "../../../lib/crypto/key_schedule.ts";
import ours from "../../vectors/p2pft_keys.json" with { type: "json" };
import a5 from "../../vectors/rfc9001_a5.json" with { type: "json" };
import { PROVIDERS, someBytes } from "./_support.ts";

/** RFC 9001, section 5.1, behind the prefix of RFC 8446, section 7.1. */
const QUIC_LABELS: KeyLabels = {
  key: "tls13 quic key",
  iv: "tls13 quic iv",
  hp: "tls13 quic hp",
  ku: "tls13 quic ku",
};

for (const provider of PROVIDERS) {
  Deno.test(`key schedule with QUIC's labels gives RFC 9001, A.5, with ${provider.name}`, () => {
    const secret = decodeHex(a5.secret);
    const key = derivePacketKey(provider, secret, QUIC_LABELS);
    const iv = derivePacketIv(provider, secret, QUIC_LABELS);
    const headerKey = deriveHeaderKey(provider, secret, QUIC_LABELS);
    assert.equal(encodeHex(key), a5.key);
    assert.equal(encodeHex(iv), a5.iv);
    assert.deepEqual(headerKey, loadChaCha20Key(decodeHex(a5.hp)));
    assert.equal(encodeHex(deriveNextSecret(provider, secret, QUIC_LABELS)), a5.ku);

    const nonce = new Uint8Array(12);
    writePacketNonce(iv, a5.packetNumber, nonce);
    assert.equal(encodeHex(nonce), a5.nonce);

    const header = decodeHex(a5.unprotectedHeader);
    const packet = new Uint8Array(header.length + 1 + 16);
    packet.set(header);
    packet.set(decodeHex(a5.plaintext), header.length);
    provider.createAead(key).seal(nonce, header, packet, header.length, header.length + 1);
    assert.equal(encodeHex(packet.subarray(header.length)), a5.ciphertext);

    const sampleOffset = a5.packetNumberOffset + 4;
    assert.equal(encodeHex(packet.subarray(sampleOffset, sampleOffset + 16)), a5.sample);
    const mask = new Uint8Array(8);
    writeHeaderMask(headerKey, packet, sampleOffset, mask);
    assert.equal(encodeHex(mask.subarray(0, 5)), a5.mask);
    packet[0]! ^= mask[0]! & 0x1f;
    for (let index = 0; index < a5.packetNumberBytes; index++) {
      packet[a5.packetNumberOffset + index]! ^= mask[1 + index]!;
    }
    assert.equal(encodeHex(packet), a5.packet);
  });

  Deno.test(`key schedule with our labels gives its published keys with ${provider.name}`, () => {
    const { secret: hex, key, iv, aesKey, aesIv, hp, ku } = ours.keySchedule;
    const secret = decodeHex(hex);
    assert.equal(encodeHex(derivePacketKey(provider, secret)), key);
    assert.equal(encodeHex(derivePacketIv(provider, secret)), iv);
    assert.equal(encodeHex(derivePacketKey(provider, secret, AES_LABELS)), aesKey);
    assert.equal(encodeHex(derivePacketIv(provider, secret, AES_LABELS)), aesIv);
    assert.deepEqual(deriveHeaderKey(provider, secret), loadChaCha20Key(decodeHex(hp)));
    assert.equal(encodeHex(deriveNextSecret(provider, secret)), ku);
  });
}

Deno.test("writePacketNonce spreads large numbers over the last eight bytes", () => {
  const nonce = new Uint8Array(12);
  writePacketNonce(new Uint8Array(12), Number.MAX_SAFE_INTEGER, nonce);
  assert.equal(encodeHex(nonce), "00000000001fffffffffffff");
  writePacketNonce(new Uint8Array(12).fill(0xff), 0x1_0000_0001, nonce);
  assert.equal(encodeHex(nonce), "fffffffffffffffefffffffe");
});

Deno.test("hkdfExpandLabel depends on label, context and length", () => {
  const provider = PROVIDERS[0]!;
  const secret = someBytes(32);
  const results = [
    hkdfExpandLabel(provider, secret, "a", new Uint8Array(0), 16),
    hkdfExpandLabel(provider, secret, "b", new Uint8Array(0), 16),
    hkdfExpandLabel(provider, secret, "a", new Uint8Array(1), 16),
    hkdfExpandLabel(provider, secret, "a", new Uint8Array(0), 17).slice(0, 16),
  ];
  assert.equal(new Set(results.map(encodeHex)).size, results.length);
  assert.throws(() => hkdfExpandLabel(provider, secret, "a".repeat(256), new Uint8Array(0), 16));
  assert.throws(() => hkdfExpandLabel(provider, secret, "a", new Uint8Array(256), 16));
});
