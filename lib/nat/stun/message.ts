/**
 * STUN messages (RFC 8489), as far as a Binding transaction needs them, with the attributes of
 * RFC 5780 for the discovery of NAT behaviour: reading. Writing is `encode.ts`; sending again,
 * and whom to believe, `client.ts`.
 *
 * | offset | bytes | meaning |
 * | --- | --- | --- |
 * | 0 | 2 | two zero bits, then method and class, interleaved |
 * | 2 | 2 | bytes after the header, a multiple of 4 |
 * | 4 | 4 | magic cookie 2112A442 |
 * | 8 | 12 | transaction id |
 * | 20 | | attributes: number (2), length (2), value, up to 3 bytes of padding |
 *
 * Credentials are not used: MESSAGE-INTEGRITY is passed over without being checked, and what comes
 * after it is ignored. ALTERNATE-SERVER is not followed.
 */
import type { SocketAddress } from "../address.ts";
import {
  ATTRIBUTE_HEADER_BYTES,
  isUnknownRequired,
  readStunAddress,
  StunAttribute,
} from "./attribute.ts";
import { stunFingerprint } from "./fingerprint.ts";
import {
  CHANGE_ADDRESS_BIT,
  CHANGE_PORT_BIT,
  STUN_CLASSES,
  STUN_COOKIE_OFFSET,
  STUN_HEADER_BYTES,
  STUN_MAGIC_COOKIE,
  STUN_TRANSACTION_ID_BYTES,
  STUN_TRANSACTION_ID_OFFSET,
  stunAddressMask,
  type StunClass,
} from "./header.ts";

/** What a message says. Of an attribute that is there twice the first counts. */
export interface StunMessage {
  /** 12 bits; {@linkcode STUN_BINDING} is the only one used here. */
  readonly method: number;
  /** What kind of message it is. */
  readonly messageClass: StunClass;
  /** 12 bytes, a copy. */
  readonly transactionId: Uint8Array;
  /** XOR-MAPPED-ADDRESS, or MAPPED-ADDRESS where only that is there. */
  readonly mappedAddress: SocketAddress | undefined;
  /** OTHER-ADDRESS; an unreadable one counts as absent. */
  readonly otherAddress: SocketAddress | undefined;
  /** RESPONSE-ORIGIN; an unreadable one counts as absent. */
  readonly responseOrigin: SocketAddress | undefined;
  /** The number in ERROR-CODE, 300 to 699. */
  readonly errorCode: number | undefined;
  /** CHANGE-REQUEST: an answer from the other IP address is wanted. */
  readonly changeAddress: boolean;
  /** CHANGE-REQUEST: an answer from the other port is wanted. */
  readonly changePort: boolean;
  /** Numbers in UNKNOWN-ATTRIBUTES: what a server did not understand. */
  readonly refusedAttributes: readonly number[];
  /** Comprehension-required attributes that are not known here: the message must not be used. */
  readonly unknownRequired: readonly number[];
  /** Whether there was a FINGERPRINT; a wrong one makes the message unreadable. */
  readonly hasFingerprint: boolean;
}

const FINGERPRINT_BYTES = 4;

/**
 * Whether a datagram has the shape of a STUN message: two zero bits, magic cookie, and a length that
 * is its own. Cheap; says nothing about the attributes.
 */
export function isStunMessage(datagram: Uint8Array): boolean {
  return datagram.length >= STUN_HEADER_BYTES && (datagram.length & 3) === 0 &&
    datagram[0]! < 0x40 &&
    STUN_MAGIC_COOKIE.every((byte, index) => datagram[STUN_COOKIE_OFFSET + index] === byte) &&
    readUint16(datagram, 2) === datagram.length - STUN_HEADER_BYTES;
}

/**
 * How long a STUN message at the start of `piece` says to be, 0 when there is none: for pieces that
 * may have more behind it.
 */
export function peekStunLength(piece: Uint8Array): number {
  if (piece.length < STUN_HEADER_BYTES) return 0;
  const length = STUN_HEADER_BYTES + readUint16(piece, 2);
  return isStunMessage(piece.subarray(0, length)) ? length : 0;
}

/**
 * Reads the message that fills a datagram. Never throws.
 *
 * @returns What it says, or undefined when it is no STUN message, ends in the middle of something,
 * has a wrong FINGERPRINT or one that is not last, or an unreadable address or error it is about. *
 * @example Answer a request with where it came from
 * ```ts
 * import { decodeStunMessage, encodeBindingRequest, encodeBindingResponse } from "@p2pft/cli/nat";
 * import assert from "node:assert/strict";
 *
 * const out = new Uint8Array(128);
 * const id = new Uint8Array(12);
 * const asked = encodeBindingRequest({ transactionId: id }, out, 0);
 * const { transactionId } = decodeStunMessage(out.subarray(0, asked))!;
 *
 * const mappedAddress = { family: 4, host: "198.51.100.7", port: 5000 } as const;
 * const answered = encodeBindingResponse({ transactionId, mappedAddress }, out, 0);
 * assert.deepEqual(decodeStunMessage(out.subarray(0, answered))!.mappedAddress, mappedAddress);
 * ```
 */
