/**
 * Messages of NAT-PMP (RFC 6886), for UDP only: requests out, responses in. Pure; who sends them when
 * is the business of `nat_pmp_lease.ts`.
 *
 * ```
 * external address request     0 version 0 · 1 opcode 0
 * external address response    0 version 0 · 1 opcode 128 · 2 result (2) · 4 epoch (4) · 8 IPv4 (4)
 * mapping request              0 version 0 · 1 opcode 1 · 2 zero (2) · 4 internal port (2)
 *                              · 6 external port (2) · 8 lifetime (4)
 * mapping response             0 version 0 · 1 opcode 129 · 2 result (2) · 4 epoch (4)
 *                              · 8 internal port (2) · 10 external port (2) · 12 lifetime (4)
 * ```
 */
import { type IpAddress, ipAddressFromBytes } from "../nat/address.ts";

const VERSION = 0;
const OPCODE_ADDRESS = 0;
const OPCODE_MAP_UDP = 1;
const RESPONSE_BIT = 0x80;
const HEADER_BYTES = 8;
const ADDRESS_RESPONSE_BYTES = 12;
const MAP_BYTES = 12;
const MAP_RESPONSE_BYTES = 16;

/** Result of a router that does not speak this version: what a router says to PCP, too. */
export const NAT_PMP_UNSUPPORTED_VERSION = 1;

/** RFC 6886, section 3.5. */
const RESULT_NAMES: ReadonlyMap<number, string> = new Map([
  [1, "unsupported version"],
  [2, "not authorized"],
  [3, "network failure"],
  [4, "out of resources"],
  [5, "unsupported opcode"],
]);

/** A request to map a UDP port. */
export interface NatPmpMapRequest {
  /** The port of this machine. */
  readonly internalPort: number;
  /** The outside port wished for; 0 for any, and when `lifetimeSeconds` is 0. */
  readonly externalPort: number;
  /** 0 deletes the mapping. */
  readonly lifetimeSeconds: number;
}

/** What a router answers. */
export type NatPmpResponse =
  | {
    /** A router without an outside address, or that refuses, reports it by `result`. */
    readonly kind: "refused";
    /** Never 0. */
    readonly result: number;
    /** Which request was refused. */
    readonly request: "address" | "map" | "other";
    /** Seconds since the router lost its mappings. */
    readonly epochSeconds: number;
  }
  | {
    readonly kind: "address";
    readonly epochSeconds: number;
    /** The router's outside IPv4 address. */
    readonly address: IpAddress;
  }
  | {
    readonly kind: "map";
    readonly epochSeconds: number;
    readonly internalPort: number;
    readonly externalPort: number;
    /** 0 in the answer to a deletion. */
    readonly lifetimeSeconds: number;
  };

/** The request for the router's outside address. */
export function encodeNatPmpAddressRequest(): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(VERSION, OPCODE_ADDRESS);
}

/** A request for, or the deletion of, the mapping of a UDP port. */
export function encodeNatPmpMapRequest(request: NatPmpMapRequest): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(MAP_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  bytes[1] = OPCODE_MAP_UDP;
  view.setUint16(4, request.internalPort);
  view.setUint16(6, request.externalPort);
  view.setUint32(8, request.lifetimeSeconds);
  return bytes;
}

/** Reads a response. @returns Undefined when `datagram` is none of NAT-PMP for UDP. */
export function decodeNatPmpResponse(datagram: Uint8Array): NatPmpResponse | undefined {
  if (datagram.length < HEADER_BYTES || datagram[0] !== VERSION) return undefined;
  const opcode = datagram[1]! ^ RESPONSE_BIT;
  if (opcode >= RESPONSE_BIT) return undefined;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const result = view.getUint16(2);
  const epochSeconds = view.getUint32(4);
  if (result !== 0) {
    // Some routers cut refusals short, so nothing behind the header is looked at.
    const request = opcode === OPCODE_ADDRESS
      ? "address"
      : opcode === OPCODE_MAP_UDP
      ? "map"
      : "other";
    return { kind: "refused", result, request, epochSeconds };
  }
  if (opcode === OPCODE_ADDRESS && datagram.length >= ADDRESS_RESPONSE_BYTES) {
    return {
      kind: "address",
      epochSeconds,
      address: ipAddressFromBytes(datagram.subarray(8, 12))!,
    };
  }
  if (opcode === OPCODE_MAP_UDP && datagram.length >= MAP_RESPONSE_BYTES) {
    return {
      kind: "map",
      epochSeconds,
      internalPort: view.getUint16(8),
      externalPort: view.getUint16(10),
      lifetimeSeconds: view.getUint32(12),
    };
  }
  return undefined;
}

/** `2 not authorized`: a result for people. */
export function describeNatPmpResult(result: number): string {
  return `${result} ${RESULT_NAMES.get(result) ?? "unknown result"}`;
}
