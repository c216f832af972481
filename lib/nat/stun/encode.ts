/**
 * Writes STUN's Binding messages (RFC 8489), always with FINGERPRINT: the requests of a client, and
 * what a server answers. Reading, and the layout, is `message.ts`.
 */
import { ipAddressToBytes, type SocketAddress } from "../address.ts";
import { ATTRIBUTE_HEADER_BYTES, StunAttribute, writeStunAddress } from "./attribute.ts";
import { stunFingerprint } from "./fingerprint.ts";
import {
  CHANGE_ADDRESS_BIT,
  CHANGE_PORT_BIT,
  STUN_BINDING,
  STUN_CLASSES,
  STUN_HEADER_BYTES,
  STUN_MAGIC_COOKIE,
  STUN_TRANSACTION_ID_BYTES,
  stunAddressMask,
  type StunClass,
} from "./header.ts";

/** What a Binding request asks. */
export interface BindingRequest {
  /** 12 bytes, unpredictable. */
  readonly transactionId: Uint8Array;
  /** Asks for the answer from the server's other IP address (RFC 5780). */
  readonly changeAddress?: boolean;
  /** Asks for the answer from the server's other port (RFC 5780). */
  readonly changePort?: boolean;
}

/** What a Binding response tells. */
export interface BindingResponse {
  /** 12 bytes, those of the request. */
  readonly transactionId: Uint8Array;
  /** Where the request came from. */
  readonly mappedAddress: SocketAddress;
  /** The server's other address and port. */
  readonly otherAddress?: SocketAddress;
  /** Where the response is sent from. */
  readonly responseOrigin?: SocketAddress;
}

/** Why a Binding request is refused. */
export interface BindingError {
  /** 12 bytes, those of the request. */
  readonly transactionId: Uint8Array;
  /** 300 to 699. */
  readonly code: number;
  /** For people, at most 127 characters. */
  readonly reason: string;
  /** Attributes not understood, with code 420. */
  readonly unknownAttributes?: readonly number[];
}

const FINGERPRINT_BYTES = 4;

/**
 * Writes a Binding request with FINGERPRINT: 28 or 36 bytes.
 *
 * @returns The index just past the last byte written.
 * @throws {RangeError} If the transaction id is not 12 bytes or `out` has too little room.
 */
export function encodeBindingRequest(
  request: BindingRequest,
  out: Uint8Array,
  offset: number,
): number {
  const attributes: Attribute[] = [];
  const { changeAddress = false, changePort = false } = request;
  if (changeAddress || changePort) {
    const flags = (changeAddress ? CHANGE_ADDRESS_BIT : 0) | (changePort ? CHANGE_PORT_BIT : 0);
    attributes.push([StunAttribute.CHANGE_REQUEST, Uint8Array.of(0, 0, 0, flags)]);
  }
  return encodeMessage("request", request.transactionId, attributes, out, offset);
}

/**
 * Writes a Binding success response with FINGERPRINT: at most 108 bytes.
 *
 * @returns The index just past the last byte written.
 * @throws {RangeError} If the transaction id is not 12 bytes, an address is not canonical or `out`
 * has too little room.
 */
export function encodeBindingResponse(
  response: BindingResponse,
  out: Uint8Array,
  offset: number,
): number {
  const { transactionId, mappedAddress, responseOrigin, otherAddress } = response;
  const mask = stunAddressMask(transactionId);
  const attributes: Attribute[] = [
    [StunAttribute.XOR_MAPPED_ADDRESS, addressValue(mappedAddress, mask)],
  ];
  if (responseOrigin !== undefined) {
    attributes.push([StunAttribute.RESPONSE_ORIGIN, addressValue(responseOrigin)]);
  }
  if (otherAddress !== undefined) {
    attributes.push([StunAttribute.OTHER_ADDRESS, addressValue(otherAddress)]);
  }
  return encodeMessage("success", transactionId, attributes, out, offset);
}

/**
 * Writes a Binding error response with FINGERPRINT.
 *
 * @returns The index just past the last byte written.
 * @throws {RangeError} If the transaction id is not 12 bytes, the code is not 300 to 699 or `out` has
 * too little room.
 */
export function encodeBindingError(error: BindingError, out: Uint8Array, offset: number): number {
  const { transactionId, code, reason, unknownAttributes } = error;
  if (!Number.isInteger(code) || code < 300 || code > 699) {
    throw new RangeError(`Cannot encode STUN error: code ${code} is not 300 to 699`);
  }
  const text = new TextEncoder().encode(reason);
  const attributes: Attribute[] = [
    [StunAttribute.ERROR_CODE, Uint8Array.of(0, 0, Math.floor(code / 100), code % 100, ...text)],
  ];
  if (unknownAttributes !== undefined) {
    const value = unknownAttributes.flatMap((number) => [number >>> 8, number & 0xff]);
    attributes.push([StunAttribute.UNKNOWN_ATTRIBUTES, Uint8Array.from(value)]);
  }
  return encodeMessage("error", transactionId, attributes, out, offset);
}

type Attribute = readonly [number: number, value: Uint8Array];

function encodeMessage(
  messageClass: StunClass,
  transactionId: Uint8Array,
  attributes: readonly Attribute[],
  out: Uint8Array,
  start: number,
): number {
  if (transactionId.length !== STUN_TRANSACTION_ID_BYTES) {
    throw new RangeError(
      `Cannot encode STUN message: transaction id of ${transactionId.length} bytes, not 12`,
    );
  }
  let length = ATTRIBUTE_HEADER_BYTES + FINGERPRINT_BYTES;
  for (const [, value] of attributes) length += ATTRIBUTE_HEADER_BYTES + ((value.length + 3) & ~3);
  if (start + STUN_HEADER_BYTES + length > out.length) {
    throw new RangeError(`Cannot encode STUN message: no room at ${start} of ${out.length}`);
  }
  const classBits = STUN_CLASSES.indexOf(messageClass);
  let offset = writeUint16(
    STUN_BINDING | ((classBits & 2) << 7) | ((classBits & 1) << 4),
    out,
    start,
  );
  offset = writeUint16(length, out, offset);
  out.set(STUN_MAGIC_COOKIE, offset);
  out.set(transactionId, offset + STUN_MAGIC_COOKIE.length);
  offset = start + STUN_HEADER_BYTES;
  for (const [number, value] of attributes) {
    offset = writeUint16(number, out, offset);
    offset = writeUint16(value.length, out, offset);
    out.set(value, offset);
    const end = offset + value.length;
    offset = offset + ((value.length + 3) & ~3);
    out.fill(0, end, offset);
  }
  const fingerprint = stunFingerprint(out.subarray(start, offset));
  offset = writeUint16(StunAttribute.FINGERPRINT, out, offset);
  offset = writeUint16(FINGERPRINT_BYTES, out, offset);
  offset = writeUint16(fingerprint >>> 16, out, offset);
  return writeUint16(fingerprint & 0xffff, out, offset);
}

function addressValue(address: SocketAddress, mask?: Uint8Array): Uint8Array {
  const value = new Uint8Array(4 + ipAddressToBytes(address).length);
  writeStunAddress(address, mask, value, 0);
  return value;
}

function writeUint16(value: number, out: Uint8Array, offset: number): number {
  out[offset] = value >>> 8;
  out[offset + 1] = value;
  return offset + 2;
}
