/**
 * The short code: a share code for one peer that the sharer knows (docs/protocol.md, "Short code").
 * In place of `t` stand 4 bytes from which, with the secret that the pair keeps, both make `t`. Who
 * does not have that secret cannot even tell whose code it is.
 *
 * Not here: how the pair came to its secret (`lib/crypto/pair_secret.ts`), that both show their
 * identities before anything else counts, and the words in which a person is told that a code is
 * wrong (`code_error.ts`).
 */
import { decodeBech32m, encodeBech32m } from "../bytes/bech32m.ts";
import {
  SHORT_CODE_HINT_BYTES,
  shortCodeChecksumMask,
  type ShortCodeScope,
  shortCodeT,
} from "../crypto/pair_secret.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { type CodeFormat, decodeCodeContent, encodeCodeContent } from "./code_content.ts";
import { CODE_HEADER_BYTES, CODE_PREFIX, type CodeProblem, kindOfMistyped } from "./code_header.ts";
import type { ShareCode } from "./share_code.ts";

/** What a short code says. */
export interface ShortCode extends Omit<ShareCode, "t"> {
  /** 4 random bytes, other ones for each share. */
  readonly hint: Uint8Array;
}

/** Two peers as a short code knows them. */
export interface CodePair {
  /** The identity's public key of the one who shares, 32 bytes. */
  readonly sharerKey: Uint8Array;
  /** What the two keep, 32 bytes. */
  readonly pairSecret: Uint8Array;
}

/** What {@linkcode decodeShortCode} made of a text. */
export type ShortCodeResult<Pair extends CodePair> =
  | {
    readonly ok: true;
    /** As if it had come in a share code. Its `t` commits to no key: the identities do [CODE-8]. */
    readonly code: ShareCode;
    /** The one of the pairs whose code it is. */
    readonly pair: Pair;
  }
  | { readonly ok: false; readonly problem: CodeProblem };

const FORMAT: CodeFormat = { kind: "short", commitmentBytes: SHORT_CODE_HINT_BYTES };

const SYMBOL_BITS = 5;
/** Symbols of byte 0 and the hint together. */
const HINT_SYMBOLS = (CODE_HEADER_BYTES + SHORT_CODE_HINT_BYTES) * 8 / SYMBOL_BITS;

/**
 * Writes a short code:
 *
 * | offset | bytes | meaning |
 * | --- | --- | --- |
 * | 0 | 1 | bits 7-5 version (0), bit 4 reply code (0), bits 3-1 mapping class, bit 0 short (1) |
 * | 1 | 4 | hint |
 * | 5 | 5 to 76 | 1 to 4 candidates, see `encodeCandidates` |
 *
 * The checksum is masked [CODE-7].
 *
 * @param pair Of this side, which shares, and the peer the code is for.
 * @returns `p2p1…`, lower case: 30 characters with one public IPv4 address.
 * @throws {RangeError} If a length is wrong, there are no or too many candidates, or one of them
 * must not be in a code.
 */
export function encodeShortCode(
  provider: CryptoProvider,
  code: ShortCode,
  pair: CodePair,
): string {
  const { hint, ...rest } = code;
  const bytes = encodeCodeContent({ ...rest, commitment: hint }, FORMAT);
  return encodeBech32m(CODE_PREFIX, bytes, maskOf(provider, pair, hint));
}

/**
 * Reads a short code as people type it: in any case, with spaces, dashes and line breaks anywhere.
 * Never throws on what was typed; what must be refused without traffic is refused here [CODE-7].
 *
 * @param text Anything.
 * @param pairs Of every peer with whom a secret is kept, the peer as the one who shares.
 * @param options `allowLoopback` takes addresses of this machine itself.
 * @returns The code and whose it is, or the first problem found.
 * @throws {RangeError} If a key or secret of a pair is not 32 bytes.
 */
export function decodeShortCode<Pair extends CodePair>(
  provider: CryptoProvider,
  text: string,
  pairs: readonly Pair[],
  options: { readonly allowLoopback: boolean },
): ShortCodeResult<Pair> {
  // A checksum that is right without a mask is that of another kind of code, or of another version.
  const plain = decodeBech32m(CODE_PREFIX, text);
  if (plain.ok) {
    const decoded = decodeCodeContent(plain.bytes, FORMAT, options);
    return refused(
      decoded.ok ? { reason: "other_pair", characterCount: text.length } : decoded.problem,
    );
  }
  const { problem } = plain;
  const kind = kindOfMistyped(problem);
  if (problem.reason !== "wrong_characters" || kind === undefined) return refused(problem);
  if (kind === "reply") return refused({ reason: "reply_code" });
  if (kind === "share") return refused({ reason: "share_code" });
  const hint = hintOf(problem.symbols);
  for (const pair of hint === undefined ? [] : pairs) {
    const result = decodeBech32m(CODE_PREFIX, text, maskOf(provider, pair, hint!));
    if (!result.ok) continue;
    const decoded = decodeCodeContent(result.bytes, FORMAT, options);
    if (!decoded.ok) return decoded;
    const { mappingClass, candidates } = decoded.content;
    const t = shortCodeT(provider, pair.pairSecret, scopeOf(pair, hint!));
    return { ok: true, code: { t, mappingClass, candidates }, pair };
  }
  return refused({ reason: "other_pair", characterCount: problem.characterCount });
}

/** The hint in front of a checksum that is not known to be right. */
function hintOf(symbols: Uint8Array): Uint8Array | undefined {
  if (symbols.length < HINT_SYMBOLS) return undefined;
  // Byte 0 and the hint are 40 bits, 8 whole symbols: the hint is the lower 32.
  const value = symbols.subarray(0, HINT_SYMBOLS)
    .reduce((sum, symbol) => sum * 2 ** SYMBOL_BITS + symbol, 0);
  const hint = new DataView(new ArrayBuffer(SHORT_CODE_HINT_BYTES));
  hint.setUint32(0, value % 2 ** 32);
  return new Uint8Array(hint.buffer);
}

function maskOf(provider: CryptoProvider, pair: CodePair, hint: Uint8Array): number {
  return shortCodeChecksumMask(provider, pair.pairSecret, scopeOf(pair, hint));
}

function scopeOf({ sharerKey }: CodePair, hint: Uint8Array): ShortCodeScope {
  return { sharerKey, hint };
}

function refused(problem: CodeProblem): { readonly ok: false; readonly problem: CodeProblem } {
  return { ok: false, problem };
}
