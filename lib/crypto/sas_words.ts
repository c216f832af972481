/**
 * The words people compare for `--verify`: the English list of BIP 39, whose 2048 words were chosen
 * to be told apart by their first four letters. Nothing else of BIP 39 is used.
 */
import { wordlist } from "npm:@scure/bip39@2.4.0/wordlists/english.js";
import type { SasIndices } from "./sas.ts";

/**
 * The words of three indices.
 *
 * @throws {RangeError} If an index has no word.
 */
export function sasWords(indices: SasIndices): [string, string, string] {
  return [word(indices[0]), word(indices[1]), word(indices[2])];
}

function word(index: number): string {
  const found = wordlist[index];
  if (found === undefined) throw new RangeError(`Cannot find word ${index}: there are 2048`);
  return found;
}
