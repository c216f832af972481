/**
 * Messages of PCP (RFC 6887): the MAP opcode for UDP over IPv4. Pure; who sends them when is the
 * business of `pcp_lease.ts`. PCP has no lease of IPv6 here: an IPv6 router is a link-local address
 * that nothing tells this program.
 *
 * ```
 * request     0 version 2 · 1 opcode 1 · 2 zero (2) · 4 lifetime (4) · 8 client address (16)
 * response    0 version 2 · 1 opcode 129 · 2 zero · 3 result · 4 lifetime (4) · 8 epoch (4) · 12 zero (12)
 * both        24 nonce (12) · 36 protocol 17 · 37 zero (3) · 40 internal port (2)
 *             · 42 external port (2) · 44 external address (16)
 * ```
 * IPv4 addresses stand as `::ffff:a.b.c.d`.
 */
import { type IpAddress, ipAddressFromBytes, ipAddressToBytes } from "../nat/address.ts";

const VERSION = 2;
const OPCODE_ANNOUNCE = 0;
const OPCODE_MAP = 1;
const RESPONSE_BIT = 0x80;
const PROTOCOL_UDP = 17;
const HEADER_BYTES = 24;
const MAP_BYTES = 60;
/** RFC 6887, section 7: no PCP message is longer. */
const MAX_MESSAGE_BYTES = 1100;

/** Bytes of the nonce that ties answers, renewals and the deletion to one mapping. */
export const PCP_NONCE_BYTES = 12;

/** The result by which a server says that it speaks another version. */
export const PCP_UNSUPPORTED_VERSION = 1;

/** RFC 6887, section 7.4. */
const RESULT_NAMES: ReadonlyMap<number, string> = new Map([
  [1, "unsupported version"],
  [2, "not authorized"],
  [3, "malformed request"],
  [4, "unsupported opcode"],
  [5, "unsupported option"],
  [6, "malformed option"],
  [7, "network failure"],
  [8, "no resources"],
  [9, "unsupported protocol"],
  [10, "user exceeded quota"],
  [11, "cannot provide external"],
  [12, "address mismatch"],
  [13, "excessive remote peers"],
]);

/** A request to map a UDP port. */
export interface PcpMapRequest {
  /** The address of this machine that the request comes from: the server compares. IPv4. */
  readonly client: IpAddress;
  /** {@linkcode PCP_NONCE_BYTES} random bytes, the same for every request about one mapping. */
  readonly nonce: Uint8Array;
  /** The port of this machine. */
  readonly internalPort: number;
  /** The outside port wished for; 0 for any. */
  readonly externalPort: number;
  /** The outside address wished for, e.g. the one that was granted before. */
  readonly externalAddress?: IpAddress;
  /** 0 deletes the mapping. */
  readonly lifetimeSeconds: number;
}

/** What a server answers. */
export type PcpResponse =
  | {
    /** The server speaks another version of PCP. */
    readonly kind: "other_version";
  }
  | {
    /** The server began anew, or answers a question for its epoch. */
    readonly kind: "announce";
    /** Seconds since the server lost its mappings. */
    readonly epochSeconds: number;
  }
  | {
    readonly kind: "map";
    /** 0 means granted; the fields that are granted mean nothing otherwise. */
    readonly result: number;
    readonly epochSeconds: number;
    /** How long the mapping, or a refusal, holds. */
    readonly lifetimeSeconds: number;
    /** A view into the datagram. */
    readonly nonce: Uint8Array;
    readonly internalPort: number;
    readonly externalPort: number;
    readonly externalAddress: IpAddress;
  };

/**
 * A request for, or the deletion of, the mapping of a UDP port.
 *
 * @throws {RangeError} If the nonce has another length or an address is not canonical.
 */
export function encodePcpMapRequest(request: PcpMapRequest): Uint8Array<ArrayBuffer> {
  if (request.nonce.length !== PCP_NONCE_BYTES) {
    throw new RangeError(`Cannot encode nonce: ${request.nonce.length} bytes, not 12`);
  }
  const bytes = new Uint8Array(MAP_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  bytes[1] = OPCODE_MAP;
  view.setUint32(4, request.lifetimeSeconds);
  writeAddress(request.client, bytes, 8);
  bytes.set(request.nonce, 24);
  bytes[36] = PROTOCOL_UDP;
  view.setUint16(40, request.internalPort);
  view.setUint16(42, request.externalPort);
  writeAddress(request.externalAddress ?? ANY_IPV4, bytes, 44);
  return bytes;
}

/** Reads a response. @returns Undefined when `datagram` is none of PCP for UDP. */
export function decodePcpResponse(datagram: Uint8Array): PcpResponse | undefined {
  if (datagram.length < HEADER_BYTES || datagram.length > MAX_MESSAGE_BYTES) return undefined;
  if (datagram[1]! < RESPONSE_BIT || datagram[0] === 0) return undefined;
  const result = datagram[3]!;
  if (datagram[0] !== VERSION) {
    return result === PCP_UNSUPPORTED_VERSION ? { kind: "other_version" } : undefined;
  }
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const epochSeconds = view.getUint32(8);
  const opcode = datagram[1]! ^ RESPONSE_BIT;
  if (opcode === OPCODE_ANNOUNCE) {
    return result === 0 ? { kind: "announce", epochSeconds } : undefined;
  }
  if (opcode !== OPCODE_MAP || datagram.length < MAP_BYTES || datagram[36] !== PROTOCOL_UDP) {
    return undefined;
  }
  return {
    kind: "map",
    result,
    epochSeconds,
    lifetimeSeconds: view.getUint32(4),
    nonce: datagram.subarray(24, 36),
    internalPort: view.getUint16(40),
    externalPort: view.getUint16(42),
    externalAddress: ipAddressFromBytes(datagram.subarray(44, 60))!,
  };
}

/** `2 not authorized`: a result for people. */
export function describePcpResult(result: number): string {
  return `${result} ${RESULT_NAMES.get(result) ?? "unknown result"}`;
}

/** RFC 6887, section 11.1: what a client writes that wishes for no outside address of its own. */
const ANY_IPV4: IpAddress = { family: 4, host: "0.0.0.0" };

function writeAddress(address: IpAddress, out: Uint8Array, offset: number): void {
  const bytes = ipAddressToBytes(address);
  if (bytes.length === 4) {
    out.fill(0xff, offset + 10, offset + 12);
    out.set(bytes, offset + 12);
  } else {
    out.set(bytes, offset);
  }
}
