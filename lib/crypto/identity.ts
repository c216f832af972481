/**
 * Statements of identity (docs/protocol.md, "Identities"): a long-lived Ed25519 key signs one
 * session, inside its channel, so that people who met before know each other again.
 *
 * ```
 * signature = Ed25519( "p2pft id" ‖ role (1 byte: 0 client, 1 sharer) ‖ handshake hash (32) )
 * ```
 *
 * | offset | bytes | meaning |
 * | --- | --- | --- |
 * | 0 | 32 | public key |
 * | 32 | 64 | signature |
 *
 * The handshake hash is another one in each session and covers both static keys, both ephemeral
 * keys and the code, so a statement is worth nothing in another session, to a third party in the
 * middle for instance. The role keeps one side's statement from being sent back to it. The key signs
 * nothing but these 41 bytes, so there is nothing that a peer could have it sign for another use.
 *
 * Not here: when a statement is sent (the client first, the sharer only after admission), and what a
 * key is called (`lib/identity/`).
 */
import { concatBytes } from "../bytes/concat.ts";
import { HASH_BYTES } from "./hkdf.ts";
import { KEY_BYTES } from "./primitive_lengths.ts";
import { type CryptoProvider, SIGNATURE_BYTES } from "./provider.ts";

/** Which side of a session makes a statement. */
export type IdentityRole = "client" | "sharer";

/** Bytes of a statement. */
export const IDENTITY_STATEMENT_BYTES: number = KEY_BYTES + SIGNATURE_BYTES;

/** Of whom a statement is, and about which session. */
export interface IdentityScope {
  /** The side that makes the statement. */
  readonly role: IdentityRole;
  /** The hash of the session's finished Noise handshake, 32 bytes. */
  readonly handshakeHash: Uint8Array;
}

const LABEL = new TextEncoder().encode("p2pft id");
const ROLE_BYTES: Record<IdentityRole, number> = { client: 0, sharer: 1 };

/**
 * Makes the statement of this side's identity [ID-1].
 *
 * @param secretKey The identity's Ed25519 secret key, 32 bytes.
 * @param scope A session of this side's own, whose handshake is finished, and its role in it.
 * @returns {@linkcode IDENTITY_STATEMENT_BYTES} bytes, the same each time.
 * @throws {RangeError} If the key or the hash is not 32 bytes.
 */
export function signIdentity(
  provider: CryptoProvider,
  secretKey: Uint8Array,
  scope: IdentityScope,
): Uint8Array {
  const publicKey = provider.signingKeyOf(secretKey);
  return concatBytes(publicKey, provider.sign(secretKey, signedBytes(scope)));
}

/**
 * Checks the statement of the other side [ID-2]. Never throws on what the peer sent.
 *
 * @param statement From the peer.
 * @param scope The same session, and the role of the *other* side.
 * @returns The public key that made it, 32 bytes; undefined when the statement is not a right one.
 * @throws {RangeError} If the hash is not 32 bytes.
 */
export function checkIdentity(
  provider: CryptoProvider,
  statement: Uint8Array,
  scope: IdentityScope,
): Uint8Array | undefined {
  const signed = signedBytes(scope);
  if (statement.length !== IDENTITY_STATEMENT_BYTES) return undefined;
  const publicKey = statement.slice(0, KEY_BYTES);
  return provider.isSignature(publicKey, signed, statement.slice(KEY_BYTES))
    ? publicKey
    : undefined;
}

function signedBytes({ role, handshakeHash }: IdentityScope): Uint8Array {
  if (handshakeHash.length !== HASH_BYTES) {
    throw new RangeError(
      `Cannot use handshake hash: ${handshakeHash.length} bytes, not ${HASH_BYTES}`,
    );
  }
  return concatBytes(LABEL, Uint8Array.of(ROLE_BYTES[role]), handshakeHash);
}
