/**
 * How a sharer comes to know a client and lets it in: HELLO, words, identity, and somebody's yes
 * (docs/transfer.md, "From HELLO to OFFER"). Drives nothing by itself.
 *
 * ```
 *            HELLO sent     [IDENTITY]  [words]         admit() says yes
 *   start() ───────────► greeting ─────────────► asking ───────────────► admitted
 *                                                   │ no
 *                                                   ▼
 *                                                refused
 * ```
 */
import type { CryptoProvider } from "../crypto/provider.ts";
import { TransferError } from "../errors.ts";
import type { Exchange } from "./exchange.ts";
import { VERIFY_MISMATCH_TEXT, verifyMismatch, versionMismatchText } from "./greeting.ts";
import { IdentityExchange, type IdentityExchangeOptions } from "./identity_exchange.ts";
import { decodeHello } from "./message_decoder.ts";
import { FEATURE_VERIFY, type Message, type PendingReason, TRANSFER_VERSION } from "./messages.ts";
import { SharerVerification, type VerificationOptions } from "./verify.ts";

/** How a sharer greets. */
export interface SharerGreetingOptions {
  /** Where SHA-256 comes from, and signatures are checked. */
  readonly crypto: CryptoProvider;
  /** The HELLO that came as the first request in message 3 of the handshake. */
  readonly clientHello: Uint8Array;
  /** What this side calls itself; at most 255 bytes of UTF-8. */
  readonly text?: string;
  /** For `--verify`; both sides must want it. */
  readonly verification?: VerificationOptions;
  /** For identities; without it none is shown here and none is taken. */
  readonly identity?: IdentityExchangeOptions | undefined;
  /**
   * Says whether the client may see and take the share; asked once it is known who it is, and gets
   * the words when they are compared. Without it everyone who holds the code may. Who is let in at
   * once is not told to wait.
   */
  readonly admit?: (words: readonly string[] | undefined) => boolean | Promise<boolean>;
  /** What the client is told that it waits for (default `admission`). */
  readonly pendingReason?: () => PendingReason;
}

/** A sharer's greeting of one client. */
export class SharerGreeting {
  readonly #options: SharerGreetingOptions;
  readonly #exchange: Exchange;
  readonly #onAdmitted: () => void;
  readonly #identity: IdentityExchange | undefined;
  #verification: SharerVerification | undefined;
  #state: "greeting" | "asking" | "admitted" = "greeting";

  /**
   * @param options How it greets.
   * @param exchange The session.
   * @param onAdmitted Called once, when the client is let in.
   */
  constructor(options: SharerGreetingOptions, exchange: Exchange, onAdmitted: () => void) {
    const { crypto, identity } = options;
    this.#options = options;
    this.#exchange = exchange;
    this.#onAdmitted = onAdmitted;
    this.#identity = identity && new IdentityExchange(crypto, identity);
  }

  /** Whether the client has to prove who it is before it says anything else [WHO-1]. */
  get isIdentityAwaited(): boolean {
    return this.#identity?.isAwaited === true;
  }

  /** Says HELLO, and looks at the client's; called once. */
  start(): void {
    const exchange = this.#exchange;
    const { clientHello, verification, text, crypto } = this.#options;
    const isWanted = verification !== undefined;
    const features = (isWanted ? FEATURE_VERIFY : 0) | (this.#identity?.features ?? 0);
    exchange.send({ type: "hello", version: TRANSFER_VERSION, features, text: text ?? "" });
    const hello = decodeHello(clientHello);
    if (hello === undefined) return exchange.violation("malformed HELLO");
    if (hello.version !== TRANSFER_VERSION) {
      const reason = versionMismatchText(TRANSFER_VERSION, hello.version);
      const error = new TransferError("version_mismatch", `Cannot transfer: ${reason}`);
      return exchange.abort(error, { reason });
    }
    if (isWanted !== ((hello.features & FEATURE_VERIFY) !== 0)) {
      return exchange.abort(verifyMismatch(isWanted), { reason: VERIFY_MISMATCH_TEXT });
    }
    const problem = this.#identity?.handleHello(hello.features);
    if (problem !== undefined) return exchange.abort(problem);
    if (verification !== undefined) {
      this.#verification = new SharerVerification(crypto, verification);
      exchange.send({ type: "verify_commit", commitment: this.#verification.commitment });
    } else if (!this.isIdentityAwaited) {
      this.#admit(undefined);
    }
  }

  /** Takes a message of the client. */
  handleMessage(message: Message & { readonly type: "identity" | "verify_nonce" }): void {
    if (message.type === "identity") this.#handleIdentity(message.statement);
    else this.#handleNonce(message.nonce);
  }

  #handleIdentity(statement: Uint8Array): void {
    const exchange = this.#exchange;
    const identity = this.#identity;
    if (!identity?.isAwaited) return exchange.violation("IDENTITY out of turn");
    const problem = identity.handleStatement(statement);
    if (problem !== undefined) return exchange.abort(problem);
    if (this.#verification === undefined) this.#admit(undefined);
  }

  #handleNonce(nonce: Uint8Array): void {
    const verification = this.#verification;
    if (this.#state !== "greeting" || verification === undefined) {
      return this.#exchange.violation("VERIFY_NONCE out of turn");
    }
    this.#exchange.send({ type: "verify_nonce", nonce: verification.nonce });
    this.#admit(verification.words(nonce));
  }

  #admit(words: readonly string[] | undefined): void {
    this.#state = "asking";
    const exchange = this.#exchange;
    // What came with the handshake may have ended it: nobody is to be asked about it then.
    if (exchange.hasEnded) return;
    const known = this.#identity?.known;
    if (known === undefined) return this.#ask(words);
    known.then(() => {
      if (!exchange.hasEnded) this.#ask(words);
    }, (error) => exchange.crash(error));
  }

  #ask(words: readonly string[] | undefined): void {
    const exchange = this.#exchange;
    const { admit, pendingReason = () => "admission" } = this.#options;
    if (admit === undefined) return this.#letIn();
    const answer = admit(words);
    if (typeof answer === "boolean") return this.#handleAnswer(answer);
    exchange.send({ type: "pending", reason: pendingReason() });
    answer.then((isAdmitted) => {
      if (!exchange.hasEnded) this.#handleAnswer(isAdmitted);
    }, (error) => exchange.crash(error));
  }

  #handleAnswer(isAdmitted: boolean): void {
    if (isAdmitted) this.#letIn();
    else this.#exchange.fail("refused", "The client was turned away");
  }

  /** The client is let in, and only then told who this side is [WHO-3]. */
  #letIn(): void {
    this.#state = "admitted";
    const identity = this.#identity?.ownMessage();
    if (identity !== undefined) this.#exchange.add(identity);
    this.#onAdmitted();
  }
}
