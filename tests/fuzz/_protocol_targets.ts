/** Parsers of datagrams and of what is in them: packets, frames, transport parameters, probes, STUN. */
import assert from "node:assert/strict";
import { concatBytes } from "../../lib/bytes/concat.ts";
import { encodeHex } from "../../lib/bytes/hex.ts";
import { ByteReader } from "../../lib/bytes/varint.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { PacketOpener } from "../../lib/crypto/packet_opener.ts";
import { PacketSealer } from "../../lib/crypto/packet_sealer.ts";
import { ProbeCodec } from "../../lib/crypto/probe.ts";
import { encodeBindingRequest, encodeBindingResponse } from "../../lib/nat/stun/encode.ts";
import { decodeStunMessage, isStunMessage } from "../../lib/nat/stun/message.ts";
import { encodeCandidateList } from "../../lib/protocol/candidates_frame.ts";
import { HEADER_BYTES } from "../../lib/protocol/params.ts";
import {
  decodeParameters,
  defaultParameters,
  encodeParameters,
} from "../../lib/protocol/transport_parameters.ts";
import * as frames from "../support/frame_bytes.ts";
import { HandPeer } from "../support/hand_peer.ts";
import { Prng } from "../support/prng.ts";
import type { FuzzTarget } from "./_engine.ts";
import type { Pieces } from "./_mutator.ts";

const TAG_BYTES = 16;

// ---- packets, before they are authentic ----

const PACKET_SECRET = new Uint8Array(32).fill(7);

/** Packets of two key phases; none of them is opened twice by one opener. */
function sealedPackets(): Uint8Array[] {
  const prng = new Prng(11);
  const sealer = new PacketSealer(nodeProvider, PACKET_SECRET);
  return [0, 1, 40, 1200 - HEADER_BYTES - TAG_BYTES].map((length, index) => {
    if (index === 3) sealer.followUpdate(1);
    const packet = prng.bytes(HEADER_BYTES + length + TAG_BYTES);
    sealer.seal(packet, 0, HEADER_BYTES + length, index * 1000);
    return packet;
  });
}

const packets = sealedPackets();
const authentic = new Set(packets.map(encodeHex));

const packet: FuzzTarget = {
  name: "packet",
  seeds: packets,
  inputs: 4000,
  check: (input) => {
    const opener = new PacketOpener(nodeProvider, PACKET_SECRET);
    const before = encodeHex(input);
    const length = opener.peekLength(input, 0, input.length);
    if (length < 0) {
      assert.equal(opener.open(input, 0, input.length), -1);
      return "no packet";
    }
    assert.ok(length <= input.length);
    const end = opener.open(input, 0, length);
    if (end < 0) return "does not open";
    assert.equal(end, length - TAG_BYTES);
    assert.ok(authentic.has(before.slice(0, 2 * length)), "a packet nobody sealed was opened");
    return `opened in phase ${opener.keyPhase}`;
  },
};

// ---- frames, behind authentication ----

const NUMBER_FIELDS: Readonly<Record<number, number>> = { 0x03: 2, 0x04: 3, 0x05: 2, 0x0d: 2 };

/** Cuts a packet's content into frames, as far as it can be read. */
const framePieces: Pieces = {
  split: (payload) => {
    const list: Uint8Array[] = [];
    const reader = new ByteReader(payload);
    while (reader.remaining > 0) {
      const start = reader.offset;
      skipFrame(reader, reader.u8());
      list.push(payload.slice(start, reader.ok ? reader.offset : payload.length));
      if (!reader.ok) break;
    }
    return list;
  },
  join: (list) => concatBytes(...list),
};

function skipFrame(reader: ByteReader, type: number): void {
  if (type === 0x02) {
    for (let index = 0; index < 2; index++) reader.varint();
    const gaps = reader.varint();
    for (let index = 0; index < 1 + 2 * gaps && reader.ok; index++) reader.varint();
  } else if (type === 0x06 || type === 0x07) {
    reader.bytes(8);
  } else if (type === 0x09 || type === 0x0c) {
    reader.varint();
    reader.bytes(reader.varint());
  } else if (type === 0x0a) {
    reader.varint();
    reader.bytes(reader.u8() === 4 ? 6 : 18);
  } else {
    const count = NUMBER_FIELDS[type] ?? 0;
    let last = 0;
    for (let index = 0; index < count; index++) last = reader.varint();
    if (type === 0x03 || type === 0x04) reader.bytes(last);
  }
}

const someCandidates = encodeCandidateList([
  { kind: "host", address: { family: 4, host: "192.168.1.2", port: 4000 } },
  { kind: "reflexive", address: { family: 6, host: "2001:db8::1", port: 4000 } },
]);

/** Most datagrams that one packet of a peer may cause at once: a window, probes, answers. */
const MAX_ANSWERS = 64;

const frame: FuzzTarget = {
  name: "frame",
  pieces: framePieces,
  inputs: 3000,
  seeds: [
    concatBytes(frames.ping(), frames.padding(3), frames.ackNow()),
    concatBytes(frames.ack([[0, 0]]), frames.control(0, new Uint8Array(20).fill(3))),
    frames.ack([[9, 9], [4, 6], [0, 1]], 40),
    frames.ack(Array.from({ length: 64 }, (_, index) => [126 - 2 * index, 126 - 2 * index])),
    concatBytes(frames.block(1, 0, new Uint8Array(30)), frames.credit(1 << 24, 1 << 21)),
    concatBytes(frames.pathChallenge(new Uint8Array(8)), frames.pathResponse(new Uint8Array(8))),
    frames.candidates(3, someCandidates),
    concatBytes(
      frames.observedAddress(1, 4, [203, 0, 113, 9], 4000),
      frames.observedAddress(2, 6, [0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1], 4000),
    ),
    frames.limited(2, 500_000),
    frames.close(0x11, "good bye"),
  ],
  check: (input) => {
    const peer = new HandPeer();
    peer.send(frames.ping());
    peer.forget();
    peer.send(input);
    assert.ok(peer.sent.length <= MAX_ANSWERS, `${peer.sent.length} datagrams`);
    const end = peer.end();
    peer.advance(200);
    if (end === undefined) return "taken";
    assert.ok(end.byPeer || end.code === "protocol_violation", end.code);
    return end.byPeer ? `closed by the peer: ${end.code}` : end.reason.replace(/\d+/g, "N");
  },
};

