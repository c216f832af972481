/**
 * The two frames by which peers tell each other where they are: CANDIDATES and OBSERVED_ADDRESS
 * (docs/protocol.md, "Frames"). What becomes of them is the business of `paths/news.ts`.
 *
 * ```
 * 0x09  CANDIDATES        sequence v · length v · 1 to 8 candidates, as lib/nat/candidate.ts has them
 * 0x0a  OBSERVED_ADDRESS  sequence v · family (1 byte: 4 or 6) · address (4 or 16) · port (2)
 * ```
 */
import { type ByteReader, writeVarint } from "../bytes/varint.ts";
import { ipAddressFromBytes, ipAddressToBytes, type SocketAddress } from "../nat/address.ts";
import {
  type Candidate,
  decodeCandidates,
  encodeCandidates,
  MAX_CANDIDATE_BYTES,
} from "../nat/candidate.ts";
import { Frame } from "./frame.ts";
import { MAX_FRAME_CANDIDATES } from "./params.ts";

/** A CANDIDATES frame as it was read: a whole list. */
export interface CandidatesFrame {
  /** Of several lists the one with the largest number counts. */
  readonly sequence: number;
  /** 1 to {@linkcode MAX_FRAME_CANDIDATES}; loopback addresses may be among them. */
  readonly candidates: readonly Candidate[];
}

/** An OBSERVED_ADDRESS frame as it was read. */
export interface ObservedAddressFrame {
  /** Of several addresses the one with the largest number counts. */
  readonly sequence: number;
  /** Where the sender of the frame sees its receiver. */
  readonly address: SocketAddress;
}

/** Bytes of the largest candidates: all with IPv6 addresses and ports of their own. */
const MAX_CANDIDATES_BYTES = MAX_FRAME_CANDIDATES * MAX_CANDIDATE_BYTES;

/** Most bytes of a CANDIDATES frame. */
export const MAX_CANDIDATES_FRAME_BYTES: number = 1 + 8 + 2 + MAX_CANDIDATES_BYTES;

/** Most bytes of an OBSERVED_ADDRESS frame. */
export const MAX_OBSERVED_FRAME_BYTES: number = 1 + 8 + 1 + 16 + 2;

/**
 * The body of a list of candidates, to be written into frames.
 *
 * @throws {RangeError} As `encodeCandidates`, and unless there are 1 to
 * {@linkcode MAX_FRAME_CANDIDATES} of them.
 */
export function encodeCandidateList(candidates: readonly Candidate[]): Uint8Array {
  if (candidates.length === 0 || candidates.length > MAX_FRAME_CANDIDATES) {
    throw new RangeError(
      `Cannot tell ${candidates.length} candidates: not 1 to ${MAX_FRAME_CANDIDATES}`,
    );
  }
  const bytes = new Uint8Array(MAX_CANDIDATES_BYTES);
  return bytes.slice(0, encodeCandidates(candidates, bytes, 0));
}

/**
 * Writes a CANDIDATES frame.
 *
 * @param list From {@linkcode encodeCandidateList}.
 * @returns The index just past the frame.
 */
export function writeCandidates(
  sequence: number,
  list: Uint8Array,
  out: Uint8Array,
  offset: number,
): number {
  out[offset] = Frame.CANDIDATES;
  const at = writeVarint(list.length, out, writeVarint(sequence, out, offset + 1));
  out.set(list, at);
  return at + list.length;
}

/** Reads the body of a CANDIDATES frame; undefined when it is malformed. */
export function readCandidates(reader: ByteReader): CandidatesFrame | undefined {
  const sequence = reader.varint();
  const list = reader.bytes(reader.varint());
  if (!reader.ok) return undefined;
  const result = decodeCandidates(list, 0, {
    allowLoopback: true,
    mostCandidates: MAX_FRAME_CANDIDATES,
  });
  return result.ok ? { sequence, candidates: result.candidates } : undefined;
}

/** Writes an OBSERVED_ADDRESS frame; returns the index just past it. */
export function writeObservedAddress(
  sequence: number,
  address: SocketAddress,
  out: Uint8Array,
  offset: number,
): number {
  out[offset] = Frame.OBSERVED_ADDRESS;
  let at = writeVarint(sequence, out, offset + 1);
  out[at++] = address.family;
  const bytes = ipAddressToBytes(address);
  out.set(bytes, at);
  at += bytes.length;
  out[at++] = address.port >>> 8;
  out[at++] = address.port;
  return at;
}

/** Reads the body of an OBSERVED_ADDRESS frame; undefined when it is malformed. */
export function readObservedAddress(reader: ByteReader): ObservedAddressFrame | undefined {
  const sequence = reader.varint();
  const family = reader.u8();
  if (family !== 4 && family !== 6) return undefined;
  const ip = ipAddressFromBytes(reader.bytes(family === 4 ? 4 : 16));
  const port = reader.u16();
  // An IPv4 address has one way to be written here.
  if (!reader.ok || ip?.family !== family || port === 0) return undefined;
  return { sequence, address: { family, host: ip.host, port } };
}
