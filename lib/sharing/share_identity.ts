/**
 * Identities of a share: who shares, who is let in by who they are, and whom a short code is for.
 * One client's session is in `session_identity.ts`.
 */
import { shareCommitment } from "../crypto/commitment.ts";
import { SHORT_CODE_HINT_BYTES, shortCodeT } from "../crypto/pair_secret.ts";
import { TransferError } from "../errors.ts";
import type { TransferEvent } from "../events.ts";
import type { ShareOptions } from "../options.ts";
import { type IdentityTools, OwnIdentity, type PairedPeer } from "../session/own_identity.ts";
import type { EndpointEvent } from "../protocol/endpoint.ts";
import { encodeShareCode, type ShareCode } from "../rendezvous/share_code.ts";
import { encodeShortCode } from "../rendezvous/short_code.ts";
import { SessionIdentity } from "../session/session_identity.ts";

/** A short code of the share: for whom, and what it begins with. */
interface ShortCodeUse {
  readonly peer: PairedPeer;
  readonly hint: Uint8Array;
}

/** Who shares, and with whom. */
export class ShareIdentity {
  /** Fingerprints of those who are let in without a question. */
  readonly allowed: ReadonlySet<string>;
  readonly #own: OwnIdentity;
  /** Fingerprints of those who were sent away. */
  readonly #banned = new Set<string>();
  readonly #short: ShortCodeUse | undefined;

  private constructor(
    own: OwnIdentity,
    allowed: ReadonlySet<string>,
    short: ShortCodeUse | undefined,
  ) {
    this.#own = own;
    this.allowed = allowed;
    this.#short = short;
  }

  /**
   * Reads what is kept, and finds out whom the options mean.
   *
   * @throws {TransferError} `usage` for somebody who is not known, and what the store throws.
   */
  static async open(options: ShareOptions, tools: IdentityTools): Promise<ShareIdentity> {
    const { identity, allow = [], forPeer } = options;
    const own = await OwnIdentity.open(identity, tools);
    const allowed = new Set(allow.map((text) => own.expected(text).fingerprint));
    if (forPeer === undefined) return new ShareIdentity(own, allowed, undefined);
    if (own.publicKey === undefined) {
      throw new TransferError(
        "usage",
        "Cannot make a short code without showing who shares: it is for two who know each other",
        { hint: "Use it with an identity (--identity)" },
      );
    }
    const peer = own.pairedPeer(forPeer);
    const hint = new Uint8Array(SHORT_CODE_HINT_BYTES);
    tools.random.fill(hint);
    // Who proves to be the one that the code is for needs no other leave.
    allowed.add(peer.fingerprint);
    return new ShareIdentity(own, allowed, { peer, hint });
  }

  /** Lets nobody in any more who proves to have the key with this fingerprint. */
  ban(fingerprint: string): void {
    this.#banned.add(fingerprint);
  }

  /** Whether sessions are to hand out their exporter secret: there may be something to keep. */
  get isExported(): boolean {
    return this.#own.publicKey !== undefined && this.#short === undefined;
  }

  /**
   * `t` of the share: the commitment to its key, or what follows from the secret of the pair.
   *
   * @param staticKey The share's public key, 32 bytes.
   */
  tOf(staticKey: Uint8Array): Uint8Array {
    const { provider, publicKey } = this.#own;
    if (this.#short === undefined) return shareCommitment(provider, staticKey);
    const { peer: { pairSecret }, hint } = this.#short;
    return shortCodeT(provider, pairSecret, { sharerKey: publicKey!, hint });
  }

  /** Writes the share's code, whichever kind it is; it never has both. */
  encodeCode(code: ShareCode): string {
    if (this.#short === undefined) return encodeShareCode(code);
    const { provider, publicKey } = this.#own;
    const { peer: { pairSecret }, hint } = this.#short;
    const { mappingClass, candidates } = code;
    return encodeShortCode(
      provider,
      { hint, mappingClass, candidates },
      { sharerKey: publicKey!, pairSecret },
    );
  }

  /**
   * Identities in the session of a client.
   *
   * @param session Its number.
   * @param emit Where it is told who the client is.
   */
  begin(
    session: number,
    { handshakeHash, exporter }: EndpointEvent & { readonly type: "accepted" },
    emit: (event: TransferEvent) => void,
  ): SessionIdentity {
    return new SessionIdentity({
      own: this.#own,
      role: "sharer",
      handshakeHash,
      exporter,
      expected: this.#short?.peer,
      banned: this.#banned,
      onIdentity: (report) => emit({ event: "identity", session, ...report }),
      onNotKept: (message) => emit({ event: "warning", session, code: "peer_not_kept", message }),
    });
  }

  /** Waits until what is to be kept is on the disk, and overwrites the secrets. */
  async close(): Promise<void> {
    await this.#own.close();
  }
}
