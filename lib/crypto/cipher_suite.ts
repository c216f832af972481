/**
 * The two ciphers that packets may be sealed with (docs/protocol.md, "Cipher suites"). Everybody has
 * ChaCha20-Poly1305; AES-256-GCM is taken where both sides said in the handshake that they have it.
 * The handshake itself, probes and cookies know only ChaCha20-Poly1305, and headers are masked with
 * the ChaCha20 block in either suite.
 *
 * Not here: which suite a session gets (`lib/protocol/transport_parameters.ts`).
 */
import { AES_LABELS, type KeyLabels, P2PFT_LABELS } from "./key_schedule.ts";
import type { Aead, CryptoProvider } from "./provider.ts";

/** A cipher for packets, with the bounds within which it was analysed. */
export interface CipherSuite {
  /** For people and reports. */
  readonly name: "ChaCha20-Poly1305" | "AES-256-GCM";
  /** From which its keys are derived; no key is ever used with two ciphers. */
  readonly labels: KeyLabels;
  /** Confidentiality limit: packets that one key may seal (RFC 9001, section 6.6). */
  readonly maxSealedPackets: number;
  /** Integrity limit: packets with a wrong tag that a session may see, over all its keys (as above). */
  readonly maxForgedPackets: number;
  /**
   * The cipher with a 32-byte key.
   *
   * @throws {RangeError} If the key has another length, or the provider does not have this cipher.
   */
  createAead(provider: CryptoProvider, key: Uint8Array): Aead;
}

/** What every implementation has. Its confidentiality limit is above all packet numbers. */
export const CHACHA20_POLY1305: CipherSuite = {
  name: "ChaCha20-Poly1305",
  labels: P2PFT_LABELS,
  maxSealedPackets: Number.MAX_SAFE_INTEGER,
  maxForgedPackets: 2 ** 36,
  createAead: (provider, key) => provider.createAead(key),
};

/** For machines with instructions for it. */
export const AES_256_GCM: CipherSuite = {
  name: "AES-256-GCM",
  labels: AES_LABELS,
  maxSealedPackets: 2 ** 23,
  maxForgedPackets: 2 ** 52,
  createAead(provider, key) {
    if (provider.createAesGcm === undefined) {
      throw new RangeError(`Cannot use AES-256-GCM: ${provider.name} does not offer it`);
    }
    return provider.createAesGcm(key);
  },
};
