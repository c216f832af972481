/**
 * Handshakes made by hand, by somebody who holds a code: clients that do only what a test says, and
 * sharers with a key of the test's choice. The cryptography is the real one; there are no timers.
 */
import { concatBytes } from "../../lib/bytes/concat.ts";
import { shareCommitment } from "../../lib/crypto/commitment.ts";
import {
  HandshakeCodec,
  MESSAGE_1_PAYLOAD_BYTES,
  MESSAGE_2_PAYLOAD_BYTES,
  MESSAGE_3_PAYLOAD_BYTES,
} from "../../lib/crypto/handshake_datagram.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { NoiseHandshake } from "../../lib/crypto/noise.ts";
import type { KeyPair, RandomSource } from "../../lib/crypto/provider.ts";
import { protectSession, type SessionProtection } from "../../lib/crypto/session_protection.ts";
import { deriveShareKeys } from "../../lib/crypto/share_keys.ts";
import { HANDSHAKE_PATTERN, HANDSHAKE_PROLOGUE, HEADER_BYTES } from "../../lib/protocol/params.ts";
import {
  decodeParameters,
  defaultParameters,
  encodeParameters,
} from "../../lib/protocol/transport_parameters.ts";

/** The keys of a share and what its code says of them. */
export interface Share {
  readonly staticKeys: KeyPair;
  readonly t: Uint8Array;
}

/** Makes a share. */
export function newShare(random: RandomSource): Share {
  const staticKeys = nodeProvider.generateKeyPair(random);
  return { staticKeys, t: shareCommitment(nodeProvider, staticKeys.publicKey) };
}

/** Parameters under a random connection id, as the payload of a message. */
export function parametersPayload(random: RandomSource, length: number): Uint8Array {
  const id = new Uint8Array(6);
  random.fill(id);
  const payload = new Uint8Array(length);
  encodeParameters(defaultParameters(id), payload, 0);
  return payload;
}

/** A client that acts on command. */
export class HandClient {
  /** Its static keys. */
  readonly staticKeys: KeyPair;
  /** The id the sharer chose; set by {@linkcode HandClient.takeMessage2}. */
  sharerId: Uint8Array = new Uint8Array(6);
  /** Packet protection of the session; set by {@linkcode HandClient.message3}. */
  protection: SessionProtection | undefined;
  /** The hash of the finished handshake; set by {@linkcode HandClient.message3}. */
  handshakeHash: Uint8Array = new Uint8Array(0);
  readonly codec: HandshakeCodec;
  readonly #random: RandomSource;
  readonly #noise: NoiseHandshake;
  readonly #message1: Uint8Array;
  #message3: Uint8Array | undefined;
  #nextNumber = 0;

  /** @param payload1 Of message 1; ordinary parameters by default. */
  constructor(t: Uint8Array, random: RandomSource, payload1?: Uint8Array) {
    const keys = deriveShareKeys(nodeProvider, t);
    this.#random = random;
    this.staticKeys = nodeProvider.generateKeyPair(random);
    this.codec = new HandshakeCodec(nodeProvider, keys, random);
    this.#noise = NoiseHandshake.start(nodeProvider, {
      pattern: HANDSHAKE_PATTERN,
      role: "initiator",
      prologue: HANDSHAKE_PROLOGUE,
      staticKeys: this.staticKeys,
      psks: [keys.psk],
    });
    const payload = payload1 ?? parametersPayload(random, MESSAGE_1_PAYLOAD_BYTES);
    this.#message1 = this.#noise.writeMessage(payload, random)!;
  }

  /** Message 1, under a fresh N. */
  message1(cookie?: Uint8Array): Uint8Array {
    return this.codec.encodeMessage1(this.#message1, cookie);
  }

  /** Reads message 2; false when it does not open. */
  takeMessage2(datagram: Uint8Array): boolean {
    const message = this.codec.decodeMessage2(datagram);
    const payload = message && this.#noise.readMessage(message);
    const remote = payload && decodeParameters(payload);
    if (!remote) return false;
    this.sharerId = remote.connectionId;
    return true;
  }

  /**
   * Message 3, under a fresh N.
   *
   * @param payload Whole; by default a request of these bytes.
   */
  message3(request: Uint8Array = new Uint8Array(0), payload?: Uint8Array): Uint8Array {
    if (!this.#message3) {
      const filled = new Uint8Array(MESSAGE_3_PAYLOAD_BYTES);
      filled.set([request.length >>> 8, request.length & 0xff]);
      filled.set(request, 2);
      this.#message3 = this.#noise.writeMessage(payload ?? filled, this.#random)!;
      this.handshakeHash = this.#noise.handshakeHash;
      this.protection = protectSession(nodeProvider, this.#noise);
    }
    return this.codec.encodeMessage3(this.#message3, this.sharerId);
  }

  /** The next packet of the session, with these frames; padded to a size on request. */
  packet(frames: readonly Uint8Array[], minBytes = 0): Uint8Array {
    const payload = concatBytes(...frames);
    const end = Math.max(HEADER_BYTES + payload.length, minBytes - 16);
    const packet = new Uint8Array(end + 16);
    packet.set(this.sharerId);
    packet.set(payload, HEADER_BYTES);
    this.protection!.sealer.seal(packet, 0, end, this.#nextNumber++);
    return packet;
  }
}

/**
 * What somebody who holds the code, but perhaps not the key behind it, answers to a message 1.
 *
 * @param payload2 Of message 2; ordinary parameters by default.
 */
export function answerMessage1(
  datagram: Uint8Array,
  t: Uint8Array,
  staticKeys: KeyPair,
  random: RandomSource,
  payload2?: Uint8Array,
): Uint8Array {
  const keys = deriveShareKeys(nodeProvider, t);
  const codec = new HandshakeCodec(nodeProvider, keys, random);
  const noise = NoiseHandshake.start(nodeProvider, {
    pattern: HANDSHAKE_PATTERN,
    role: "responder",
    prologue: HANDSHAKE_PROLOGUE,
    staticKeys,
    psks: [keys.psk],
  });
  noise.readMessage(codec.decodeMessage1(datagram)!.message);
  const payload = payload2 ?? parametersPayload(random, MESSAGE_2_PAYLOAD_BYTES);
  return codec.encodeMessage2(noise.writeMessage(payload, random)!);
}
