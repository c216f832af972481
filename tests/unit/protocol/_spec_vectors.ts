/**
 * The worked example of docs/protocol.md ("Test vectors"), computed from its fixed inputs: one share,
 * one handshake, a few packets and frames.
 */
import { decodeBech32m } from "../../../lib/bytes/bech32m.ts";
import { concatBytes } from "../../../lib/bytes/concat.ts";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import { chacha20Block, loadChaCha20Key } from "../../../lib/crypto/chacha20_block.ts";
import { AES_256_GCM } from "../../../lib/crypto/cipher_suite.ts";
import { replyCommitment, shareCommitment } from "../../../lib/crypto/commitment.ts";
import { HandshakeCodec, type HandshakeMessage1 } from "../../../lib/crypto/handshake_datagram.ts";
import {
  AES_LABELS,
  deriveNextSecret,
  derivePacketIv,
  derivePacketKey,
  hkdfExpandLabel,
} from "../../../lib/crypto/key_schedule.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { NoiseHandshake } from "../../../lib/crypto/noise.ts";
import { PacketSealer } from "../../../lib/crypto/packet_sealer.ts";
import { ProbeCodec } from "../../../lib/crypto/probe.ts";
import type { KeyPair, RandomSource } from "../../../lib/crypto/provider.ts";
import { maskReplyCandidates, replyChecksumMask } from "../../../lib/crypto/reply_mask.ts";
import { sasCommitment, sasIndices } from "../../../lib/crypto/sas.ts";
import { sasWords } from "../../../lib/crypto/sas_words.ts";
import { deriveProbeKey, deriveShareKeys } from "../../../lib/crypto/share_keys.ts";
import { AckRanges } from "../../../lib/protocol/ack_ranges.ts";
import {
  Frame,
  writeAck,
  writeBlockHead,
  writeClose,
  writeControlHead,
  writeCredit,
} from "../../../lib/protocol/frame.ts";
import { HANDSHAKE_PATTERN, HANDSHAKE_PROLOGUE } from "../../../lib/protocol/params.ts";
import {
  defaultParameters,
  encodeParameters,
  FEATURE_AES_256_GCM,
  FEATURE_LIMITED,
  type TransportParameters,
} from "../../../lib/protocol/transport_parameters.ts";
import { encodeReplyCode } from "../../../lib/rendezvous/reply_code.ts";
import { encodeShareCode } from "../../../lib/rendezvous/share_code.ts";
import { aesProvider } from "../../support/aes_provider.ts";

const provider = nodeProvider;
const encoder = new TextEncoder();

const CLIENT_ID = decodeHex("c1c2c3c4c5c6");
const SHARER_ID = decodeHex("515253545556");
const COOKIE = counting(0x00, 16);
const NO_CONTEXT = new Uint8Array(0);

/** `length` bytes that count up from `first`. */
function counting(first: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => first + index);
}

/** Those of the document: how much credit is given at first is not the format's matter. */
function parametersOf(connectionId: Uint8Array): TransportParameters {
  return { ...defaultParameters(connectionId), blockCredit: 4 * 1024 * 1024 };
}

/** Gives these bytes, one after the other. */
function fixed(...parts: readonly Uint8Array[]): RandomSource {
  const all = concatBytes(...parts);
  let offset = 0;
  return {
    fill(out) {
      out.set(all.subarray(offset, offset + out.length));
      offset += out.length;
    },
  };
}

function keyPair(first: number): KeyPair {
  return provider.generateKeyPair(fixed(counting(first, 32)));
}

/** The frames that `write` puts down. */
function frame(write: (out: Uint8Array) => number): Uint8Array {
  const out = new Uint8Array(256);
  return out.slice(0, write(out));
}

