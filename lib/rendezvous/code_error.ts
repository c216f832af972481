/** Tells a person what is wrong with a code, and what to do. */
import type { WrongCharacter, WrongCharacters } from "../bytes/bech32m.ts";
import { TransferError } from "../errors.ts";
import type { ForbiddenScope } from "../nat/candidate.ts";
import { MAX_CANDIDATES } from "../nat/candidate.ts";
import type { CodeKind, CodeProblem } from "./code_header.ts";

/** The shortest code of each kind: one address in 192.168.0.0/16. */
const MIN_CHARACTERS: Record<CodeKind, number> = { share: 46, reply: 36, short: 26 };

/** What a code that cannot be read is called. */
const NAMES: Record<CodeKind, string> = { share: "code", reply: "reply code", short: "short code" };

/** More wrong characters than this are counted, not listed. */
const MAX_LISTED_CHARACTERS = 3;

const HINT_COMPARE = "Compare the code with the other side's screen and type it again";
const HINT_MADE_WRONG =
  "The code was copied right but made wrong: update p2pft on the side that shows it";
const HINT_REPLY_CODE =
  "Paste this code where the share runs; the code that is shown there belongs here";
const HINT_SHARE_CODE =
  "Use this code where the files shall be received; the reply code it shows belongs here";
const HINT_OTHER_SHARE =
  "Compare it with the receiving side's screen; if it is the same there, receive there again with this share's code";
const HINT_SHORT_CODE =
  "It is for somebody whom the sharer remembers: ask for a whole code, or use it with that identity (--identity)";
const HINT_OTHER_PAIR =
  "Compare it with the sharer's screen; if it is the same there, ask for a whole code: one of the two no longer remembers the other";
const HINT_LOOPBACK =
  "If both sides run on this machine, allow it with --allow-loopback (allowLoopback in the library)";

const SCOPE_WORDS: Record<ForbiddenScope, string> = {
  unspecified: "an unspecified address",
  multicast: "a multicast address",
  broadcast: "the broadcast address",
  loopback: "an address of this machine itself",
};

/**
 * The error for a share code that cannot be used.
 *
 * @param problem From `decodeShareCode`.
 * @returns `version_mismatch` for a code of another version, `bad_code` for all else. The text holds
 * no control characters, whatever was typed, and at most a few characters of the code.
 */
export function codeProblemError(problem: CodeProblem): TransferError {
  return errorOf("share", problem);
}

/**
 * The error for a reply code that cannot be used.
 *
 * @param problem From `decodeReplyCode`.
 * @returns As {@linkcode codeProblemError}.
 */
export function replyProblemError(problem: CodeProblem): TransferError {
  return errorOf("reply", problem);
}

/**
 * The error for a short code that cannot be used.
 *
 * @param problem From `decodeShortCode`.
 * @returns As {@linkcode codeProblemError}.
 */
export function shortProblemError(problem: CodeProblem): TransferError {
  return errorOf("short", problem);
}

function errorOf(kind: CodeKind, problem: CodeProblem): TransferError {
  const name = NAMES[kind];
  const badCode = (why: string, hint?: string): TransferError =>
    new TransferError(
      "bad_code",
      `Cannot read the ${name}: ${why}`,
      hint === undefined ? {} : { hint },
    );
  switch (problem.reason) {
    case "wrong_prefix":
      return badCode(`a ${name} begins with "p2p1"`);
    case "too_short":
      return badCode(describeShortage(kind, problem.characterCount));
    case "wrong_characters":
      return badCode(
        describeWrongCharacters(kind, problem),
        problem.characters.length > 0 ? HINT_COMPARE : undefined,
      );
    case "unknown_version":
      return new TransferError(
        "version_mismatch",
        `Cannot read the ${name}: it is of version ${problem.version}, ` +
          `this p2pft knows version ${problem.supported}`,
      );
    case "reply_code":
      return badCode(
        "it looks like a reply code, which belongs on the sharing side",
        HINT_REPLY_CODE,
      );
    case "share_code":
      return badCode(
        "it looks like a share code, which belongs on the receiving side",
        HINT_SHARE_CODE,
      );
    case "short_code":
      return badCode(
        kind === "reply"
          ? "it looks like a short code, which belongs on the receiving side"
          : "it looks like a short code, or several of its characters are wrong",
        kind === "reply" ? HINT_SHARE_CODE : HINT_SHORT_CODE,
      );
    case "other_pair":
      if (problem.characterCount < MIN_CHARACTERS[kind]) {
        return badCode(describeShortage(kind, problem.characterCount));
      }
      return badCode(
        "some of its characters are wrong, or it is of nobody who is remembered here",
        HINT_OTHER_PAIR,
      );
    case "other_share":
      if (problem.characterCount < MIN_CHARACTERS[kind]) {
        return badCode(describeShortage(kind, problem.characterCount));
      }
      return badCode(
        "several of its characters are wrong, or it answers the code of another share",
        HINT_OTHER_SHARE,
      );
    case "padding":
    case "reserved_bits":
      return badCode("it sets bits that must be zero", HINT_MADE_WRONG);
    case "truncated":
      return badCode("its contents end too early", HINT_MADE_WRONG);
    case "no_candidates":
      return badCode("it holds no address", HINT_MADE_WRONG);
    case "too_many_candidates":
      return badCode(`it holds more than ${MAX_CANDIDATES} addresses`, HINT_MADE_WRONG);
    case "not_shortest":
      return badCode("its addresses are not written in the shortest form", HINT_MADE_WRONG);
    case "port_zero":
      return badCode(`its address ${problem.host} has port 0`, HINT_MADE_WRONG);
    case "forbidden_address":
      return badCode(
        `it holds ${problem.host}, ${SCOPE_WORDS[problem.scope]}`,
        problem.scope === "loopback" ? HINT_LOOPBACK : HINT_MADE_WRONG,
      );
    default:
      return problem satisfies never;
  }
}

function describeShortage(kind: CodeKind, characterCount: number): string {
  return `it has ${characterCount} characters, a ${NAMES[kind]} has at least ` +
    `${MIN_CHARACTERS[kind]}`;
}

function describeWrongCharacters(kind: CodeKind, problem: WrongCharacters): string {
  const { characters, complete, characterCount } = problem;
  if (characters.length === 0) {
    if (characterCount < MIN_CHARACTERS[kind]) return describeShortage(kind, characterCount);
    return `several of its ${characterCount} characters are wrong, or some are missing`;
  }
  const listed = characters.slice(0, MAX_LISTED_CHARACTERS).map(describeWrongCharacter);
  const unlistedCount = characters.length - listed.length;
  if (unlistedCount > 0) listed.push(`${unlistedCount} more like that`);
  if (!complete) listed.push("other characters are wrong or missing too");
  return listed.join("; ");
}

function describeWrongCharacter(wrong: WrongCharacter): string {
  const character = quote(wrong.character);
  const near = quote(wrong.near);
  switch (wrong.problem) {
    case "prefix":
      return `character ${wrong.position} is ${character}, but a code begins with "p2p1"`;
    case "alphabet":
      return `character ${wrong.position}, ${character} in ${near}, never occurs in a code`;
    case "checksum":
      return `character ${wrong.position}, ${character} in ${near}, is wrong`;
    default:
      return wrong.problem satisfies never;
  }
}

/** In double quotes; all but printable ASCII as its number, since it may do anything to a terminal. */
function quote(text: string): string {
  const safe = Array.from(
    text,
    (character) =>
      /^[\x21-\x7e]$/.test(character)
        ? character
        : `<U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}>`,
  );
  return `"${safe.join("")}"`;
}
