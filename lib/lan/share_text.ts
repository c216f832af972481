/**
 * The TXT record of a share (RFC 6763, section 6): `txtvers=1`, then `code=` and the share code. What
 * is shared is not in it: whoever is not admitted learns nothing of that.
 */
import { encodeHex } from "../bytes/hex.ts";
import { decodeShareCode, encodeShareCode } from "../rendezvous/share_code.ts";
import { MAX_TEXT_STRINGS } from "./limits.ts";

const VERSION = "txtvers=1";
const CODE_KEY = "code=";

/** What an announcement says. */
export interface ShareText {
  /** The share code, as `encodeShareCode` writes it. */
  readonly code: string;
  /** The same for all codes of one share, and for no other share: its commitment, hexadecimal. */
  readonly identity: string;
}

/** Writes the record. */
export function encodeShareText(code: string): Uint8Array[] {
  return [VERSION, CODE_KEY + code].map((string) => new TextEncoder().encode(string));
}

/**
 * Reads the record of a neighbour. Never throws.
 *
 * @returns Undefined unless it has a code in exactly the form in which codes are written.
 */
export function decodeShareText(strings: readonly Uint8Array[]): ShareText | undefined {
  const texts = strings.slice(0, MAX_TEXT_STRINGS).map((string) =>
    new TextDecoder().decode(string)
  );
  if (texts[0] !== VERSION) return undefined;
  const code = texts.find((text) => text.startsWith(CODE_KEY))?.slice(CODE_KEY.length);
  if (code === undefined) return undefined;
  const decoded = decodeShareCode(code, { allowLoopback: false });
  // Spelled otherwise it would be the same code, and look like another.
  if (!decoded.ok || encodeShareCode(decoded.code) !== code) return undefined;
  return { code, identity: encodeHex(decoded.code.t) };
}
