/**
 * What each side tells the other about itself inside the handshake, as type-length-value fields
 * (docs/protocol.md, "Transport parameters"). Unknown fields are ignored, so that later versions can
 * add some [TP-1].
 */
import { ByteReader, writeVarint } from "../bytes/varint.ts";
import {
  BASE_DATAGRAM_BYTES,
  CONNECTION_ID_BYTES,
  CONTROL_WINDOW_BYTES,
  IDLE_TIMEOUT_MS,
  INITIAL_BLOCK_WINDOW_BYTES,
  MAX_ACK_DELAY_MS,
  MAX_DATAGRAM_BYTES_V4,
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
} as const;

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
  /** Optional features this side has, as bits; none is defined yet. */
  readonly features: number;
}

/** The parameters of this implementation under a connection id. */
export function defaultParameters(connectionId: Uint8Array): TransportParameters {
  return {
    connectionId,
    maxDatagramBytes: MAX_DATAGRAM_BYTES_V4,
    blockCredit: INITIAL_BLOCK_WINDOW_BYTES,
    controlCredit: CONTROL_WINDOW_BYTES,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
    ackDelayMs: MAX_ACK_DELAY_MS,
    features: 0,
  };
}

/**
 * Writes the parameters, with a two-byte length in front, so that padding may follow.
 *
 * @returns The index just past the last byte.
 * @throws {RangeError} If `out` has too little room (needs 70 bytes at most).
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
    } else if (field >= Field.MAX_DATAGRAM && field <= Field.FEATURES) {
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
  };
  const isPossible = parameters.maxDatagramBytes >= BASE_DATAGRAM_BYTES &&
    parameters.idleTimeoutMs >= 1000 && parameters.ackDelayMs <= 1000;
  return isPossible ? parameters : undefined;
}
