/**
 * Goal: what one side seals the other opens, once; nothing else opens; keys can be updated under
 * loss and reordering.
 * Method: an independent sealer written from the layout alone, damage bit by bit, random bytes, and
 * chosen orders of arrival around key updates.
 */
import assert from "node:assert/strict";
import { gcm } from "npm:@noble/ciphers@2.4.0/aes.js";
import { chacha20, chacha20poly1305 } from "npm:@noble/ciphers@2.4.0/chacha.js";
import fc from "fast-check";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import {
  AES_256_GCM,
  CHACHA20_POLY1305,
  type CipherSuite,
} from "../../../lib/crypto/cipher_suite.ts";
import {
  MAX_PACKET_BYTES,
  PACKET_HEADER_BYTES,
  PACKET_OVERHEAD_BYTES,
} from "../../../lib/crypto/packet_layout.ts";
import { expandPacketNumber, PacketOpener } from "../../../lib/crypto/packet_opener.ts";
import { PacketSealer } from "../../../lib/crypto/packet_sealer.ts";
import { aesProvider } from "../../support/aes_provider.ts";
import vectors from "../../vectors/p2pft_keys.json" with { type: "json" };
import { plain, PROVIDERS, someBytes, text } from "./_support.ts";

const provider = PROVIDERS[0]!;
const SECRET = decodeHex(vectors.keySchedule.secret);
const ID = someBytes(6, 42);

/** A packet in a buffer of its own. */
function sealPacket(sealer: PacketSealer, packetNumber: number, frames: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(frames.length + PACKET_OVERHEAD_BYTES);
  buffer.set(ID);
  buffer.set(frames, PACKET_HEADER_BYTES);
  const end = sealer.seal(buffer, 0, PACKET_HEADER_BYTES + frames.length, packetNumber);
  assert.equal(end, buffer.length);
  return buffer;
}

/** The frames of a packet; undefined if it was refused. */
function openPacket(opener: PacketOpener, packet: Uint8Array): Uint8Array | undefined {
  const buffer = new Uint8Array(packet);
  const end = opener.open(buffer, 0, buffer.length);
  return end < 0 ? undefined : buffer.slice(PACKET_HEADER_BYTES, end);
}

/** Both ends of one direction. */
function direction(): { sealer: PacketSealer; opener: PacketOpener } {
  return { sealer: new PacketSealer(provider, SECRET), opener: new PacketOpener(provider, SECRET) };
}

/** What noble seals with, under the published keys of each suite. */
const BY_HAND = {
  "ChaCha20-Poly1305": { cipher: chacha20poly1305, key: "key", iv: "iv" },
  "AES-256-GCM": { cipher: gcm, key: "aesKey", iv: "aesIv" },
} as const;

/** The layout of docs/protocol.md once more, from the keys as published and noble alone. */
function sealByHand(
  packetNumber: bigint,
  frames: Uint8Array,
  suite: CipherSuite["name"],
): Uint8Array {
  const { cipher, key, iv } = BY_HAND[suite];
  const header = new Uint8Array(13);
  const length = 13 + frames.length + 16;
  header.set(ID);
  new DataView(header.buffer).setUint32(7, Number(packetNumber & 0xffff_ffffn));
  new DataView(header.buffer).setUint16(11, length);
  const keys = vectors.keySchedule;
  const nonce = decodeHex(keys[iv]);
  for (let index = 0; index < 8; index++) {
    nonce[11 - index]! ^= Number((packetNumber >> BigInt(8 * index)) & 0xffn);
  }
  const sealed = cipher(decodeHex(keys[key]), nonce, header).encrypt(frames);
  const counter = new DataView(sealed.buffer, sealed.byteOffset).getUint32(0, true);
  const mask = chacha20(
    decodeHex(keys.hp),
    sealed.slice(4, 16),
    new Uint8Array(7),
    undefined,
    counter,
  );
  for (let index = 0; index < 7; index++) header[6 + index]! ^= mask[index]!;
  return new Uint8Array([...header, ...sealed]);
}

Deno.test("PacketSealer writes the packet of docs/protocol.md", () => {
  const ways = [
    ...PROVIDERS.map((each) => [each, CHACHA20_POLY1305] as const),
    [aesProvider, AES_256_GCM] as const,
  ];
  for (const [each, suite] of ways) {
    for (const packetNumber of [0, 1, 0xffff_ffff, 0x1_0000_0000, 2 ** 53 - 1]) {
      for (const length of [0, 1, 1371]) {
        const frames = someBytes(length);
        const packet = sealPacket(new PacketSealer(each, SECRET, suite), packetNumber, frames);
        const wanted = sealByHand(BigInt(packetNumber), frames, suite.name);
        assert.equal(encodeHex(packet), encodeHex(wanted));
      }
    }
  }
});

