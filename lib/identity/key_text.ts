/**
 * A whole public key as a person copies it (docs/identities.md, "Keys as text"): bech32m of its 32
 * bytes with the prefix `p2pid`, 64 characters. Not a secret. A fingerprint is shorter, but a key
 * cannot be made from it.
 */
import { decodeBech32m, encodeBech32m } from "../bytes/bech32m.ts";
import { KEY_BYTES } from "../crypto/primitive_lengths.ts";
import { TransferError } from "../errors.ts";

/** The human-readable part. */
export const KEY_PREFIX = "p2pid";

/** Wrong characters that are named; of more only that there are more. */
const MAX_NAMED_CHARACTERS = 3;

/**
 * Writes a key.
 *
 * @param publicKey Ed25519, 32 bytes.
 * @returns `p2pid1…`, lower case.
 */
export function encodeKeyText(publicKey: Uint8Array): string {
  return encodeBech32m(KEY_PREFIX, publicKey);
}

/**
 * Reads a key in any case, with spaces, dashes and line breaks anywhere.
 *
 * @param text Anything.
 * @returns 32 bytes.
 * @throws {TransferError} `usage` that says what is wrong with it, and repeats at most a few
 * characters of it.
 */
export function decodeKeyText(text: string): Uint8Array {
  const result = decodeBech32m(KEY_PREFIX, text);
  if (result.ok) {
    if (result.bytes.length === KEY_BYTES) return result.bytes;
    throw wrongKey(`it holds ${result.bytes.length} bytes, not ${KEY_BYTES}`);
  }
  const { problem } = result;
  switch (problem.reason) {
    case "wrong_prefix":
      throw wrongKey(`a key begins with "${KEY_PREFIX}1"`);
    case "too_short":
      throw wrongKey(`it has ${problem.characterCount} characters, a key has 64`);
    case "padding":
      throw wrongKey("it sets bits that must be zero");
    case "wrong_characters": {
      const positions = problem.characters.slice(0, MAX_NAMED_CHARACTERS)
        .map(({ position }) => position);
      throw wrongKey(
        positions.length === 0
          ? `several of its ${problem.characterCount} characters are wrong, or some are missing`
          : `wrong at character ${positions.join(", ")}`,
      );
    }
    default:
      return problem satisfies never;
  }
}

function wrongKey(why: string): TransferError {
  return new TransferError("usage", `Cannot read the key: ${why}`, {
    hint: "Copy it again from what p2pft peers me prints on the other machine",
  });
}
