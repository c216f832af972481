/**
 * What all codes have in common (docs/protocol.md, "Codes"): the prefix, byte 0, and the ways in
 * which a text can fail to be a code. Which of them a text is stands in its first two characters
 * after `p2p1`, so that it can be told even when the checksum is wrong [CODE-4].
 *
 * Not here: what follows byte 0 (`share_code.ts`, `reply_code.ts`, `short_code.ts`).
 */
import type { Bech32mProblem } from "../bytes/bech32m.ts";
import type { CandidateProblem } from "../nat/candidate.ts";
import { MAPPING_CLASSES, type MappingClass } from "../nat/mapping_class.ts";

/** Which code: the sharer's, the one with which a client answers it, or one between known peers. */
export type CodeKind = "share" | "reply" | "short";

/** Why a text is not a code that can be used. */
export type CodeProblem =
  | Bech32mProblem
  | CandidateProblem
  /** Made by a version that writes codes in another way. */
  | { readonly reason: "unknown_version"; readonly version: number; readonly supported: number }
  /** A reply code where a share code belongs. */
  | { readonly reason: "reply_code" }
  /** A share code where another one belongs. */
  | { readonly reason: "share_code" }
  /** A short code where another one belongs. */
  | { readonly reason: "short_code" }
  /**
   * A short code that is of none of the pairs, or one with wrong characters: both look the same.
   */
  | { readonly reason: "other_pair"; readonly characterCount: number }
  /**
   * A reply code to another share, or one with so many wrong characters that none can be named:
   * both look the same.
   */
  | { readonly reason: "other_share"; readonly characterCount: number };

/** What byte 0 says. */
export type CodeHeaderResult =
  | { readonly ok: true; readonly mappingClass: MappingClass }
  | { readonly ok: false; readonly problem: CodeProblem };

/** The human-readable part of every code. */
export const CODE_PREFIX = "p2p";

/** The version of codes that this reads and writes. */
export const CODE_VERSION = 0;

/** Bytes in front of the commitment. */
export const CODE_HEADER_BYTES = 1;

// Byte 0: bits 7-5 version · bit 4 reply code · bits 3-1 mapping class of the issuer · bit 0 short
// code, zero in a reply code
const VERSION_SHIFT = 5;
const REPLY_BIT = 0x10;
const MAPPING_SHIFT = 1;
const MAPPING_MASK = 0x07;
const SHORT_BIT = 0x01;

/** The first symbol of a code holds the five top bits of byte 0, the second the others. */
const FIRST_SYMBOL_SHIFT = 3;
const SECOND_SYMBOL_SHIFT = 2;
/** Where a person counts the first symbol: after `p2p1`. */
const FIRST_SYMBOL_POSITION = CODE_PREFIX.length + 2;

/** Byte 0 of a code. */
export function encodeCodeHeader(kind: CodeKind, mappingClass: MappingClass): number {
  return (CODE_VERSION << VERSION_SHIFT) | (kind === "reply" ? REPLY_BIT : 0) |
    (MAPPING_CLASSES.indexOf(mappingClass) << MAPPING_SHIFT) | (kind === "short" ? SHORT_BIT : 0);
}

/** Reads byte 0 of what shall be a code of `kind`; never throws. */
export function decodeCodeHeader(kind: CodeKind, bytes: Uint8Array): CodeHeaderResult {
  if (bytes.length < CODE_HEADER_BYTES) return refused({ reason: "truncated" });
  const header = bytes[0]!;
  // What follows the version may mean something else in another version, so it is asked
  // first [CODE-3].
  const version = header >>> VERSION_SHIFT;
  if (version !== CODE_VERSION) {
    return refused({ reason: "unknown_version", version, supported: CODE_VERSION });
  }
  const found = kindOf(header);
  if (found !== kind) return refused({ reason: `${found}_code` });
  const mappingClass = MAPPING_CLASSES[(header >>> MAPPING_SHIFT) & MAPPING_MASK];
  const isReservedSet = kind === "reply" && (header & SHORT_BIT) !== 0;
  if (mappingClass === undefined || isReservedSet) return refused({ reason: "reserved_bits" });
  return { ok: true, mappingClass };
}

function kindOf(header: number): CodeKind {
  if ((header & REPLY_BIT) !== 0) return "reply";
  return (header & SHORT_BIT) !== 0 ? "short" : "share";
}

/**
 * Which code a text with a wrong checksum is. The checksum of a reply code carries a mask that only
 * those know who hold its share code, that of a short code one that only its pair knows, so they
 * look wrong to everybody else, and that of a share code looks wrong under the masks; byte 0 tells
 * them apart from a code with a typing error.
 *
 * @returns Undefined when what tells is in a character that is known to be wrong, when the version
 * is another, or when the text was refused for another reason.
 */
export function kindOfMistyped(problem: Bech32mProblem): CodeKind | undefined {
  if (problem.reason !== "wrong_characters") return undefined;
  const isWrong = (index: number) =>
    problem.characters.some(({ position }) => position === FIRST_SYMBOL_POSITION + index);
  if (isWrong(0)) return undefined;
  const top = problem.symbols[0]! << FIRST_SYMBOL_SHIFT;
  if (top >>> VERSION_SHIFT !== CODE_VERSION) return undefined;
  const kind = kindOf(top | (problem.symbols[1]! >>> SECOND_SYMBOL_SHIFT));
  return kind !== "reply" && isWrong(1) ? undefined : kind;
}

function refused(problem: CodeProblem): CodeHeaderResult {
  return { ok: false, problem };
}
