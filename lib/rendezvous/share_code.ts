/**
 * The share code: the one text that a sharer gives to the people who shall receive
 * (docs/protocol.md, "Codes"). It says where the sharer may be reached and proves, through `t`,
 * which key it must show there. Nothing is sent or asked to read one.
 *
 * Not here: reply codes, which this only recognises, and the words in which a person is told that a
 * code is wrong (`code_error.ts`).
 */
import { type Bech32mProblem, decodeBech32m, encodeBech32m } from "../bytes/bech32m.ts";
import {
  type Candidate,
  type CandidateProblem,
  decodeCandidates,
  encodeCandidates,
  MAX_CANDIDATE_BYTES,
  MAX_CANDIDATES,
} from "../nat/candidate.ts";
import { MAPPING_CLASSES, type MappingClass } from "../nat/mapping_class.ts";

/** What a share code says. */
export interface ShareCode {
  /** Commitment to the sharer's key, and key of the handshake; 16 bytes, secret. */
  readonly t: Uint8Array;
  /** What kind of NAT the sharer is behind. */
  readonly mappingClass: MappingClass;
  /** Where the sharer may be reached: 1 to {@linkcode MAX_CANDIDATES}. */
  readonly candidates: readonly Candidate[];
}

/** Why a text is not a share code that can be used. */
export type CodeProblem =
  | Bech32mProblem
  | CandidateProblem
  /** Made by a version that writes codes in another way. */
  | { readonly reason: "unknown_version"; readonly version: number; readonly supported: number }
  /** A reply code, which belongs on the sharing side. */
  | { readonly reason: "reply_code" };

/** What {@linkcode decodeShareCode} made of a text. */
export type ShareCodeResult =
  | { readonly ok: true; readonly code: ShareCode }
  | { readonly ok: false; readonly problem: CodeProblem };

/** The human-readable part of every code. */
export const CODE_PREFIX = "p2p";

/** The version of codes that this reads and writes. */
export const CODE_VERSION = 0;

/** Bytes of `t`. */
export const SHARE_COMMITMENT_BYTES = 16;

// Byte 0: bits 7-5 version · bit 4 reply code · bits 3-1 mapping class of the issuer · bit 0 zero
const VERSION_SHIFT = 5;
const REPLY_BIT = 0x10;
const MAPPING_SHIFT = 1;
const MAPPING_MASK = 0x07;
const ZERO_BIT = 0x01;

const HEADER_BYTES = 1;
const CANDIDATES_OFFSET = HEADER_BYTES + SHARE_COMMITMENT_BYTES;
/** The first symbol of a code holds the five top bits of byte 0. */
const FIRST_SYMBOL_SHIFT = 3;
/** Where a person counts the first symbol: after `p2p1`. */
const FIRST_SYMBOL_POSITION = CODE_PREFIX.length + 2;

/**
 * Writes a share code:
 *
 * | offset | bytes | meaning |
 * | --- | --- | --- |
 * | 0 | 1 | bits 7-5 version (0), bit 4 reply code (0), bits 3-1 mapping class, bit 0 zero |
 * | 1 | 16 | `t` |
 * | 17 | 3 to 76 | 1 to 4 candidates, see {@linkcode encodeCandidates} |
 *
 * @returns `p2p1…`, lower case: 49 characters with one public IPv4 address.
 * @throws {RangeError} If `t` is not 16 bytes, there are no or too many candidates, or one of them
 * must not be in a code.
 */
export function encodeShareCode(code: ShareCode): string {
  const { t, mappingClass, candidates } = code;
  if (t.length !== SHARE_COMMITMENT_BYTES) {
    throw new RangeError(`Cannot write share code: t has ${t.length} bytes, not 16`);
  }
  if (candidates.length < 1 || candidates.length > MAX_CANDIDATES) {
    throw new RangeError(
      `Cannot write share code: ${candidates.length} candidates, not 1 to ${MAX_CANDIDATES}`,
    );
  }
  const bytes = new Uint8Array(CANDIDATES_OFFSET + MAX_CANDIDATES * MAX_CANDIDATE_BYTES);
  bytes[0] = (CODE_VERSION << VERSION_SHIFT) |
    (MAPPING_CLASSES.indexOf(mappingClass) << MAPPING_SHIFT);
  bytes.set(t, HEADER_BYTES);
  const end = encodeCandidates(candidates, bytes, CANDIDATES_OFFSET);
  return encodeBech32m(CODE_PREFIX, bytes.subarray(0, end));
}

/**
 * Reads a share code as people type it: in any case, with spaces, dashes and line breaks anywhere.
 * Never throws; what must be refused without traffic is refused here [CODE-1].
 *
 * @param text Anything.
 * @param options `allowLoopback` takes addresses of this machine itself.
 * @returns The code, or the first problem found.
 */
export function decodeShareCode(
  text: string,
  options: { readonly allowLoopback: boolean },
): ShareCodeResult {
  const result = decodeBech32m(CODE_PREFIX, text);
  if (!result.ok) {
    return refused(isReplyCode(result.problem) ? { reason: "reply_code" } : result.problem);
  }
  const { bytes } = result;
  // What follows the version may mean something else in another version, so it is asked
  // first [CODE-3].
  if (bytes.length < HEADER_BYTES) return refused({ reason: "truncated" });
  const header = bytes[0]!;
  const version = header >>> VERSION_SHIFT;
  if (version !== CODE_VERSION) {
    return refused({ reason: "unknown_version", version, supported: CODE_VERSION });
  }
  if ((header & REPLY_BIT) !== 0) return refused({ reason: "reply_code" });
  const mappingClass = MAPPING_CLASSES[(header >>> MAPPING_SHIFT) & MAPPING_MASK];
  if (mappingClass === undefined || (header & ZERO_BIT) !== 0) {
    return refused({ reason: "reserved_bits" });
  }
  if (bytes.length < CANDIDATES_OFFSET) return refused({ reason: "truncated" });
  const list = decodeCandidates(bytes, CANDIDATES_OFFSET, options);
  if (!list.ok) return refused(list.problem);
  return {
    ok: true,
    code: {
      t: bytes.slice(HEADER_BYTES, CANDIDATES_OFFSET),
      mappingClass,
      candidates: list.candidates,
    },
  };
}

/**
 * Whether a text with a wrong checksum is a reply code. Its checksum carries a mask that only those
 * know who hold the share code, so it always looks wrong here; the reply bit tells it from a share
 * code with a typing error, unless that bit is in one of the characters that are wrong.
 */
function isReplyCode(problem: Bech32mProblem): boolean {
  if (problem.reason !== "wrong_characters") return false;
  const top = problem.symbols[0]! << FIRST_SYMBOL_SHIFT;
  return top >>> VERSION_SHIFT === CODE_VERSION && (top & REPLY_BIT) !== 0 &&
    problem.characters.every(({ position }) => position !== FIRST_SYMBOL_POSITION);
}

function refused(problem: CodeProblem): ShareCodeResult {
  return { ok: false, problem };
}
