/**
 * The reply code: how a client that gets no answer tells the sharer where it is (docs/protocol.md,
 * "Reply code"). It says where the client may be reached and commits, through `r`, to the key it
 * will show. It belongs to one share: without that share's keys it can be neither read nor checked.
 *
 * Not here: what is done with it (hole punching, admission), and the words in which a person is told
 * that one is wrong (`code_error.ts`).
 */
import { decodeBech32m, encodeBech32m } from "../bytes/bech32m.ts";
import { REPLY_COMMITMENT_BYTES } from "../crypto/commitment.ts";
import { maskReplyCandidates, replyChecksumMask } from "../crypto/reply_mask.ts";
import type { ShareKeys } from "../crypto/share_keys.ts";
import type { Candidate } from "../nat/candidate.ts";
import type { MappingClass } from "../nat/mapping_class.ts";
import { type CodeFormat, decodeCodeContent, encodeCodeContent } from "./code_content.ts";
import { CODE_PREFIX, type CodeProblem, kindOfMistyped } from "./code_header.ts";

/** What a reply code says. */
export interface ReplyCode {
  /** Commitment to the client's key, 10 bytes: names the client among those of its share. */
  readonly r: Uint8Array;
  /** What kind of NAT the client is behind. */
  readonly mappingClass: MappingClass;
  /** Where the client may be reached: 1 to `MAX_CANDIDATES`. */
  readonly candidates: readonly Candidate[];
}

/** What {@linkcode decodeReplyCode} made of a text. */
export type ReplyCodeResult =
  | { readonly ok: true; readonly code: ReplyCode }
  | { readonly ok: false; readonly problem: CodeProblem };

/** @param keys Of the share that is answered. */
function formatFor(keys: ShareKeys): CodeFormat {
  return {
    kind: "reply",
    commitmentBytes: REPLY_COMMITMENT_BYTES,
    mask: (r, candidates) => maskReplyCandidates(keys, r, candidates),
  };
}

/**
 * Writes a reply code:
 *
 * | offset | bytes | meaning |
 * | --- | --- | --- |
 * | 0 | 1 | bits 7-5 version (0), bit 4 reply code (1), bits 3-1 mapping class, bit 0 zero |
 * | 1 | 10 | `r` |
 * | 11 | 5 to 76 | 1 to 4 candidates, see `encodeCandidates`, masked |
 *
 * The checksum is masked too [CODE-5].
 *
 * @param code `r` must be of a client key that no other reply code was made for: its mask must not
 * cover two lists.
 * @param keys From `deriveShareKeys`, of the share that is answered.
 * @returns `p2p1…`, lower case: 39 characters with one public IPv4 address.
 * @throws {RangeError} If `r` is not 10 bytes, there are no or too many candidates, or one of them
 * must not be in a code.
 */
export function encodeReplyCode(code: ReplyCode, keys: ShareKeys): string {
  const { r, ...rest } = code;
  const bytes = encodeCodeContent({ ...rest, commitment: r }, formatFor(keys));
  return encodeBech32m(CODE_PREFIX, bytes, replyChecksumMask(keys));
}

/**
 * Reads a reply code as people type it: in any case, with spaces, dashes and line breaks anywhere.
 * Never throws; what must be refused without traffic is refused here [CODE-6].
 *
 * @param text Anything.
 * @param keys From `deriveShareKeys`, of the share that shall have been answered.
 * @param options `allowLoopback` takes addresses of this machine itself.
 * @returns The code, or the first problem found.
 */
export function decodeReplyCode(
  text: string,
  keys: ShareKeys,
  options: { readonly allowLoopback: boolean },
): ReplyCodeResult {
  const result = decodeBech32m(CODE_PREFIX, text, replyChecksumMask(keys));
  if (!result.ok) {
    const { problem } = result;
    const kind = kindOfMistyped(problem);
    if (kind === "share" || kind === "short") return refused({ reason: `${kind}_code` });
    if (problem.reason === "wrong_characters" && problem.characters.length === 0) {
      return refused({ reason: "other_share", characterCount: problem.characterCount });
    }
    return refused(problem);
  }
  const decoded = decodeCodeContent(result.bytes, formatFor(keys), options);
  if (!decoded.ok) return decoded;
  const { commitment, ...rest } = decoded.content;
  return { ok: true, code: { ...rest, r: commitment } };
}

function refused(problem: CodeProblem): ReplyCodeResult {
  return { ok: false, problem };
}