export function decodeStunMessage(datagram: Uint8Array): StunMessage | undefined {
  if (!isStunMessage(datagram)) return undefined;
  const type = readUint16(datagram, 0);
  const transactionId = datagram.slice(
    STUN_TRANSACTION_ID_OFFSET,
    STUN_TRANSACTION_ID_OFFSET + STUN_TRANSACTION_ID_BYTES,
  );
  const first = new Map<number, Uint8Array>();
  const unknownRequired: number[] = [];
  let isCovered = true;
  let offset = STUN_HEADER_BYTES;
  while (offset < datagram.length) {
    // Lengths and padding are multiples of 4, so there is room for this header.
    const number = readUint16(datagram, offset);
    const start = offset + ATTRIBUTE_HEADER_BYTES;
    const end = start + readUint16(datagram, offset + 2);
    if (end > datagram.length) return undefined;
    if (number === StunAttribute.FINGERPRINT) {
      if (end - start !== FINGERPRINT_BYTES || end !== datagram.length) return undefined;
      const expected = stunFingerprint(datagram.subarray(0, offset));
      if (readUint32(datagram, start) !== expected) return undefined;
      first.set(number, datagram.subarray(start, end));
    } else if (isCovered) {
      // RFC 8489, sections 14.5 and 14.6: what follows the integrity is ignored, but FINGERPRINT.
      if (
        number === StunAttribute.MESSAGE_INTEGRITY ||
        number === StunAttribute.MESSAGE_INTEGRITY_SHA256
      ) {
        isCovered = false;
      } else if (isUnknownRequired(number)) unknownRequired.push(number);
      else if (!first.has(number)) first.set(number, datagram.subarray(start, end));
    }
    offset = (end + 3) & ~3;
  }

  const xorMapped = first.get(StunAttribute.XOR_MAPPED_ADDRESS);
  const mapped = xorMapped ?? first.get(StunAttribute.MAPPED_ADDRESS);
  const mappedAddress = mapped &&
    readStunAddress(mapped, xorMapped && stunAddressMask(transactionId));
  if (mapped !== undefined && mappedAddress === undefined) return undefined;
  const error = first.get(StunAttribute.ERROR_CODE);
  const errorCode = error && readErrorCode(error);
  if (error !== undefined && errorCode === undefined) return undefined;
  const change = first.get(StunAttribute.CHANGE_REQUEST);
  if (change !== undefined && change.length !== 4) return undefined;
  return {
    // RFC 8489, section 5: M11-M7 C1 M6-M4 C0 M3-M0.
    method: (type & 0x000f) | ((type & 0x00e0) >>> 1) | ((type & 0x3e00) >>> 2),
    messageClass: STUN_CLASSES[((type & 0x0100) >>> 7) | ((type & 0x0010) >>> 4)]!,
    transactionId,
    mappedAddress,
    otherAddress: readOptionalAddress(first.get(StunAttribute.OTHER_ADDRESS)),
    responseOrigin: readOptionalAddress(first.get(StunAttribute.RESPONSE_ORIGIN)),
    errorCode,
    changeAddress: change !== undefined && (change[3]! & CHANGE_ADDRESS_BIT) !== 0,
    changePort: change !== undefined && (change[3]! & CHANGE_PORT_BIT) !== 0,
    refusedAttributes: readNumbers(first.get(StunAttribute.UNKNOWN_ATTRIBUTES)),
    unknownRequired,
    hasFingerprint: first.has(StunAttribute.FINGERPRINT),
  };
}

function readOptionalAddress(value: Uint8Array | undefined): SocketAddress | undefined {
  return value && readStunAddress(value, undefined);
}

/** RFC 8489, section 14.8: the hundreds in three bits, the rest in a byte. */
function readErrorCode(value: Uint8Array): number | undefined {
  if (value.length < 4) return undefined;
  const hundreds = value[2]! & 0x07;
  const rest = value[3]!;
  return hundreds < 3 || hundreds > 6 || rest > 99 ? undefined : hundreds * 100 + rest;
}

function readNumbers(value: Uint8Array | undefined): number[] {
  const numbers: number[] = [];
  for (let offset = 0; value !== undefined && offset + 2 <= value.length; offset += 2) {
    numbers.push(readUint16(value, offset));
  }
  return numbers;
}

function readUint16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}

function readUint32(bytes: Uint8Array, offset: number): number {
  return ((readUint16(bytes, offset) << 16) | readUint16(bytes, offset + 2)) >>> 0;
}
