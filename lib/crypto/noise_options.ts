/**
 * What one side of a Noise handshake starts from, and the check that it has what its pattern needs.
 */
import type { NoisePattern } from "./noise_patterns.ts";
import { assertKeyLength, NO_KEY } from "./primitive_lengths.ts";
import type { KeyPair } from "./provider.ts";

/** Who sends the first message. */
export type NoiseRole = "initiator" | "responder";

/** What one side knows before the handshake. */
export interface NoiseOptions {
  /** A pattern name such as `XXpsk0`. */
  readonly pattern: string;
  /** Which side this is. */
  readonly role: NoiseRole;
  /** Bytes both sides must agree on; none if absent. */
  readonly prologue?: Uint8Array;
  /** The own static key pair, where the pattern has one. Not copied and not wiped: the owner does. */
  readonly staticKeys?: KeyPair;
  /** The peer's static public key, where the pattern knows it beforehand. */
  readonly remoteStaticKey?: Uint8Array;
  /** Pre-shared keys of 32 bytes, as many as the pattern has `psk` tokens. Not copied. */
  readonly psks?: readonly Uint8Array[];
}

/**
 * Insists on the keys that a pattern needs of this side.
 *
 * @throws {RangeError} If one is missing or not 32 bytes.
 */
export function checkNoiseOptions(pattern: NoisePattern, options: NoiseOptions): void {
  const isInitiator = options.role === "initiator";
  const known = [pattern.initiatorStaticKnown, pattern.responderStaticKnown];
  const [ownKnown, remoteKnown] = isInitiator ? known : known.toReversed();
  const sendsStatic = pattern.messages.some((tokens, index) =>
    (index % 2 === 0) === isInitiator && tokens.includes("s")
  );
  if (ownKnown || sendsStatic) {
    assertKeyLength("static secret key", options.staticKeys?.secretKey ?? NO_KEY);
    assertKeyLength("static public key", options.staticKeys?.publicKey ?? NO_KEY);
  }
  if (remoteKnown) assertKeyLength("peer's static key", options.remoteStaticKey ?? NO_KEY);
  const psks = options.psks ?? [];
  if (psks.length !== pattern.pskCount) {
    throw new RangeError(
      `Cannot start Noise ${pattern.name}: ${psks.length} pre-shared keys, not ${pattern.pskCount}`,
    );
  }
  for (const psk of psks) assertKeyLength("pre-shared key", psk);
}
