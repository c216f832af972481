/**
 * What each side tells the other about itself inside the handshake, as type-length-value fields
 * (docs/protocol.md, "Transport parameters"). Unknown fields are ignored, so that later versions can
 * add some [TP-1].
 */
import { ByteReader, writeVarint } from "../bytes/varint.ts";
import { AES_256_GCM, CHACHA20_POLY1305, type CipherSuite } from "../crypto/cipher_suite.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import {
  BASE_DATAGRAM_BYTES,
  CONNECTION_ID_BYTES,
  CONTROL_WINDOW_BYTES,
  IDLE_TIMEOUT_MS,
  INITIAL_BLOCK_WINDOW_BYTES,
  MAX_ACK_DELAY_MS,
  MAX_DATAGRAM_BYTES,
  MIN_RATE_LIMIT_BYTES,
} from "./params.ts";

/** Field numbers. */
const Field = {
  CONNECTION_ID: 1,
  MAX_DATAGRAM: 2,
  BLOCK_CREDIT: 3,
  CONTROL_CREDIT: 4,
  IDLE_TIMEOUT: 5,
  ACK_DELAY: 6,
  FEATURES: 7,
  RATE_LIMIT: 8,
  BACKGROUND: 9,
  RECEIVE_BUFFER: 10,
} as const;

/** Bit of {@linkcode TransportParameters.features}: takes LIMITED frames. */
export const FEATURE_LIMITED = 1;

/** Bit of {@linkcode TransportParameters.features}: seals and opens packets with AES-256-GCM. */
export const FEATURE_AES_256_GCM = 2;

/** How a side asks to be sent to. */
export interface SendingWishes {
  /** Bytes per second in datagrams, from 1000; absent for as fast as it goes. */
  readonly limitBytesPerSecond?: number;
  /** Yield to other traffic. */
  readonly background?: boolean;
}

/** What one side says of itself. */
export interface TransportParameters {
  /** The id the other side must put on packets; 6 bytes. */
  readonly connectionId: Uint8Array;
  /** Largest datagram this side takes. */
  readonly maxDatagramBytes: number;
  /** Block bytes the other side may send at first. */
  readonly blockCredit: number;
  /** Control bytes the other side may send at first. */
  readonly controlCredit: number;
  /** Silence after which this side gives up, ms. */
  readonly idleTimeoutMs: number;
  /** Longest this side holds an ACK back, ms. */
  readonly ackDelayMs: number;
  /** Optional features this side has, as bits, `FEATURE_*`. */
  readonly features: number;
  /** Bytes per second that the other side is asked not to exceed [RATE-2]; 0 for no limit. */
  readonly rateLimit: number;
  /** Whether the other side is asked to yield to other traffic. */
  readonly background: boolean;
  /** Bytes of datagrams that the system holds for this side while it is busy [CC-2]; 0 if unknown. */
  readonly receiveBufferBytes: number;
}

/** The parameters of version 1 under a connection id: no features, no wishes. */
export function defaultParameters(connectionId: Uint8Array): TransportParameters {
  return {
    connectionId,
    maxDatagramBytes: MAX_DATAGRAM_BYTES,
    blockCredit: INITIAL_BLOCK_WINDOW_BYTES,
    controlCredit: CONTROL_WINDOW_BYTES,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
    ackDelayMs: MAX_ACK_DELAY_MS,
    features: 0,
    rateLimit: 0,
    background: false,
    receiveBufferBytes: 0,
  };
}

/**
 * The parameters of this implementation under a connection id, with what it has and wishes.
 *
 * @param receiveBufferBytes What its sockets hold; 0 if unknown.
 */
export function ownParameters(
  connectionId: Uint8Array,
  provider: Pick<CryptoProvider, "createAesGcm">,
  wishes: SendingWishes = {},
  receiveBufferBytes: number = 0,
): TransportParameters {
  return {
    ...defaultParameters(connectionId),
    features: FEATURE_LIMITED | (provider.createAesGcm ? FEATURE_AES_256_GCM : 0),
    rateLimit: Math.floor(wishes.limitBytesPerSecond ?? 0),
    background: wishes.background ?? false,
    receiveBufferBytes: Math.floor(receiveBufferBytes),
  };
}

/**
 * The cipher of a session's packets, from what both sides said [TP-3]. Both messages are in the
 * handshake hash, so nobody in between can make the sides disagree or take the choice from them.
 */
