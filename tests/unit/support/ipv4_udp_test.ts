import assert from "node:assert/strict";
import {
  destinationOf,
  ipv4FromText,
  ipv4ToText,
  setDestination,
  setSource,
  setTtl,
  sourceOf,
  ttlOf,
  udpOffset,
} from "../../support/ipv4_udp.ts";
import { Prng } from "../../support/prng.ts";

const HEADER_BYTES = 20;
const SOURCE = { host: ipv4FromText("192.168.1.11"), port: 40_000 };
const TARGET = { host: ipv4FromText("44.0.0.2"), port: 3478 };

/** One's complement sum of 16-bit words (RFC 1071), folded; 0xffff when a checksum in it is right. */
function sumOf(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 2) sum += part[at]! * 256 + (part[at + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

function pseudoHeader(packet: Uint8Array): Uint8Array {
  const length = packet.length - HEADER_BYTES;
  return Uint8Array.of(...packet.subarray(12, 20), 0, 17, length >>> 8, length & 255);
}

/** A packet from {@linkcode SOURCE} to {@linkcode TARGET} with right checksums. */
function makePacket(payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(HEADER_BYTES + 8 + payload.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x45;
  view.setUint16(2, packet.length);
  packet[8] = 64;
  packet[9] = 17;
  view.setUint32(12, SOURCE.host);
  view.setUint32(16, TARGET.host);
  view.setUint16(20, SOURCE.port);
  view.setUint16(22, TARGET.port);
  view.setUint16(24, packet.length - HEADER_BYTES);
  packet.set(payload, 28);
  view.setUint16(10, ~sumOf(packet.subarray(0, HEADER_BYTES)) & 0xffff);
  view.setUint16(26, (~sumOf(pseudoHeader(packet), packet.subarray(20)) & 0xffff) || 0xffff);
  return packet;
}

function assertRightChecksums(packet: Uint8Array): void {
  assert.equal(sumOf(packet.subarray(0, HEADER_BYTES)), 0xffff, "IP header");
  assert.equal(sumOf(pseudoHeader(packet), packet.subarray(20)), 0xffff, "UDP");
}

Deno.test("sourceOf and destinationOf read what setSource and setDestination wrote", () => {
  const packet = makePacket(new Uint8Array(3));
  assert.deepEqual([sourceOf(packet, 20), destinationOf(packet, 20)], [SOURCE, TARGET]);
  setSource(packet, 20, TARGET);
  setDestination(packet, 20, SOURCE);
  assert.deepEqual([sourceOf(packet, 20), destinationOf(packet, 20)], [TARGET, SOURCE]);
});

Deno.test("setSource, setDestination and setTtl keep checksums right, whatever they change", () => {
  const prng = new Prng(1);
  for (let count = 0; count < 2000; count++) {
    const packet = makePacket(prng.bytes(prng.integer(0, 40)));
    const endpoint = () => ({ host: prng.nextUint32(), port: prng.integer(0, 65_535) });
    setSource(packet, 20, endpoint());
    setDestination(packet, 20, endpoint());
    setTtl(packet, prng.integer(0, 255));
    assertRightChecksums(packet);
  }
});

Deno.test("setSource leaves a packet without UDP checksum without one", () => {
  const packet = makePacket(new Uint8Array(8));
  packet.fill(0, 26, 28);
  setSource(packet, 20, TARGET);
  assert.deepEqual([...packet.subarray(26, 28)], [0, 0]);
});

Deno.test("setTtl keeps a damaged packet damaged", () => {
  const packet = makePacket(new Uint8Array(8));
  packet[30]! ^= 1;
  setTtl(packet, 3);
  setSource(packet, 20, TARGET);
  assert.equal(ttlOf(packet), 3);
  assert.throws(() => assertRightChecksums(packet), /UDP/);
});

Deno.test("udpOffset accepts whole IPv4 packets with UDP alone", () => {
  const changed = (at: number, value: number) => {
    const packet = makePacket(new Uint8Array(8));
    packet[at] = value;
    return packet;
  };
  assert.equal(udpOffset(makePacket(new Uint8Array(0))), 20);
  assert.equal(udpOffset(changed(6, 0x40)), 20, "do not fragment");
  assert.equal(udpOffset(Uint8Array.of(...makePacket(new Uint8Array(8)), 0, 0)), 20, "padding");
  assert.equal(udpOffset(changed(0, 0x47)), 28, "options");
  const refused = {
    "IPv6": changed(0, 0x65),
    "TCP": changed(9, 6),
    "more fragments": changed(6, 0x20),
    "a later fragment": changed(7, 1),
    "a header too short": changed(0, 0x44),
    "no room for a UDP header": changed(3, 27),
    "cut off": makePacket(new Uint8Array(8)).subarray(0, 35),
    "nothing": new Uint8Array(0),
  };
  for (const [name, packet] of Object.entries(refused)) assert.equal(udpOffset(packet), 0, name);
});

Deno.test("ipv4FromText and ipv4ToText are inverse", () => {
  for (const text of ["0.0.0.0", "44.0.1.1", "192.168.1.11", "255.255.255.255"]) {
    assert.equal(ipv4ToText(ipv4FromText(text)), text);
  }
});