Deno.test("PacketOpener opens what PacketSealer sealed, at any place in a buffer", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.uint8Array({ maxLength: 1500 }), fc.integer({ min: 1, max: 1000 }))),
    fc.integer({ min: 0, max: 9 }),
    (packets, start) => {
      const { sealer, opener } = direction();
      let packetNumber = 0;
      for (const [frames, gap] of packets) {
        packetNumber += gap;
        const buffer = new Uint8Array(start + frames.length + PACKET_OVERHEAD_BYTES + 7).fill(0xee);
        buffer.set(ID, start);
        buffer.set(frames, start + PACKET_HEADER_BYTES);
        const end = sealer.seal(
          buffer,
          start,
          start + PACKET_HEADER_BYTES + frames.length,
          packetNumber,
        );
        assert.deepEqual(plain(buffer.subarray(end)), Array(7).fill(0xee));
        assert.equal(opener.peekLength(buffer, start, buffer.length - start), end - start);
        const payloadEnd = opener.open(buffer, start, end);
        assert.equal(payloadEnd, end - 16);
        assert.deepEqual(
          plain(buffer.subarray(start + PACKET_HEADER_BYTES, payloadEnd)),
          plain(frames),
        );
        assert.equal(opener.packetNumber, packetNumber);
        assert.equal(opener.keyPhase, 0);
      }
    },
  ));
});

Deno.test("PacketOpener refuses any flipped bit, and the packet itself opens afterwards", () => {
  const { sealer, opener } = direction();
  const packet = sealPacket(sealer, 7, text("some frames"));
  for (let bit = 0; bit < packet.length * 8; bit++) {
    const damaged = new Uint8Array(packet);
    damaged[bit >>> 3]! ^= 1 << (bit & 7);
    assert.equal(openPacket(opener, damaged), undefined, `bit ${bit}`);
  }
  assert.equal(opener.largestNumber, -1);
  assert.equal(opener.generation, 0);
  assert.deepEqual(plain(openPacket(opener, packet)), plain(text("some frames")));
});

Deno.test("[PKT-2] PacketOpener refuses every truncation and extension", () => {
  const { sealer, opener } = direction();
  const packet = sealPacket(sealer, 7, text("some frames"));
  const longer = new Uint8Array(packet.length + 40);
  longer.set(packet);
  for (let length = 0; length < longer.length; length++) {
    if (length === packet.length) continue;
    assert.equal(opener.open(new Uint8Array(longer), 0, length), -1);
  }
  assert.equal(opener.open(new Uint8Array(packet), 0, packet.length + 1), -1);
  assert.equal(opener.open(new Uint8Array(packet), -1, packet.length - 1), -1);
});

Deno.test("PacketOpener never throws on random bytes", () => {
  const { opener } = direction();
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(220),
      fc.nat(220),
      (bytes, start, end) => {
        const length = opener.peekLength(bytes, start, end - start);
        assert.ok(length === -1 || (length >= PACKET_OVERHEAD_BYTES && length <= end - start));
        assert.equal(opener.open(bytes, start, end), -1);
      },
    ),
  );
});

Deno.test("PacketOpener drops strangers' packets before it looks at tags", () => {
  const { opener } = direction();
  for (let seed = 1; seed <= 2000; seed++) opener.open(someBytes(1200, seed), 0, 1200);
  assert.equal(opener.tagFailures, 0);
});

Deno.test("[PKT-3] PacketOpener opens a packet once, and says that it was a duplicate", () => {
  const { sealer, opener } = direction();
  const packet = sealPacket(sealer, 3, text("x"));
  assert.ok(openPacket(opener, packet));
  assert.equal(opener.isDuplicate, false);
  assert.equal(openPacket(opener, packet), undefined);
  assert.equal(opener.isDuplicate, true);
  assert.equal(openPacket(opener, new Uint8Array(40)), undefined);
  assert.equal(opener.isDuplicate, false);
});

Deno.test("[PKT-3] PacketOpener does not mark a number whose tag was wrong", () => {
  const { sealer, opener } = direction();
  const packet = sealPacket(sealer, 3, someBytes(40));
  const damaged = new Uint8Array(packet);
  damaged[35]! ^= 1;
  assert.equal(openPacket(opener, damaged), undefined);
  assert.equal(opener.tagFailures, 1);
  assert.ok(openPacket(opener, packet));
});

