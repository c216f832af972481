/**
 * Bech32m as people type it (docs/protocol.md, "Codes"): BIP 350 without its length limit, with an
 * optional mask over the checksum. Reading ignores case, white space, dashes and invisible format
 * characters, and names one or two wrong characters exactly.
 *
 * The encoding itself is `@scure/base`; here is what makes it bearable to type.
 *
 * @see {@link https://github.com/bitcoin/bips/blob/master/bip-0350.mediawiki | BIP 350}
 */
import { bech32m } from "npm:@scure/base@2.4.0";
import { checksumSyndrome, locateErrors } from "./bech32m_errors.ts";

/** A character of a typed code that is wrong. */
export interface WrongCharacter {
  /** Index in the text as typed, in UTF-16 units. */
  readonly index: number;
  /** Counted from 1, spaces and dashes left out: what a person counts. */
  readonly position: number;
  /** As typed: one code point. */
  readonly character: string;
  /** The character among up to two neighbours on each side, as typed, without spaces and dashes. */
  readonly near: string;
  /** What shows that it is wrong: the fixed first characters, the alphabet, or the checksum. */
  readonly problem: "prefix" | "alphabet" | "checksum";
}

/** The checksum is wrong, or there are characters that cannot be there. */
export interface WrongCharacters {
  /** Which problem. */
  readonly reason: "wrong_characters";
  /** Those that could be named, in order; perhaps none. */
  readonly characters: readonly WrongCharacter[];
  /** Whether with these put right the checksum would be right: no other character is wrong. */
  readonly complete: boolean;
  /** Characters typed, spaces and dashes left out. */
  readonly characterCount: number;
  /** Data and checksum as typed, 5 bits each; 0 where a character is not in the alphabet. */
  readonly symbols: Uint8Array;
}

/** Why a text was refused. */
export type Bech32mProblem =
  /** The text does not begin as it must; it is something else. */
  | { readonly reason: "wrong_prefix" }
  /** Too few characters even for an empty code. */
  | { readonly reason: "too_short"; readonly characterCount: number }
  /** The checksum is right, but the last symbol carries bits that belong to no byte. */
  | { readonly reason: "padding" }
  | WrongCharacters;

/** What {@linkcode decodeBech32m} made of a text. */
export type Bech32mResult =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly problem: Bech32mProblem };

/** Characters of a code after the `1`, in the order of their values (BIP 173). */
const ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const SEPARATOR = "1";
const CHECKSUM_SYMBOLS = 6;
const SYMBOL_BITS = 5;
const SYMBOL_MASK = 31;
/**
 * Neighbours shown on each side of a wrong character. Enough to find it, few enough that a message
 * in somebody's log holds only a small part of a code that is secret.
 */
const NEAR_CHARACTERS = 2;
/** Chat programs turn `--` into a dash and put invisible characters where lines may break. */
const IGNORED = /^[\s\p{Dash_Punctuation}\p{Format}\u2212]$/u;

interface TypedCharacter {
  readonly index: number;
  readonly character: string;
}

/**
 * Writes bytes as `prefix`, `1`, data and checksum, in lower case.
 *
 * @param prefix The human-readable part, lower case.
 * @param bytes Any number of bytes.
 * @param checksumMask 30 bits XORed into the checksum, the first symbol in the top bits.
 */
export function encodeBech32m(prefix: string, bytes: Uint8Array, checksumMask = 0): string {
  const text = bech32m.encode(prefix, bech32m.toWords(bytes), false);
  if (checksumMask === 0) return text;
  const symbols = Uint8Array.from(
    text.slice(-CHECKSUM_SYMBOLS),
    (character) => ALPHABET.indexOf(character),
  );
  maskChecksum(symbols, checksumMask);
  return text.slice(0, -CHECKSUM_SYMBOLS) + formatSymbols(symbols);
}

