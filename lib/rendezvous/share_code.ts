/**
 * The share code: the one text that a sharer gives to the people who shall receive
 * (docs/protocol.md, "Codes"). It says where the sharer may be reached and proves, through `t`,
 * which key it must show there. Nothing is sent or asked to read one.
 *
 * Not here: reply codes (`reply_code.ts`) and short codes (`short_code.ts`), which this only
 * recognises, and the words in which a person is told that a code is wrong (`code_error.ts`).
 */
import { decodeBech32m, encodeBech32m } from "../bytes/bech32m.ts";
import { SHARE_COMMITMENT_BYTES } from "../crypto/commitment.ts";
import type { Candidate } from "../nat/candidate.ts";
import type { MappingClass } from "../nat/mapping_class.ts";
import { type CodeFormat, decodeCodeContent, encodeCodeContent } from "./code_content.ts";
import { CODE_PREFIX, type CodeProblem, kindOfMistyped } from "./code_header.ts";

/** What a share code says. */
export interface ShareCode {
  /** Commitment to the sharer's key, and key of the handshake; 16 bytes, secret. */
  readonly t: Uint8Array;
  /** What kind of NAT the sharer is behind. */
  readonly mappingClass: MappingClass;
  /** Where the sharer may be reached: 1 to `MAX_CANDIDATES`. */
  readonly candidates: readonly Candidate[];
}

/** What {@linkcode decodeShareCode} made of a text. */
export type ShareCodeResult =
  | { readonly ok: true; readonly code: ShareCode }
  | { readonly ok: false; readonly problem: CodeProblem };

const FORMAT: CodeFormat = { kind: "share", commitmentBytes: SHARE_COMMITMENT_BYTES };

/**
 * Writes a share code:
 *
 * | offset | bytes | meaning |
 * | --- | --- | --- |
 * | 0 | 1 | bits 7-5 version (0), bit 4 reply code (0), bits 3-1 mapping class, bit 0 short (0) |
 * | 1 | 16 | `t` |
 * | 17 | 3 to 76 | 1 to 4 candidates, see `encodeCandidates` |
 *
 * @returns `p2p1…`, lower case: 49 characters with one public IPv4 address.
 * @throws {RangeError} If `t` is not 16 bytes, there are no or too many candidates, or one of them
 * must not be in a code.
 */
export function encodeShareCode(code: ShareCode): string {
  const { t, ...rest } = code;
  return encodeBech32m(CODE_PREFIX, encodeCodeContent({ ...rest, commitment: t }, FORMAT));
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
    const { problem } = result;
    const kind = kindOfMistyped(problem);
    if (kind === "reply") return { ok: false, problem: { reason: "reply_code" } };
    // A share code with one or two wrong characters, of which this one may be wrong, is no short one.
    const isShort = kind === "short" && problem.reason === "wrong_characters" && !problem.complete;
    return { ok: false, problem: isShort ? { reason: "short_code" } : problem };
  }
  const decoded = decodeCodeContent(result.bytes, FORMAT, options);
  if (!decoded.ok) return decoded;
  const { commitment, ...rest } = decoded.content;
  return { ok: true, code: { ...rest, t: commitment } };
}