export function agreedSuite(a: TransportParameters, b: TransportParameters): CipherSuite {
  return (a.features & b.features & FEATURE_AES_256_GCM) !== 0 ? AES_256_GCM : CHACHA20_POLY1305;
}

/**
 * Writes the parameters, with a two-byte length in front, so that padding may follow.
 *
 * @returns The index just past the last byte.
 * @throws {RangeError} If `out` has too little room (needs 92 bytes at most).
 */
export function encodeParameters(
  parameters: TransportParameters,
  out: Uint8Array,
  offset: number,
): number {
  let at = offset + 2;
  out[at++] = Field.CONNECTION_ID;
  out[at++] = CONNECTION_ID_BYTES;
  out.set(parameters.connectionId, at);
  at += CONNECTION_ID_BYTES;
  at = writeNumberField(Field.MAX_DATAGRAM, parameters.maxDatagramBytes, out, at);
  at = writeNumberField(Field.BLOCK_CREDIT, parameters.blockCredit, out, at);
  at = writeNumberField(Field.CONTROL_CREDIT, parameters.controlCredit, out, at);
  at = writeNumberField(Field.IDLE_TIMEOUT, parameters.idleTimeoutMs, out, at);
  at = writeNumberField(Field.ACK_DELAY, parameters.ackDelayMs, out, at);
  at = writeNumberField(Field.FEATURES, parameters.features, out, at);
  const { rateLimit, background, receiveBufferBytes } = parameters;
  if (rateLimit > 0) at = writeNumberField(Field.RATE_LIMIT, rateLimit, out, at);
  if (background) at = writeNumberField(Field.BACKGROUND, 1, out, at);
  if (receiveBufferBytes > 0) {
    at = writeNumberField(Field.RECEIVE_BUFFER, receiveBufferBytes, out, at);
  }
  const length = at - offset - 2;
  out[offset] = length >>> 8;
  out[offset + 1] = length;
  return at;
}

function writeNumberField(field: number, value: number, out: Uint8Array, offset: number): number {
  out[offset] = field;
  const end = writeVarint(value, out, offset + 2);
  out[offset + 1] = end - offset - 2;
  return end;
}

/**
 * Reads parameters.
 *
 * @returns Them, or undefined when they are malformed or name impossible values [TP-2].
 */
export function decodeParameters(bytes: Uint8Array): TransportParameters | undefined {
  const reader = new ByteReader(bytes);
  const fields = new ByteReader(reader.bytes(reader.u16()));
  if (!reader.ok) return undefined;
  const numbers = new Map<number, number>();
  let connectionId: Uint8Array | undefined;
  while (fields.ok && fields.remaining > 0) {
    const field = fields.varint();
    const value = fields.bytes(fields.varint());
    if (!fields.ok) return undefined;
    if (field === Field.CONNECTION_ID) {
      if (value.length !== CONNECTION_ID_BYTES) return undefined;
      connectionId = value.slice();
    } else if (field >= Field.MAX_DATAGRAM && field <= Field.RECEIVE_BUFFER) {
      const number = new ByteReader(value);
      numbers.set(field, number.varint());
      if (!number.ok || number.remaining > 0) return undefined;
    }
  }
  if (!fields.ok || !connectionId) return undefined;
  const defaults = defaultParameters(connectionId);
  const parameters: TransportParameters = {
    connectionId,
    maxDatagramBytes: numbers.get(Field.MAX_DATAGRAM) ?? BASE_DATAGRAM_BYTES,
    blockCredit: numbers.get(Field.BLOCK_CREDIT) ?? 0,
    controlCredit: numbers.get(Field.CONTROL_CREDIT) ?? 0,
    idleTimeoutMs: numbers.get(Field.IDLE_TIMEOUT) ?? defaults.idleTimeoutMs,
    ackDelayMs: numbers.get(Field.ACK_DELAY) ?? defaults.ackDelayMs,
    features: numbers.get(Field.FEATURES) ?? 0,
    rateLimit: numbers.get(Field.RATE_LIMIT) ?? 0,
    background: numbers.get(Field.BACKGROUND) === 1,
    receiveBufferBytes: numbers.get(Field.RECEIVE_BUFFER) ?? 0,
  };
  const isPossible = parameters.maxDatagramBytes >= BASE_DATAGRAM_BYTES &&
    parameters.idleTimeoutMs >= 1000 && parameters.ackDelayMs <= 1000 &&
    (parameters.rateLimit === 0 || parameters.rateLimit >= MIN_RATE_LIMIT_BYTES);
  return isPossible ? parameters : undefined;
}