Deno.test("[PKT-2] PacketOpener refuses reserved flag bits even when the tag is right", () => {
  // The key that seals is ours here: a peer that sets a bit it should not.
  const { key, iv, hp } = vectors.keySchedule;
  for (let bit = 1; bit < 8; bit++) {
    const header = new Uint8Array(13);
    header.set(ID);
    header[6] = 1 << bit;
    header[12] = 13 + 4 + 16;
    const sealed = chacha20poly1305(decodeHex(key), decodeHex(iv), header).encrypt(text("ping"));
    const counter = new DataView(sealed.buffer, sealed.byteOffset).getUint32(0, true);
    const mask = chacha20(
      decodeHex(hp),
      sealed.slice(4, 16),
      new Uint8Array(7),
      undefined,
      counter,
    );
    for (let index = 0; index < 7; index++) header[6 + index]! ^= mask[index]!;
    assert.equal(openPacket(direction().opener, new Uint8Array([...header, ...sealed])), undefined);
  }
});

Deno.test("peekLength splits a train of packets of different lengths", () => {
  const { sealer, opener } = direction();
  const packets = [1, 50, 0, 1371, 20].map((length, index) =>
    sealPacket(sealer, index, someBytes(length, index))
  );
  const train = new Uint8Array(packets.flatMap((packet) => [...packet]));
  const lengths: number[] = [];
  for (let start = 0; start < train.length;) {
    const length = opener.peekLength(train, start, train.length - start);
    assert.ok(length > 0);
    assert.ok(opener.open(train, start, start + length) > 0);
    lengths.push(length);
    start += length;
  }
  assert.deepEqual(lengths, packets.map((packet) => packet.length));
  assert.equal(opener.peekLength(packets[3]!, 0, packets[3]!.length - 1), -1);
  assert.equal(opener.peekLength(packets[3]!, 0, 28), -1);
});

Deno.test("[PKT-1] PacketSealer never uses a packet number twice", () => {
  const { sealer } = direction();
  sealPacket(sealer, 5, text(""));
  for (const packetNumber of [5, 4, -1, Number.NaN, 2 ** 53]) {
    assert.throws(() => sealPacket(sealer, packetNumber, text("")), RangeError);
  }
  sealPacket(sealer, 6, text(""));
});

Deno.test("PacketSealer refuses what does not fit", () => {
  const { sealer } = direction();
  const large = new Uint8Array(MAX_PACKET_BYTES + 100);
  assert.throws(() => sealer.seal(large, 0, MAX_PACKET_BYTES, 0), RangeError);
  assert.throws(() => sealer.seal(large, 0, 12, 0), RangeError);
  assert.throws(() => sealer.seal(new Uint8Array(40), 0, 30, 0), RangeError);
  assert.equal(sealer.seal(large, 0, MAX_PACKET_BYTES - 16, 0), MAX_PACKET_BYTES);
});

