/**
 * One side's part in the exchange of identities (docs/transfer.md, "Identities"): what it says of
 * itself, and what it makes of what the other side says. Pure; the greetings of both sides say when
 * each message may come. What is signed stands in `lib/crypto/identity.ts`, what a key is called is
 * known to the owner.
 *
 * ```
 *            HELLO with the feature           IDENTITY
 *  greeting ─────────────────────────▶ awaited ────────▶ shown
 *      └───────────────────────────────────────────────▶ none
 *            HELLO without it
 * ```
 */
import { checkIdentity, type IdentityRole } from "../crypto/identity.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { TransferError } from "../errors.ts";
import { FEATURE_IDENTITY, type Message } from "./messages.ts";

/** What one side's part works with. */
export interface IdentityExchangeOptions {
  /** What this side is in the session. */
  readonly role: IdentityRole;
  /** The hash of the session's finished handshake, 32 bytes. */
  readonly handshakeHash: Uint8Array;
  /**
   * Makes this side's statement, 96 bytes: called at most once, when it may be sent. Without it this
   * side makes none.
   */
  readonly sign?: (() => Uint8Array) | undefined;
  /**
   * Says why the session cannot go on with what the other side is; asked once, before anything else
   * is said or taken.
   *
   * @param publicKey What it has proved; undefined when it makes no statement.
   */
  readonly findProblem?:
    | ((publicKey: Uint8Array | undefined) => TransferError | undefined)
    | undefined;
  /**
   * Told of a key that was proved, and that there is no problem with. What it returns is waited for
   * before anybody is asked about the other side, or about what it offers.
   */
  readonly onIdentity?: ((publicKey: Uint8Array) => Promise<void>) | undefined;
}

/** One side's part. */
export class IdentityExchange {
  readonly #crypto: CryptoProvider;
  readonly #options: IdentityExchangeOptions;
  #state: "greeting" | "none" | "awaited" | "shown" = "greeting";
  #known: Promise<void> | undefined;

  /**
   * @param crypto Where signatures are checked.
   * @param options What it works with.
   */
  constructor(crypto: CryptoProvider, options: IdentityExchangeOptions) {
    this.#crypto = crypto;
    this.#options = options;
  }

  /** This side's feature bits of HELLO. */
  get features(): number {
    return this.#options.sign === undefined ? 0 : FEATURE_IDENTITY;
  }

  /** Whether a statement was announced and has not come: nothing else may come before it. */
  get isAwaited(): boolean {
    return this.#state === "awaited";
  }

  /** Whether the other side's statement came, and was right. */
  get isShown(): boolean {
    return this.#state === "shown";
  }

  /** Settles once the owner knows whose the key is; undefined when there is nothing to wait for. */
  get known(): Promise<void> | undefined {
    return this.#known;
  }

  /** This side's statement, when it is time for it; undefined when it makes none. */
  ownMessage(): Message | undefined {
    const statement = this.#options.sign?.();
    return statement === undefined ? undefined : { type: "identity", statement };
  }

  /**
   * Takes what the other side announced.
   *
   * @param features Of its HELLO.
   * @returns Why the session has to end, if it has to.
   */
  handleHello(features: number): TransferError | undefined {
    if ((features & FEATURE_IDENTITY) !== 0) {
      this.#state = "awaited";
      return undefined;
    }
    this.#state = "none";
    return this.#options.findProblem?.(undefined);
  }

  /**
   * Takes the other side's statement; called only while one is awaited.
   *
   * @returns Why the session has to end, if it has to [WHO-2].
   */
  handleStatement(statement: Uint8Array): TransferError | undefined {
    const { role, handshakeHash, findProblem, onIdentity } = this.#options;
    this.#state = "shown";
    const publicKey = checkIdentity(this.#crypto, statement, {
      role: role === "client" ? "sharer" : "client",
      handshakeHash,
    });
    if (publicKey === undefined) {
      return new TransferError(
        "authentication_failed",
        "The other side's proof of its identity is forged, or was made for another session",
        { hint: "Somebody may stand between the two of you: compare fingerprints by other means" },
      );
    }
    const problem = findProblem?.(publicKey);
    if (problem === undefined) this.#known = onIdentity?.(publicKey);
    return problem;
  }
}
