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
  CODE_PREFIX,
  type CodeProblem,
  decodeCodeHeader,
  encodeCodeHeader,
  kindOfMistyped,
} from "./code_header.ts";

/** What a reply code says. */
export interface ReplyCode {
  /** Commitment to the client's key, 10 bytes: names the client among those of its share. */
  readonly r: Uint8Array;
  /** What kind of NAT the client is behind. */
  readonly mappingClass: MappingClass;
  /** Where the client may be reached: 1 to {@linkcode MAX_CANDIDATES}. */
  readonly candidates: readonly Candidate[];
}

/** What {@linkcode decodeReplyCode} made of a text. */
export type ReplyCodeResult =
  | { readonly ok: true; readonly code: ReplyCode }
  | { readonly ok: false; readonly problem: CodeProblem };

const CANDIDATES_OFFSET = CODE_HEADER_BYTES + REPLY_COMMITMENT_BYTES;

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
  const { r, mappingClass, candidates } = code;
  if (r.length !== REPLY_COMMITMENT_BYTES) {
    throw new RangeError(`Cannot write reply code: r has ${r.length} bytes, not 10`);
  }
  if (candidates.length < 1 || candidates.length > MAX_CANDIDATES) {
    throw new RangeError(
      `Cannot write reply code: ${candidates.length} candidates, not 1 to ${MAX_CANDIDATES}`,
    );
  }
  const bytes = new Uint8Array(CANDIDATES_OFFSET + MAX_CANDIDATES * MAX_CANDIDATE_BYTES);
  bytes[0] = encodeCodeHeader("reply", mappingClass);
  bytes.set(r, CODE_HEADER_BYTES);
  const end = encodeCandidates(candidates, bytes, CANDIDATES_OFFSET);
  maskReplyCandidates(keys, r, bytes.subarray(CANDIDATES_OFFSET, end));
  return encodeBech32m(CODE_PREFIX, bytes.subarray(0, end), replyChecksumMask(keys));
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
    if (kindOfMistyped(problem) === "share") return refused({ reason: "share_code" });
    if (problem.reason === "wrong_characters" && problem.characters.length === 0) {
      return refused({ reason: "other_share", characterCount: problem.characterCount });
    }
    return refused(problem);
  }
  const { bytes } = result;
  const header = decodeCodeHeader("reply", bytes);
  if (!header.ok) return header;
  if (bytes.length < CANDIDATES_OFFSET) return refused({ reason: "truncated" });
  const r = bytes.slice(CODE_HEADER_BYTES, CANDIDATES_OFFSET);
  const candidates = bytes.slice(CANDIDATES_OFFSET);
  maskReplyCandidates(keys, r, candidates);
  const list = decodeCandidates(candidates, 0, options);
  if (!list.ok) return refused(list.problem);
  return {
    ok: true,
    code: { r, mappingClass: header.mappingClass, candidates: list.candidates },
  };
}

function refused(problem: CodeProblem): ReplyCodeResult {
  return { ok: false, problem };
}
