/**
 * How a client greets a sharer and comes to trust it: HELLO, words and identity, until it is let in
 * (docs/transfer.md, "From HELLO to OFFER"). Drives nothing by itself.
 *
 * ```
 *             HELLO          VERIFY_COMMIT       VERIFY_NONCE         [PENDING] [IDENTITY]
 *   greeting ──────► committing ─────────► opening ─────────► waiting ────────────────────► OFFER
 *       └────────────────────────────────────────────────────────▲
 *                            no words are wanted
 * ```
 */
import type { CryptoProvider } from "../crypto/provider.ts";
import { TransferError } from "../errors.ts";
import type { Exchange } from "./exchange.ts";
import { VERIFY_MISMATCH_TEXT, verifyMismatch, versionMismatchText } from "./greeting.ts";
import { IdentityExchange, type IdentityExchangeOptions } from "./identity_exchange.ts";
import { FEATURE_VERIFY, type Message, type PendingReason, TRANSFER_VERSION } from "./messages.ts";
import { ClientVerification, type VerificationOptions } from "./verify.ts";

/** How a client greets. */
export interface ClientGreetingOptions {
  /** Where SHA-256 comes from, and signatures are checked. */
  readonly crypto: CryptoProvider;
  /** For `--verify`; both sides must want it. False of `confirmWords` ends the session. */
  readonly verification?: VerificationOptions & {
    readonly confirmWords: (words: readonly string[]) => Promise<boolean>;
  };
  /** For identities; without it none is shown here and none is taken. */
  readonly identity?: IdentityExchangeOptions | undefined;
}

/** Messages that belong to a greeting. */
export type GreetingMessage =
  & Message
  & { readonly type: "hello" | "verify_commit" | "verify_nonce" | "identity" | "pending" };

/** A client's greeting of its sharer. */
export class ClientGreeting {
  readonly #options: ClientGreetingOptions;
  readonly #exchange: Exchange;
  readonly #onPending: (reason: PendingReason) => void;
  readonly #identity: IdentityExchange | undefined;
  #verification: ClientVerification | undefined;
  #confirmed: Promise<boolean> = Promise.resolve(true);
  #isConfirmed: boolean;
  #state: "greeting" | "committing" | "opening" | "waiting" = "greeting";
  #isPending = false;

  /**
   * @param options How it greets.
   * @param exchange The session.
   * @param onPending Called at most once: this side is not let in yet.
   */
  constructor(
    options: ClientGreetingOptions,
    exchange: Exchange,
    onPending: (reason: PendingReason) => void,
  ) {
    const { crypto, identity } = options;
    this.#options = options;
    this.#exchange = exchange;
    this.#onPending = onPending;
    this.#identity = identity && new IdentityExchange(crypto, identity);
    this.#isConfirmed = options.verification === undefined;
  }

  /** Says who this side is, if it does; called once. HELLO went with the handshake. */
  start(): void {
    const identity = this.#identity?.ownMessage();
    if (identity !== undefined) this.#exchange.add(identity);
  }

  /** Whether all was said that comes before OFFER. */
  get isOver(): boolean {
    return this.#state === "waiting" && this.#identity?.isAwaited !== true;
  }

  /** Whether the words were found to be the same, or nobody wanted them. */
  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  /** Whether the sharer is who it should be, once that is known. */
  async isTrusted(): Promise<boolean> {
    if (!(await this.#confirmed)) return false;
    await this.#identity?.known;
    return true;
  }

  /** Takes a message of the sharer. */
  handleMessage(message: GreetingMessage): void {
    switch (message.type) {
      case "hello":
        return this.#handleHello(message);
      case "verify_commit":
        return this.#handleCommitment(message.commitment);
      case "verify_nonce":
        return this.#handleNonce(message.nonce);
      case "identity":
        return this.#handleIdentity(message.statement);
      case "pending":
        if (this.#state !== "waiting" || this.#isPending || this.#identity?.isShown) {
          return this.#exchange.violation("PENDING out of turn");
        }
        this.#isPending = true;
        return this.#onPending(message.reason);
      default:
        return message satisfies never;
    }
  }

  #handleHello(hello: Message & { readonly type: "hello" }): void {
    const exchange = this.#exchange;
    if (this.#state !== "greeting") return exchange.violation("HELLO out of turn");
    if (hello.version !== TRANSFER_VERSION) {
      const reason = versionMismatchText(TRANSFER_VERSION, hello.version);
      const error = new TransferError("version_mismatch", `Cannot transfer: ${reason}`);
      return exchange.abort(error, { reason });
    }
    const isWanted = this.#options.verification !== undefined;
    if (isWanted !== ((hello.features & FEATURE_VERIFY) !== 0)) {
      return exchange.abort(verifyMismatch(isWanted), { reason: VERIFY_MISMATCH_TEXT });
    }
    const problem = this.#identity?.handleHello(hello.features);
    if (problem !== undefined) return exchange.abort(problem);
    this.#state = isWanted ? "committing" : "waiting";
  }

  #handleIdentity(statement: Uint8Array): void {
    const identity = this.#identity;
    if (this.#state !== "waiting" || !identity?.isAwaited) {
      return this.#exchange.violation("IDENTITY out of turn");
    }
    const problem = identity.handleStatement(statement);
    if (problem !== undefined) this.#exchange.abort(problem);
  }

  #handleCommitment(commitment: Uint8Array): void {
    const { verification, crypto } = this.#options;
    if (this.#state !== "committing" || verification === undefined) {
      return this.#exchange.violation("VERIFY_COMMIT out of turn");
    }
    this.#verification = new ClientVerification(crypto, commitment, verification);
    this.#exchange.send({ type: "verify_nonce", nonce: this.#verification.nonce });
    this.#state = "opening";
  }

  #handleNonce(nonce: Uint8Array): void {
    const exchange = this.#exchange;
    const { verification } = this.#options;
    if (this.#state !== "opening" || verification === undefined) {
      return exchange.violation("VERIFY_NONCE out of turn");
    }
    const words = this.#verification!.words(nonce);
    if (words === undefined) {
      return exchange.fail(
        "authentication_failed",
        "The other side's nonce is not the one it sealed",
      );
    }
    this.#state = "waiting";
    this.#confirmed = verification.confirmWords(words);
    this.#confirmed.then((isConfirmed) => {
      this.#isConfirmed = isConfirmed;
      if (!isConfirmed) exchange.fail("authentication_failed", "The words are not the same");
    }, (error) => exchange.crash(error));
  }
}
