/**
 * Public keys as people read, say and type them (docs/identities.md, "Fingerprints"): 25 letters and
 * digits in groups of five, in the alphabet of codes, which has no 1, b, i and o.
 */
import { bech32m } from "npm:@scure/base@2.4.0";
import type { CryptoProvider } from "../crypto/provider.ts";

/** Symbols of a fingerprint: 125 bits, so a second key with the same one costs 2^125 tries. */
export const FINGERPRINT_SYMBOLS = 25;

/** The fewest symbols that may stand for a whole fingerprint, among peers that are known. */
export const MIN_FINGERPRINT_PREFIX = 5;

const GROUP_SYMBOLS = 5;
const ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const LABEL = new TextEncoder().encode("p2pft fingerprint");

/**
 * The fingerprint of an identity: the first 125 bits of SHA-256("p2pft fingerprint" ‖ key).
 *
 * @param publicKey 32 bytes.
 * @returns Such as `c3ddg-d3e5r-npt8n-g3upg-tkdug`.
 */
export function fingerprintOf(provider: CryptoProvider, publicKey: Uint8Array): string {
  const symbols = bech32m.toWords(provider.sha256(LABEL, publicKey)).slice(0, FINGERPRINT_SYMBOLS);
  return inGroups(symbols.map((symbol) => ALPHABET[symbol]).join(""));
}

/**
 * The beginning of a fingerprint as it was typed: in any case, with spaces and dashes anywhere.
 *
 * @returns Such as `c3ddg-d3`, a prefix of what {@linkcode fingerprintOf} gives; undefined when it
 * is shorter than {@linkcode MIN_FINGERPRINT_PREFIX}, longer than a fingerprint, or has other
 * characters.
 */
export function fingerprintPrefix(typed: string): string | undefined {
  const symbols = typed.toLowerCase().replaceAll(/[\s-]/g, "");
  if (symbols.length < MIN_FINGERPRINT_PREFIX || symbols.length > FINGERPRINT_SYMBOLS) {
    return undefined;
  }
  if ([...symbols].some((symbol) => !ALPHABET.includes(symbol))) return undefined;
  return inGroups(symbols);
}

function inGroups(symbols: string): string {
  return symbols.match(new RegExp(`.{1,${GROUP_SYMBOLS}}`, "g"))!.join("-");
}
