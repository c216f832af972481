/**
 * Finds the wrong characters of a bech32m text from its checksum.
 *
 * The checksum makes the text a word of a BCH code over GF(32) whose words differ in at least 4
 * symbols (up to 1023 symbols), in at least 5 up to 89 (BIP 173). So one wrong symbol always has
 * one explanation, two always have one up to 89 symbols; above, a few pairs of places share a
 * syndrome, and then nothing is named rather than the wrong place. More than two wrong symbols can
 * look like two others: about one in a thousand texts of 45 symbols, one in 400 of 77.
 *
 * This only locates. What the right symbol is follows from the same numbers and is left out on
 * purpose: a person must look at the code again, not accept a guess.
 *
 * @see {@link https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki | BIP 173}
 */

/** What the checksum of bech32m leaves behind: the constant of BIP 350. */
const BECH32M_RESIDUE = 0x2bc830a3;

/** x^6 mod the generator polynomial, times 1, 2, 4, 8, 16: six symbols of 5 bits each (BIP 173). */
const GENERATOR: readonly number[] = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** Longer texts are checked but no error is located in them; the longest code has 155 symbols. */
const MAX_LOCATED_SYMBOLS = 160;

/** Wrong symbols that can be named, those at known places included. */
const MAX_ERRORS = 2;

const SYMBOLS = 32;

/** Every single wrong symbol and what it does to the syndrome. Places count from the end here. */
interface ErrorTable {
  /** `place * 32 + difference` → syndrome. */
  readonly syndromes: Int32Array;
  /** Syndrome → place. */
  readonly places: ReadonlyMap<number, number>;
}

let table: ErrorTable | undefined;

/**
 * What is wrong with the checksum.
 *
 * @param prefix The human-readable part, lower case.
 * @param symbols Data and checksum, 5 bits each.
 * @param checksumMask XORed into the six checksum symbols when the text was made; 30 bits.
 * @returns 0 when the checksum is right; else a number that depends only on which symbols are wrong
 * and by how much, for {@linkcode locateErrors}.
 */
export function checksumSyndrome(
  prefix: string,
  symbols: Uint8Array,
  checksumMask: number,
): number {
  let residue = 1;
  for (let index = 0; index < prefix.length; index++) {
    residue = append(residue, prefix.charCodeAt(index) >> 5);
  }
  residue = append(residue, 0);
  for (let index = 0; index < prefix.length; index++) {
    residue = append(residue, prefix.charCodeAt(index) & 31);
  }
  for (const symbol of symbols) residue = append(residue, symbol);
  return residue ^ BECH32M_RESIDUE ^ checksumMask;
}

/**
 * Names the wrong symbols behind a syndrome, when there are at most two, those of `unreadable`
 * included.
 *
 * @param syndrome From {@linkcode checksumSyndrome}, unreadable symbols taken as 0.
 * @param length How many symbols there are.
 * @param unreadable Indexes of symbols known to be wrong, each once.
 * @returns Indexes of the other wrong symbols, ascending; undefined when no set of so few wrong
 * symbols explains the syndrome, or more than one does.
 */
export function locateErrors(
  syndrome: number,
  length: number,
  unreadable: readonly number[],
): readonly number[] | undefined {
  if (length > MAX_LOCATED_SYMBOLS || unreadable.length > MAX_ERRORS) return undefined;
  table ??= buildTable();
  const unreadablePlaces = unreadable.map((index) => length - 1 - index);
  const places = unreadable.length === 0
    ? explain(table, syndrome, length)
    : explainBeside(table, syndrome, length, unreadablePlaces);
  return places?.map((place) => length - 1 - place).sort((a, b) => a - b);
}

/** Up to two wrong symbols anywhere. */
function explain(table: ErrorTable, syndrome: number, length: number): number[] | undefined {
  if (syndrome === 0) return [];
  const single = placeOf(table, syndrome, length);
  if (single !== undefined) return [single];
  let found: number[] | undefined;
  for (let first = 0; first < length; first++) {
    for (let difference = 1; difference < SYMBOLS; difference++) {
      const rest = syndrome ^ table.syndromes[first * SYMBOLS + difference]!;
      const second = placeOf(table, rest, length);
      if (second === undefined || second <= first) continue;
      if (found !== undefined) return undefined;
      found = [first, second];
    }
  }
  return found;
}

/** One wrong symbol beside one that is unreadable, or none beside one or two. */
function explainBeside(
  table: ErrorTable,
  syndrome: number,
  length: number,
  unreadable: readonly number[],
): number[] | undefined {
  const [first, second] = unreadable;
  // Two explanations would differ in at most three symbols, and no two words are so near.
  for (let difference = 0; difference < SYMBOLS; difference++) {
    const rest = syndrome ^ table.syndromes[first! * SYMBOLS + difference]!;
    if (rest === 0) return [];
    const place = placeOf(table, rest, length);
    if (place === undefined || place === first) continue;
    if (second === undefined) return [place];
    if (place === second) return [];
  }
  return undefined;
}

function placeOf(table: ErrorTable, syndrome: number, length: number): number | undefined {
  const place = table.places.get(syndrome);
  return place !== undefined && place < length ? place : undefined;
}

function buildTable(): ErrorTable {
  const syndromes = new Int32Array(MAX_LOCATED_SYMBOLS * SYMBOLS);
  const places = new Map<number, number>();
  for (let difference = 1; difference < SYMBOLS; difference++) {
    let residue = difference;
    for (let place = 0; place < MAX_LOCATED_SYMBOLS; place++) {
      syndromes[place * SYMBOLS + difference] = residue;
      places.set(residue, place);
      residue = append(residue, 0);
    }
  }
  return { syndromes, places };
}

/** The residue of a word with one more symbol at its end. */
function append(residue: number, symbol: number): number {
  const top = residue >>> 25;
  let next = ((residue & 0x1ff_ffff) << 5) ^ symbol;
  for (const [bit, term] of GENERATOR.entries()) {
    if ((top >>> bit) & 1) next ^= term;
  }
  return next;
}