/** Everything the section shows, by the names it uses: bytes in hex, the rest as text. */
export function specVectors(): Map<string, string> {
  const vectors = new Map<string, string>();
  const put = (name: string, value: Uint8Array | string): void => {
    vectors.set(name, typeof value === "string" ? value : encodeHex(value));
  };

  // A share and its code.
  const sharerKeys = keyPair(0x00);
  const clientKeys = keyPair(0x20);
  const t = shareCommitment(provider, sharerKeys.publicKey);
  put("S_sec", sharerKeys.secretKey);
  put("S_pub", sharerKeys.publicKey);
  put("C_sec", clientKeys.secretKey);
  put("C_pub", clientKeys.publicKey);
  put("t", t);
  const code = encodeShareCode({
    t,
    mappingClass: "endpoint_independent",
    candidates: [
      { kind: "reflexive", address: { family: 4, host: "203.0.113.5", port: 40_000 } },
      { kind: "host", address: { family: 4, host: "192.168.1.20", port: 40_000 } },
    ],
  });
  put("share code", code);
  const read = decodeBech32m("p2p", code);
  put("code bytes", read.ok ? read.bytes : "");
  const keys = deriveShareKeys(provider, t);
  put("psk", keys.psk);
  put("handshake key", keys.handshake);
  put("cookie key", keys.cookie);
  put("reply key", keys.reply);
  put("reply check key", keys.replyCheck);

  // Its handshake.
  const start = (role: "initiator" | "responder", staticKeys: KeyPair) =>
    NoiseHandshake.start(provider, {
      pattern: HANDSHAKE_PATTERN,
      role,
      prologue: HANDSHAKE_PROLOGUE,
      staticKeys,
      psks: [keys.psk],
    });
  const client = start("initiator", clientKeys);
  const sharer = start("responder", sharerKeys);
  put("h after psk", client.handshakeHash);
  const block = new Uint8Array(64);
  chacha20Block(loadChaCha20Key(keys.handshake), 0, counting(0xa0, 12), 0, block);
  put("B of message 1", block);
  const parameters = (id: Uint8Array) => frame((out) => encodeParameters(parametersOf(id), out, 0));
  put("client parameters", parameters(CLIENT_ID));
  put("sharer parameters", parameters(SHARER_ID));
  const payload = (length: number, content: Uint8Array) => {
    const padded = new Uint8Array(length);
    padded.set(content);
    return padded;
  };
  const putDatagram = (name: string, datagram: Uint8Array, shown: number) => {
    put(`${name}, first ${shown} bytes`, datagram.subarray(0, shown));
    put(`${name}, last 16 bytes`, datagram.subarray(-16));
    put(`${name}, SHA-256`, provider.sha256(datagram));
  };
  const codec = (nonceStart: number) =>
    new HandshakeCodec(provider, keys, fixed(counting(nonceStart, 12)));

  const e1 = client.writeMessage(payload(1119, parameters(CLIENT_ID)), fixed(counting(0x40, 32)))!;
  const datagram1 = codec(0xa0).encodeMessage1(e1, COOKIE);
  putDatagram("message 1", datagram1, 97);
  const read1: HandshakeMessage1 = codec(0).decodeMessage1(datagram1)!;
  sharer.readMessage(read1.message);
  put("h after message 1", sharer.handshakeHash);

  const e2 = sharer.writeMessage(payload(1087, parameters(SHARER_ID)), fixed(counting(0x60, 32)))!;
  const datagram2 = codec(0xb0).encodeMessage2(e2);
  putDatagram("message 2", datagram2, 113);
  client.readMessage(codec(0).decodeMessage2(datagram2)!);
  put("h after message 2", client.handshakeHash);

  const request = decodeHex("0003010203");
  const e3 = client.writeMessage(payload(1113, request), fixed())!;
  const datagram3 = codec(0xc0).encodeMessage3(e3, SHARER_ID);
  putDatagram("message 3", datagram3, 87);
  sharer.readMessage(codec(0).decodeMessage3(datagram3)!.message);
  put("h after message 3", sharer.handshakeHash);
  const { initiatorSecret, responderSecret } = client.split();
  put("client secret", initiatorSecret);
  put("sharer secret", responderSecret);
  putDatagram("cookie datagram", codec(0xd0).encodeCookie(COOKIE), 49);

  // Packets.
  for (
    const [side, secret] of [["client", initiatorSecret], ["sharer", responderSecret]] as const
  ) {
    put(`${side} key`, derivePacketKey(provider, secret));
    put(`${side} iv`, derivePacketIv(provider, secret));
    put(`${side} aes key`, derivePacketKey(provider, secret, AES_LABELS));
    put(`${side} aes iv`, derivePacketIv(provider, secret, AES_LABELS));
    put(`${side} hp`, hkdfExpandLabel(provider, secret, "p2pft hp", NO_CONTEXT, 32));
    put(`${side} ku`, deriveNextSecret(provider, secret));
  }
  const seal = (sealer: PacketSealer, id: Uint8Array, number: number, frames: Uint8Array) => {
    const packet = concatBytes(id, new Uint8Array(7), frames, new Uint8Array(16));
    sealer.seal(packet, 0, 13 + frames.length, number);
    return packet;
  };
  const fromSharer = new PacketSealer(provider, responderSecret);
  const ping = Uint8Array.of(Frame.PING, Frame.ACK_NOW);
  put("sharer frames 0", ping);
  put("sharer packet 0", seal(fromSharer, CLIENT_ID, 0, ping));

  const fromClient = new PacketSealer(provider, initiatorSecret);
  const text = encoder.encode("hello");
  const received = new AckRanges();
  received.add(0);
  const hello = concatBytes(
    frame((out) => writeAck(received, 1, out, 0, out.length)),
    frame((out) => writeControlHead(0, text.length, out, 0)),
    text,
    Uint8Array.of(Frame.ACK_NOW),
  );
  put("client frames 1", hello);
  put("client packet 1", seal(fromClient, SHARER_ID, 1, hello));
  fromClient.handleAcknowledged(1);
  fromClient.updateKeys();
  put("client packet 4294967301, phase 1", seal(fromClient, SHARER_ID, 4_294_967_301, ping));

  // The same packets of a session with AES-256-GCM.
  const both = { ...parametersOf(CLIENT_ID), features: FEATURE_LIMITED | FEATURE_AES_256_GCM };
  put("client parameters with features 0 and 1", frame((out) => encodeParameters(both, out, 0)));
  const aesSharer = new PacketSealer(aesProvider, responderSecret, AES_256_GCM);
  put("sharer packet 0, AES", seal(aesSharer, CLIENT_ID, 0, ping));
  const aesClient = new PacketSealer(aesProvider, initiatorSecret, AES_256_GCM);
  put("client packet 1, AES", seal(aesClient, SHARER_ID, 1, hello));
  aesClient.handleAcknowledged(1);
  aesClient.updateKeys();
  put("client packet 4294967301, phase 1, AES", seal(aesClient, SHARER_ID, 4_294_967_301, ping));

  // Frames by themselves.
  const ranges = new AckRanges();
  for (const [first, last] of [[5, 5], [90, 95], [100, 110]] as const) {
    for (let number = first; number <= last; number++) ranges.add(number);
  }
  put("ACK of 100-110, 90-95, 5 after 2 ms", frame((out) => writeAck(ranges, 2, out, 0, 256)));
  put(
    "BLOCK of request 7, offset 1048576, abc",
    concatBytes(frame((out) => writeBlockHead(7, 1_048_576, 3, out, 0)), encoder.encode("abc")),
  );
  put(
    "CREDIT of 4194304 and 1048576",
    frame((out) => writeCredit({ blockLimit: 4_194_304, controlLimit: 1_048_576 }, out, 0)),
  );
  put("CLOSE with 5, no", frame((out) => writeClose(5, "no", out, 0)));

  // A reply code, and a probe between the holders of both codes.
  const r = replyCommitment(provider, t, clientKeys.publicKey);
  const probeKey = deriveProbeKey(provider, t, r);
  put("r", r);
  const replyCode = encodeReplyCode({
    r,
    mappingClass: "port_dependent_stepping",
    candidates: [
      { kind: "reflexive", address: { family: 4, host: "198.51.100.7", port: 50_001 } },
      { kind: "host", address: { family: 4, host: "10.0.0.7", port: 50_001 } },
    ],
  }, keys);
  put("reply code", replyCode);
  const readReply = decodeBech32m("p2p", replyCode, replyChecksumMask(keys));
  const replyBytes = readReply.ok ? readReply.bytes : new Uint8Array();
  put("reply code bytes", replyBytes);
  const candidates = replyBytes.slice(11);
  maskReplyCandidates(keys, r, candidates);
  put("reply code candidates, unmasked", candidates);
  put("probe key", probeKey);
  // Two bytes choose the length, here the least.
  const chance = fixed(decodeHex("0000"), counting(0xe0, 12));
  const probes = new ProbeCodec(provider, keys.handshake, probeKey, chance);
  put("probe", probes.seal({ type: 1, transactionId: counting(0x00, 8) }));

  // Verification words.
  const sharerNonce = counting(0x80, 32);
  const clientNonce = counting(0xa0, 32);
  put("SHA-256 of nS", sasCommitment(provider, sharerNonce));
  const indices = sasIndices(provider, client.handshakeHash, sharerNonce, clientNonce);
  put("word indices", indices.join(" "));
  put("words", sasWords(indices).join(" "));
  return vectors;
}