// ---- transport parameters ----

const parameterPieces: Pieces = {
  split: (bytes) => {
    const reader = new ByteReader(bytes);
    reader.u16();
    const list: Uint8Array[] = [];
    while (reader.remaining > 0) {
      const start = reader.offset;
      reader.varint();
      reader.bytes(reader.varint());
      list.push(bytes.slice(start, reader.ok ? reader.offset : bytes.length));
      if (!reader.ok) break;
    }
    return list;
  },
  join: (list) => {
    const fields = concatBytes(...list);
    return concatBytes(new Uint8Array([fields.length >>> 8, fields.length]), fields);
  },
};

function encodedParameters(details: Partial<ReturnType<typeof defaultParameters>>): Uint8Array {
  const out = new Uint8Array(128);
  const parameters = { ...defaultParameters(new Uint8Array([1, 2, 3, 4, 5, 6])), ...details };
  return out.slice(0, encodeParameters(parameters, out, 0));
}

const parameters: FuzzTarget = {
  name: "transport parameters",
  pieces: parameterPieces,
  inputs: 20_000,
  seeds: [
    encodedParameters({}),
    encodedParameters({ features: 3, rateLimit: 5000, background: true, receiveBufferBytes: 9999 }),
  ],
  check: (input) => {
    const read = decodeParameters(input);
    if (read === undefined) return "refused";
    assert.ok(read.maxDatagramBytes >= 1200 && read.idleTimeoutMs >= 1000);
    assert.ok(read.ackDelayMs <= 1000 && read.connectionId.length === 6);
    const out = new Uint8Array(128);
    const end = encodeParameters(read, out, 0);
    assert.deepEqual(decodeParameters(out.subarray(0, end)), read);
    return `taken, ${read.rateLimit > 0 ? "limited" : ""} ${read.background ? "yielding" : ""}`;
  },
};

// ---- probes ----

const probes = new ProbeCodec(
  nodeProvider,
  new Uint8Array(32).fill(5),
  new Uint8Array(32).fill(6),
  new Prng(12),
);
const sealedProbes = [1, 2, 1, 2].map((type) =>
  probes.seal({ type: type as 1 | 2, transactionId: new Uint8Array(8).fill(type) })
);
const authenticProbes = new Set(sealedProbes.map(encodeHex));

const probe: FuzzTarget = {
  name: "probe",
  seeds: [...sealedProbes, concatBytes(sealedProbes[0]!, sealedProbes[1]!)],
  inputs: 8000,
  check: (input) => {
    const length = probes.peekLength(input);
    assert.ok(length === 0 || (length >= 64 && length <= 128));
    const read = probes.open(input);
    if (read === undefined) return length > 0 ? "joined" : "refused";
    assert.ok(authenticProbes.has(encodeHex(input)), "a probe nobody sealed was opened");
    return `type ${read.type}`;
  },
};

// ---- STUN ----

function stunSeeds(): Uint8Array[] {
  const out = new Uint8Array(300);
  const transactionId = new Uint8Array(12).fill(9);
  const mappedAddress = { family: 4, host: "203.0.113.7", port: 4000 } as const;
  const otherAddress = { family: 6, host: "2001:db8::2", port: 3479 } as const;
  const ends = [
    () => encodeBindingRequest({ transactionId, changeAddress: true, changePort: true }, out, 0),
    () => encodeBindingResponse({ transactionId, mappedAddress }, out, 0),
    () =>
      encodeBindingResponse(
        { transactionId, mappedAddress: otherAddress, otherAddress, responseOrigin: mappedAddress },
        out,
        0,
      ),
  ];
  return ends.map((write) => out.slice(0, write()));
}

const stunPieces: Pieces = {
  split: (bytes) => {
    const list = [bytes.slice(0, 20)];
    for (let at = 20; at < bytes.length;) {
      const length = 4 + (((((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) + 3) & ~3);
      list.push(bytes.slice(at, at + length));
      at += length;
    }
    return list;
  },
  join: ([head = new Uint8Array(20), ...attributes]) => {
    const joined = concatBytes(head, ...attributes);
    if (joined.length < 20) return joined;
    joined.set([(joined.length - 20) >>> 8, joined.length - 20], 2);
    return joined;
  },
};

const stun: FuzzTarget = {
  name: "STUN message",
  seeds: stunSeeds(),
  pieces: stunPieces,
  inputs: 20_000,
  check: (input) => {
    const message = decodeStunMessage(input);
    if (message === undefined) return isStunMessage(input) ? "malformed" : "none";
    assert.ok(isStunMessage(input));
    const { mappedAddress, otherAddress, responseOrigin } = message;
    for (const address of [mappedAddress, otherAddress, responseOrigin]) {
      if (address !== undefined) assert.ok(address.port >= 0 && address.port <= 65_535);
    }
    return `${message.messageClass} ${mappedAddress?.family} ${otherAddress?.family}`;
  },
};

/** Everything that is a datagram or in one. */
export const PROTOCOL_TARGETS: readonly FuzzTarget[] = [packet, frame, parameters, probe, stun];
