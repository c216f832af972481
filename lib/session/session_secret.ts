/**
 * The secret that the two sides of one session would keep (docs/protocol.md, "Pair secret"): made once
 * both have said who they are, and overwritten when it is not to be kept.
 */
import type { IdentityRole } from "../crypto/identity.ts";
import { derivePairSecret } from "../crypto/pair_secret.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { wipe } from "../crypto/wipe.ts";

/** What the secret of a session is made from. */
export interface SessionSecretParts {
  readonly provider: CryptoProvider;
  /** What this side is in the session. */
  readonly role: IdentityRole;
  /** The hash of the session's finished handshake, 32 bytes. */
  readonly handshakeHash: Uint8Array;
  /** The session's exporter secret, wiped here; undefined when no secret is to be kept. */
  readonly exporter: Uint8Array | undefined;
}

/** The secret of one session. */
export class SessionSecret {
  readonly #parts: SessionSecretParts;
  #value: Uint8Array | undefined;

  /** @param parts What it is made from. */
  constructor(parts: SessionSecretParts) {
    this.#parts = parts;
  }

  /** 32 bytes; undefined as long as it was not made, and once it was overwritten. */
  get value(): Uint8Array | undefined {
    return this.#value;
  }

  /** Makes it, now that both sides' statements are right; the exporter is not wanted any longer then. */
  derive(ownKey: Uint8Array, remoteKey: Uint8Array): void {
    const { provider, role, handshakeHash, exporter } = this.#parts;
    if (exporter === undefined) return;
    this.#value = derivePairSecret(provider, exporter, {
      handshakeHash,
      clientKey: role === "client" ? ownKey : remoteKey,
      sharerKey: role === "client" ? remoteKey : ownKey,
    });
    wipe(exporter);
  }

  /** Overwrites what it would be made from: it is not made any more. */
  wipeExporter(): void {
    if (this.#parts.exporter) wipe(this.#parts.exporter);
  }

  /** Overwrites it. */
  wipe(): void {
    if (this.#value) wipe(this.#value);
    this.#value = undefined;
  }
}
