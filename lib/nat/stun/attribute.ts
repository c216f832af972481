/**
 * Attributes of STUN messages: their numbers, and the addresses inside them (RFC 8489, section 14;
 * RFC 5780, section 7).
 */
import { ipAddressFromBytes, ipAddressToBytes, type SocketAddress } from "../address.ts";

/** Numbers of the attributes that this project reads or writes. */
export const StunAttribute = {
  /** The address a response is about, plain; only from servers older than RFC 5389. */
  MAPPED_ADDRESS: 0x0001,
  /** Asks for an answer from the server's other address or port (RFC 5780). */
  CHANGE_REQUEST: 0x0003,
  /** Covers all before it with a password; what follows it is not covered and not believed. */
  MESSAGE_INTEGRITY: 0x0008,
  /** Why a request was refused. */
  ERROR_CODE: 0x0009,
  /** Which attributes of the request were not understood. */
  UNKNOWN_ATTRIBUTES: 0x000a,
  /** As MESSAGE-INTEGRITY, with SHA-256. */
  MESSAGE_INTEGRITY_SHA256: 0x001c,
  /** The address a response is about, XORed so that no NAT rewrites it in passing. */
  XOR_MAPPED_ADDRESS: 0x0020,
  /** CRC-32; always last. */
  FINGERPRINT: 0x8028,
  /** Where an answer was sent from (RFC 5780). */
  RESPONSE_ORIGIN: 0x802b,
  /** The server's other address and port (RFC 5780). */
  OTHER_ADDRESS: 0x802c,
} as const;

/** From here on a receiver may ignore what it does not know. */
const FIRST_OPTIONAL = 0x8000;

/** Attributes that must be understood, and are, though nothing follows from them here. */
const UNDERSTOOD: ReadonlySet<number> = new Set<number>([
  ...Object.values(StunAttribute),
  // SOURCE-ADDRESS, CHANGED-ADDRESS and REFLECTED-FROM of RFC 3489: some public servers still send
  // them beside XOR-MAPPED-ADDRESS.
  0x0004,
  0x0005,
  0x000b,
  // USERNAME, REALM, NONCE, PASSWORD-ALGORITHM, USERHASH: this project uses no credentials.
  0x0006,
  0x0014,
  0x0015,
  0x001d,
  0x001e,
]);

/** Bytes of the number and length before each value. */
export const ATTRIBUTE_HEADER_BYTES = 4;

const FAMILY_IPV4 = 1;
const FAMILY_IPV6 = 2;
const ADDRESS_OFFSET = 4;

/** Whether a message with this attribute means something that is not known here. */
export function isUnknownRequired(attribute: number): boolean {
  return attribute < FIRST_OPTIONAL && !UNDERSTOOD.has(attribute);
}

/**
 * Reads the value of an address attribute.
 *
 * | offset | bytes | meaning |
 * | --- | --- | --- |
 * | 0 | 1 | zero, ignored |
 * | 1 | 1 | family: 1 IPv4, 2 IPv6 |
 * | 2 | 2 | port |
 * | 4 | 4 or 16 | address |
 *
 * @param mask What port and address are XORed with: magic cookie and transaction id, 16 bytes;
 * undefined for plain ones.
 * @returns The address in canonical form, or undefined when the value is none or the port is 0.
 */
export function readStunAddress(
  value: Uint8Array,
  mask: Uint8Array | undefined,
): SocketAddress | undefined {
  const addressBytes = value[1] === FAMILY_IPV4 ? 4 : value[1] === FAMILY_IPV6 ? 16 : 0;
  if (addressBytes === 0 || value.length !== ADDRESS_OFFSET + addressBytes) return undefined;
  const plain = value.slice(2);
  if (mask !== undefined) xorStunAddress(plain, mask);
  const port = (plain[0]! << 8) | plain[1]!;
  const address = ipAddressFromBytes(plain.subarray(2));
  if (port === 0 || address === undefined) return undefined;
  return { family: address.family, host: address.host, port };
}

/**
 * Writes the value of an address attribute, laid out as in {@linkcode readStunAddress}.
 *
 * @returns The index just past the last byte written: 8 or 20 bytes further.
 * @throws {RangeError} If the address is not canonical or `out` has too little room.
 */
export function writeStunAddress(
  address: SocketAddress,
  mask: Uint8Array | undefined,
  out: Uint8Array,
  offset: number,
): number {
  const bytes = ipAddressToBytes(address);
  const end = offset + ADDRESS_OFFSET + bytes.length;
  if (end > out.length) {
    throw new RangeError(`Cannot encode STUN address: no room at ${offset} of ${out.length}`);
  }
  out[offset] = 0;
  out[offset + 1] = address.family === 4 ? FAMILY_IPV4 : FAMILY_IPV6;
  out[offset + 2] = address.port >>> 8;
  out[offset + 3] = address.port;
  out.set(bytes, offset + ADDRESS_OFFSET);
  if (mask !== undefined) xorStunAddress(out.subarray(offset + 2, end), mask);
  return end;
}

/** The port takes the first two bytes of the mask, the address all of it from its start. */
function xorStunAddress(portAndAddress: Uint8Array, mask: Uint8Array): void {
  portAndAddress[0]! ^= mask[0]!;
  portAndAddress[1]! ^= mask[1]!;
  for (let index = 2; index < portAndAddress.length; index++) {
    portAndAddress[index]! ^= mask[index - 2]!;
  }
}
