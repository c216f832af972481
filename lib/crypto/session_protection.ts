/**
 * From a finished handshake to the protection of its session's packets. The two outputs of Noise's
 * Split() are the first secrets of the key schedule as they are: the first protects what the client
 * (the initiator) sends, the second what the sharer sends. They are used for nothing else.
 */
import type { NoiseHandshake } from "./noise.ts";
import { PacketOpener } from "./packet_opener.ts";
import { PacketSealer } from "./packet_sealer.ts";
import type { CryptoProvider } from "./provider.ts";
import { wipe } from "./wipe.ts";

/** Both directions of one side's packet protection. */
export interface SessionProtection {
  /** For what this side sends. */
  readonly sealer: PacketSealer;
  /** For what it receives. */
  readonly opener: PacketOpener;
}

/**
 * Makes the packet protection of a session.
 *
 * @throws {RangeError} If the handshake is not finished.
 */
export function protectSession(
  provider: CryptoProvider,
  handshake: NoiseHandshake,
): SessionProtection {
  const { initiatorSecret, responderSecret } = handshake.split();
  const isInitiator = handshake.role === "initiator";
  const protection = {
    sealer: new PacketSealer(provider, isInitiator ? initiatorSecret : responderSecret),
    opener: new PacketOpener(provider, isInitiator ? responderSecret : initiatorSecret),
  };
  wipe(initiatorSecret, responderSecret);
  return protection;
}