Deno.test("expandPacketNumber finds the number nearest to the expected one", () => {
  // RFC 9000, A.3, with 32 bits instead of 16.
  assert.equal(expandPacketNumber(0, -1), 0);
  assert.equal(expandPacketNumber(0xffff_ffff, 0), 0xffff_ffff);
  assert.equal(expandPacketNumber(0, 0xffff_ffff), 0x1_0000_0000);
  assert.equal(expandPacketNumber(0xffff_fff0, 0x1_0000_0010), 0xffff_fff0);
  assert.equal(expandPacketNumber(3, 5 * 2 ** 32 - 2), 5 * 2 ** 32 + 3);
  assert.equal(
    expandPacketNumber(0xffff_ffff, Number.MAX_SAFE_INTEGER - 1),
    Number.MAX_SAFE_INTEGER,
  );
  assert.equal(expandPacketNumber(0xffff_ffff, Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  assert.equal(expandPacketNumber(0, Number.MAX_SAFE_INTEGER), -1, "2^53 cannot be");
  fc.assert(fc.property(
    fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    fc.integer({ min: 2 - 2 ** 31, max: 2 ** 31 + 1 }),
    (largest, distance) => {
      const packetNumber = largest + distance;
      if (packetNumber < 0 || packetNumber > Number.MAX_SAFE_INTEGER) return;
      assert.equal(expandPacketNumber(packetNumber % 2 ** 32, largest), packetNumber);
    },
  ));
});

Deno.test("key update: new packets open, late ones too until the old keys are dropped", () => {
  const { sealer, opener } = direction();
  const old = [0, 1, 2, 3].map((number) => sealPacket(sealer, number, text(`old ${number}`)));
  assert.ok(openPacket(opener, old[0]!));
  sealer.handleAcknowledged(0);
  sealer.updateKeys();
  assert.equal(sealer.keyPhase, 1);
  assert.equal(sealer.packetsSealed, 0);
  const fresh = [4, 5, 6].map((number) => sealPacket(sealer, number, text(`new ${number}`)));
  assert.equal(sealer.packetsSealed, 3);

  assert.deepEqual(plain(openPacket(opener, fresh[1]!)), plain(text("new 5")));
  assert.equal(opener.keyPhase, 1);
  assert.equal(opener.generation, 1);
  assert.ok(opener.hasOldKeys);
  assert.deepEqual(plain(openPacket(opener, old[2]!)), plain(text("old 2")));
  assert.equal(opener.keyPhase, 0);
  assert.ok(openPacket(opener, fresh[0]!), "a new packet from before the first new one");
  assert.ok(openPacket(opener, old[1]!));
  opener.dropOldKeys();
  assert.equal(opener.hasOldKeys, false);
  assert.equal(openPacket(opener, old[3]!), undefined);
  assert.ok(openPacket(opener, fresh[2]!));
  assert.equal(opener.generation, 1);
});

Deno.test("[KEY-3] key update: a second one is refused until the old keys are dropped", () => {
  const { sealer, opener } = direction();
  for (let generation = 1; generation <= 5; generation++) {
    sealPacket(sealer, generation * 10, text("lost"));
    sealer.handleAcknowledged(generation * 10);
    sealer.updateKeys();
    const packet = sealPacket(sealer, generation * 10 + 1, text("first"));
    if (generation > 1) {
      assert.equal(openPacket(opener, packet), undefined, "before the old keys are dropped");
      opener.dropOldKeys();
    }
    assert.ok(openPacket(opener, packet));
    assert.equal(opener.generation, generation);
    assert.equal(opener.keyPhase, generation & 1);
  }
});

Deno.test("key update: forged packets of the other phase change nothing", () => {
  const { sealer, opener } = direction();
  sealPacket(sealer, 0, text(""));
  sealer.handleAcknowledged(0);
  sealer.updateKeys();
  const packet = sealPacket(sealer, 1, someBytes(100));
  const forged = new Uint8Array(packet);
  // Behind the sample, so that the header reads well and only the tag is wrong.
  forged[110]! ^= 1;
  assert.equal(openPacket(opener, forged), undefined);
  assert.equal(opener.tagFailures, 1);
  assert.equal(opener.generation, 0);
  assert.ok(openPacket(opener, packet));
});

Deno.test("[KEY-1] PacketSealer begins an update only after the present keys were confirmed", () => {
  const { sealer } = direction();
  assert.equal(sealer.canUpdateKeys, false);
  assert.throws(() => sealer.updateKeys(), RangeError);
  sealer.handleAcknowledged(0);
  assert.equal(sealer.canUpdateKeys, false, "nothing was sealed yet");
  sealPacket(sealer, 0, text(""));
  sealPacket(sealer, 1, text(""));
  sealer.handleAcknowledged(1);
  assert.equal(sealer.canUpdateKeys, true);
  sealer.updateKeys();
  assert.equal(sealer.canUpdateKeys, false);
  sealPacket(sealer, 2, text(""));
  sealer.handleAcknowledged(1);
  assert.equal(sealer.canUpdateKeys, false, "an old packet confirms nothing");
  sealer.handleAcknowledged(2);
  assert.equal(sealer.canUpdateKeys, true);
});

Deno.test("PacketSealer follows the peer's update once, and not at all if it began one itself", () => {
  const { sealer, opener } = direction();
  sealer.followUpdate(1);
  sealer.followUpdate(1);
  assert.equal(sealer.generation, 1);
  assert.ok(openPacket(opener, sealPacket(sealer, 0, text("x"))));
  sealer.handleAcknowledged(0);
  sealer.updateKeys();
  sealer.followUpdate(1);
  assert.equal(sealer.generation, 2);
});

Deno.test("key update keeps the header-protection key", () => {
  const { sealer } = direction();
  const opener = new PacketOpener(provider, SECRET);
  sealPacket(sealer, 0, text(""));
  sealer.handleAcknowledged(0);
  sealer.updateKeys();
  const packet = sealPacket(sealer, 1, someBytes(30));
  assert.equal(opener.peekLength(packet, 0, packet.length), packet.length);
});

Deno.test("wipe makes sealer and opener unusable", () => {
  const { sealer, opener } = direction();
  const packet = sealPacket(sealer, 0, text("x"));
  assert.ok(openPacket(new PacketOpener(provider, SECRET), packet));
  sealer.wipe();
  opener.wipe();
  assert.throws(() => sealPacket(sealer, 1, text("x")));
  assert.equal(openPacket(opener, packet), undefined);
});
