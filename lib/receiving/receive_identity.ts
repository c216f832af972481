/**
 * Identities of a receive: what its code says, which may be a short one, and who the sharer has to
 * be. One connection's session is in `session_identity.ts`.
 */
import { TransferError } from "../errors.ts";
import type { TransferEvent } from "../events.ts";
import type { ReceiveOptions } from "../options.ts";
import type { ExpectedPeer } from "../session/expected_peer.ts";
import { type IdentityTools, OwnIdentity, type PairedPeer } from "../session/own_identity.ts";
import type { EndpointEvent } from "../protocol/endpoint.ts";
import { codeProblemError, shortProblemError } from "../rendezvous/code_error.ts";
import { decodeShareCode, type ShareCode } from "../rendezvous/share_code.ts";
import { decodeShortCode } from "../rendezvous/short_code.ts";
import { SessionIdentity } from "../session/session_identity.ts";
import { FEATURE_IDENTITY } from "../transfer/messages.ts";

/** A code that was read. */
interface ReadCode {
  readonly share: ShareCode;
  /** The peer whose short code it is: the sharer has to be that one [CODE-8]. */
  readonly peer?: PairedPeer;
}

/** Who receives, and from whom. */
export class ReceiveIdentity {
  /** What the code says. */
  readonly share: ShareCode;
  /** Whether it is a short one: its `t` commits to no key. */
  readonly isShortCode: boolean;
  readonly #own: OwnIdentity;
  readonly #expected: ExpectedPeer | undefined;

  private constructor(own: OwnIdentity, code: ReadCode, expected: ExpectedPeer | undefined) {
    this.#own = own;
    this.share = code.share;
    this.isShortCode = code.peer !== undefined;
    this.#expected = code.peer ?? expected;
  }

  /**
   * Reads what is kept, and the code.
   *
   * @throws {TransferError} `bad_code` or `version_mismatch` for the code, `usage` for somebody who is
   * not known or whose code it is not, and what the store throws.
   */
  static async open(
    text: string,
    options: ReceiveOptions,
    tools: IdentityTools,
  ): Promise<ReceiveIdentity> {
    const { identity, expectPeer, allowLoopback = false } = options;
    const own = await OwnIdentity.open(identity, tools);
    const expected = expectPeer === undefined ? undefined : own.expected(expectPeer);
    const code = readCode(own, text, allowLoopback);
    if (code.peer === undefined) return new ReceiveIdentity(own, code, expected);
    if (own.publicKey === undefined) {
      throw new TransferError("usage", "Cannot use a short code without saying who receives", {
        hint: "Use it with an identity (--identity), or ask for a whole code",
      });
    }
    if (expected !== undefined && expected.fingerprint !== code.peer.fingerprint) {
      throw new TransferError(
        "authentication_failed",
        `The code is of "${code.peer.name}", not of "${expected.name ?? expected.fingerprint}"`,
        { hint: "Ask the one you mean for a code" },
      );
    }
    return new ReceiveIdentity(own, code, expected);
  }

  /** Whether sessions are to hand out their exporter secret: there may be something to keep. */
  get isExported(): boolean {
    return this.#own.publicKey !== undefined && !this.isShortCode;
  }

  /** The feature bits of this side's HELLO. */
  get features(): number {
    return this.#own.publicKey === undefined ? 0 : FEATURE_IDENTITY;
  }

  /**
   * Identities in a connection to the sharer.
   *
   * @param session Its number.
   * @param emit Where it is told who the sharer is.
   */
  begin(
    session: number,
    { handshakeHash, exporter }: EndpointEvent & { readonly type: "connected" },
    emit: (event: TransferEvent) => void,
  ): SessionIdentity {
    return new SessionIdentity({
      own: this.#own,
      role: "client",
      handshakeHash,
      exporter,
      expected: this.#expected,
      onIdentity: (report) => emit({ event: "identity", session, ...report }),
      onNotKept: (message) => emit({ event: "warning", session, code: "peer_not_kept", message }),
    });
  }

  /** Waits until what is to be kept is on the disk, and overwrites the secrets. */
  async close(): Promise<void> {
    await this.#own.close();
  }
}

/** Reads a code of either kind [CODE-7]. */
function readCode(own: OwnIdentity, text: string, allowLoopback: boolean): ReadCode {
  const whole = decodeShareCode(text, { allowLoopback });
  if (whole.ok) return { share: whole.code };
  const pairs = own.pairedPeers.map((peer) => ({ ...peer, sharerKey: peer.publicKey }));
  const short = decodeShortCode(own.provider, text, pairs, { allowLoopback });
  if (short.ok) return { share: short.code, peer: short.pair };
  // Without an identity there is nothing to read a short one with: said is what it is.
  const isShort = whole.problem.reason === "short_code" && own.store !== undefined;
  throw isShort ? shortProblemError(short.problem) : codeProblemError(whole.problem);
}
