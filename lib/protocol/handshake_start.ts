/** What both sides of a handshake begin with, so that they cannot come to differ. */
import { HandshakeCodec } from "../crypto/handshake_datagram.ts";
import { NoiseHandshake } from "../crypto/noise.ts";
import type { NoiseRole } from "../crypto/noise_options.ts";
import type { CryptoProvider, KeyPair, RandomSource } from "../crypto/provider.ts";
import { deriveShareKeys, wipeShareKeys } from "../crypto/share_keys.ts";
import { HANDSHAKE_PATTERN, HANDSHAKE_PROLOGUE } from "./params.ts";

/** What either side's handshake is made from. */
interface HandshakeMaterial {
  readonly provider: CryptoProvider;
  readonly random: RandomSource;
  /** The share's commitment, 16 bytes. */
  readonly t: Uint8Array;
  readonly staticKeys: KeyPair;
}

/** The codec of a share's datagrams, and Noise after prologue and psk. */
export function startHandshake(
  role: NoiseRole,
  { provider, random, t, staticKeys }: HandshakeMaterial,
): { readonly codec: HandshakeCodec; readonly noise: NoiseHandshake } {
  const keys = deriveShareKeys(provider, t);
  const codec = new HandshakeCodec(provider, keys, random);
  const noise = NoiseHandshake.start(provider, {
    pattern: HANDSHAKE_PATTERN,
    role,
    prologue: HANDSHAKE_PROLOGUE,
    staticKeys,
    psks: [keys.psk],
  });
  wipeShareKeys(keys);
  return { codec, noise };
}
