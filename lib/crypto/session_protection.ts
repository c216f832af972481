/**
 * From a finished handshake to the protection of its session's packets. The two outputs of Noise's
 * Split() are the first secrets of the key schedule as they are: the first protects what the client
 * (the initiator) sends, the second what the sharer sends. They are used for nothing else, but for what two identities keep of the session
 * (`pair_secret.ts`), from which no packet key follows.
 */
import { CHACHA20_POLY1305, type CipherSuite } from "./cipher_suite.ts";
import type { NoiseHandshake } from "./noise.ts";
import { PacketOpener } from "./packet_opener.ts";
import { PacketSealer } from "./packet_sealer.ts";
import { exporterSecret } from "./pair_secret.ts";
import type { CryptoProvider } from "./provider.ts";
import { wipe } from "./wipe.ts";

/** Both directions of one side's packet protection. */
export interface SessionProtection {
  /** For what this side sends. */
  readonly sealer: PacketSealer;
  /** For what it receives. */
  readonly opener: PacketOpener;
  /** See {@linkcode exporterSecret}; there when it was asked for, to be wiped by who asked. */
  readonly exporter?: Uint8Array;
}

/**
 * Makes the packet protection of a session.
 *
 * @param suite What both sides agreed on inside the handshake; ChaCha20-Poly1305 by default.
 * @param isExported Whether the exporter secret is wanted: only when identities may come.
 * @throws {RangeError} If the handshake is not finished.
 */
export function protectSession(
  provider: CryptoProvider,
  handshake: NoiseHandshake,
  suite: CipherSuite = CHACHA20_POLY1305,
  isExported = false,
): SessionProtection {
  const secrets = handshake.split();
  const { initiatorSecret, responderSecret } = secrets;
  const [mine, theirs] = handshake.role === "initiator"
    ? [initiatorSecret, responderSecret]
    : [responderSecret, initiatorSecret];
  const protection = {
    sealer: new PacketSealer(provider, mine, suite),
    opener: new PacketOpener(provider, theirs, suite),
    ...(isExported ? { exporter: exporterSecret(provider, secrets) } : {}),
  };
  wipe(initiatorSecret, responderSecret);
  return protection;
}