/**
 * Reads what {@linkcode encodeBech32m} wrote, as people type it. Never throws.
 *
 * @param prefix The human-readable part the text must have, lower case.
 * @param text Anything.
 * @param checksumMask The mask it was written with.
 */
export function decodeBech32m(prefix: string, text: string, checksumMask = 0): Bech32mResult {
  const typed = significantCharacters(text);
  const start = prefix + SEPARATOR;
  const inPrefix: number[] = [];
  for (let at = 0; at < start.length; at++) {
    if (lowerCase(typed[at]?.character ?? "") !== start[at]) inPrefix.push(at);
  }
  // More than two wrong characters in the fixed part: most likely something else was pasted.
  if (inPrefix.length > 2) return refused({ reason: "wrong_prefix" });
  if (typed.length < start.length + CHECKSUM_SYMBOLS) {
    return refused({ reason: "too_short", characterCount: typed.length });
  }

  const symbols = new Uint8Array(typed.length - start.length);
  const unreadable: number[] = [];
  for (let index = 0; index < symbols.length; index++) {
    const symbol = ALPHABET.indexOf(lowerCase(typed[start.length + index]!.character));
    if (symbol < 0) unreadable.push(index);
    else symbols[index] = symbol;
  }
  if (inPrefix.length === 0 && unreadable.length === 0) {
    const plain = symbols.slice();
    maskChecksum(plain, checksumMask);
    const decoded = bech32m.decodeUnsafe(start + formatSymbols(plain), false);
    if (decoded) {
      const bytes = bech32m.fromWordsUnsafe(decoded.words);
      return bytes ? { ok: true, bytes } : refused({ reason: "padding" });
    }
  }

  const syndrome = checksumSyndrome(prefix, symbols, checksumMask);
  const located = locateErrors(syndrome, symbols.length, unreadable);
  if (inPrefix.length === 2 && located === undefined) return refused({ reason: "wrong_prefix" });
  const inData = (index: number) => start.length + index;
  const characters = [
    ...inPrefix.map((at) => describe(typed, at, "prefix")),
    ...unreadable.map((index) => describe(typed, inData(index), "alphabet")),
    ...(located ?? []).map((index) => describe(typed, inData(index), "checksum")),
  ].sort((a, b) => a.index - b.index);
  return refused({
    reason: "wrong_characters",
    characters,
    complete: located !== undefined,
    characterCount: typed.length,
    symbols,
  });
}

function refused(problem: Bech32mProblem): Bech32mResult {
  return { ok: false, problem };
}

function significantCharacters(text: string): TypedCharacter[] {
  const typed: TypedCharacter[] = [];
  let index = 0;
  for (const character of text) {
    if (!IGNORED.test(character)) typed.push({ index, character });
    index += character.length;
  }
  return typed;
}

/** ASCII only: other letters, such as the Kelvin sign, must not fold into the alphabet. */
function lowerCase(character: string): string {
  return character >= "A" && character <= "Z" ? character.toLowerCase() : character;
}

function describe(
  typed: readonly TypedCharacter[],
  at: number,
  problem: WrongCharacter["problem"],
): WrongCharacter {
  const { index, character } = typed[at]!;
  const near = typed.slice(Math.max(0, at - NEAR_CHARACTERS), at + NEAR_CHARACTERS + 1)
    .map((neighbour) => neighbour.character).join("");
  return { index, position: at + 1, character, near, problem };
}

/** XORs the last six symbols; doing it twice undoes it. */
function maskChecksum(symbols: Uint8Array, checksumMask: number): void {
  for (let place = 0; place < CHECKSUM_SYMBOLS; place++) {
    symbols[symbols.length - 1 - place]! ^= (checksumMask >>> (place * SYMBOL_BITS)) & SYMBOL_MASK;
  }
}

function formatSymbols(symbols: Uint8Array): string {
  let text = "";
  for (const symbol of symbols) text += ALPHABET[symbol]!;
  return text;
}
