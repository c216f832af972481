/**
 * What share codes and reply codes say, in bytes (docs/protocol.md, "Codes"): byte 0, a commitment
 * to a key, and where its owner may be reached. The two differ in the length of the commitment, and
 * in that a reply code's candidates are masked.
 */
import {
  type Candidate,
  decodeCandidates,
  encodeCandidates,
  MAX_CANDIDATE_BYTES,
  MAX_CANDIDATES,
} from "../nat/candidate.ts";
import type { MappingClass } from "../nat/mapping_class.ts";
import {
  CODE_HEADER_BYTES,
  type CodeKind,
  type CodeProblem,
  decodeCodeHeader,
  encodeCodeHeader,
} from "./code_header.ts";

/** What either code says. */
export interface CodeContent {
  /** To the key of the code's owner. */
  readonly commitment: Uint8Array;
  /** What kind of NAT the owner is behind. */
  readonly mappingClass: MappingClass;
  /** Where the owner may be reached: 1 to {@linkcode MAX_CANDIDATES}. */
  readonly candidates: readonly Candidate[];
}

/** A kind of code and how it is written. */
export interface CodeFormat {
  readonly kind: CodeKind;
  readonly commitmentBytes: number;
  /** Masks the bytes of candidates, and unmasks them. */
  readonly mask?: (commitment: Uint8Array, candidates: Uint8Array) => void;
}

/** What {@linkcode decodeCodeContent} made of bytes. */
export type CodeContentResult =
  | { readonly ok: true; readonly content: CodeContent }
  | { readonly ok: false; readonly problem: CodeProblem };

/**
 * The bytes of a code.
 *
 * @throws {RangeError} If the commitment has another length, there are no or too many candidates, or
 * one of them must not be in a code.
 */
export function encodeCodeContent(content: CodeContent, format: CodeFormat): Uint8Array {
  const { commitment, mappingClass, candidates } = content;
  const { kind, commitmentBytes } = format;
  if (commitment.length !== commitmentBytes) {
    throw new RangeError(
      `Cannot write ${kind} code: commitment of ${commitment.length} bytes, not ${commitmentBytes}`,
    );
  }
  if (candidates.length < 1 || candidates.length > MAX_CANDIDATES) {
    throw new RangeError(
      `Cannot write ${kind} code: ${candidates.length} candidates, not 1 to ${MAX_CANDIDATES}`,
    );
  }
  const start = CODE_HEADER_BYTES + commitmentBytes;
  const bytes = new Uint8Array(start + MAX_CANDIDATES * MAX_CANDIDATE_BYTES);
  bytes[0] = encodeCodeHeader(kind, mappingClass);
  bytes.set(commitment, CODE_HEADER_BYTES);
  const end = encodeCandidates(candidates, bytes, start);
  format.mask?.(commitment, bytes.subarray(start, end));
  return bytes.subarray(0, end);
}

/**
 * Reads the bytes of a code, which are not kept; never throws.
 *
 * @param options `allowLoopback` takes addresses of this machine itself.
 * @returns What it says, or the first problem found.
 */
export function decodeCodeContent(
  bytes: Uint8Array,
  format: CodeFormat,
  options: { readonly allowLoopback: boolean },
): CodeContentResult {
  const header = decodeCodeHeader(format.kind, bytes);
  if (!header.ok) return header;
  const start = CODE_HEADER_BYTES + format.commitmentBytes;
  if (bytes.length < start) return { ok: false, problem: { reason: "truncated" } };
  const commitment = bytes.slice(CODE_HEADER_BYTES, start);
  const list = bytes.slice(start);
  format.mask?.(commitment, list);
  const decoded = decodeCandidates(list, 0, options);
  if (!decoded.ok) return decoded;
  const { mappingClass } = header;
  return { ok: true, content: { commitment, mappingClass, candidates: decoded.candidates } };
}
