/**
 * Identities in one session: what this side shows, what the other side has proved, and what is kept
 * of it in the end (docs/protocol.md, "Identities" and "Pair secret"). What all sessions of an
 * operation have in common is in `own_identity.ts`.
 *
 * ```
 *              both statements right          the session ended well
 *  exporter E ───────────────────────▶ P ─────────────────────────────▶ in the file, if a peer
 *      └── one is missing: erased      └── ended otherwise: erased
 * ```
 */
import { encodeHex } from "../bytes/hex.ts";
import { asTransferError } from "../operation/connection_error.ts";
import type { IdentityRole } from "../crypto/identity.ts";
import { derivePairSecret } from "../crypto/pair_secret.ts";
import { wipe } from "../crypto/wipe.ts";
import { TransferError } from "../errors.ts";
import type { IdentityReport } from "../events.ts";
import { fingerprintOf } from "../identity/fingerprint.ts";
import {
  type IdentityBook,
  type Peer,
  type PeerChange,
  updatePeer,
} from "../identity/identity_book.ts";
import type { BookChange } from "../identity/identity_store.ts";
import {
  newKeyHint,
  peerOfFingerprint,
  type Remembered,
  rememberPeer,
} from "../identity/remember.ts";
import type { ExpectedPeer, OwnIdentity } from "./own_identity.ts";
import type { ExchangeEnd } from "../transfer/exchange.ts";
import type { IdentityExchangeOptions } from "../transfer/identity_exchange.ts";

/** What identities in one session work with. */
export interface SessionIdentityParts {
  readonly own: OwnIdentity;
  /** What this side is in the session. */
  readonly role: IdentityRole;
  /** The hash of the session's finished handshake, 32 bytes. */
  readonly handshakeHash: Uint8Array;
  /** The session's exporter secret, wiped here; absent when no secret is to be kept. */
  readonly exporter: Uint8Array | undefined;
  /** Whom the other side has to be; else the session ends. */
  readonly expected: ExpectedPeer | undefined;
  /** Fingerprints of those who are turned away at once. */
  readonly banned?: ReadonlySet<string>;
  /** Told whom the other side has proved to be. */
  readonly onIdentity: (report: IdentityReport) => void;
  /** Told of what could not be kept, for people. */
  readonly onNotKept: (message: string) => void;
}

/** How somebody is to be remembered who is met now. */
export interface RememberOptions {
  /** What the person calls them; may be left out of somebody who is remembered already. */
  readonly name?: string;
  /** Whether they are let into every share without a question from now on. */
  readonly always?: boolean;
}

/** Who is remembered now. */
export interface RememberResult {
  /** What they are called. */
  readonly name: string;
  /** Names of others that could be taken for it. */
  readonly lookAlikes: readonly string[];
}

/** Identities in one session. */
export class SessionIdentity {
  /** Its part of the transfer. */
  readonly exchange: IdentityExchangeOptions;
  readonly #parts: SessionIdentityParts;
  readonly #exporter: Uint8Array | undefined;
  /** Whether this side's statement was made. */
  #hasSigned = false;
  /** The key that the other side has proved, 32 bytes. */
  #remoteKey: Uint8Array | undefined;
  #pairSecret: Uint8Array | undefined;
  #report: IdentityReport | undefined;
  #isAlwaysAdmitted = false;
  /** Whether the session ended well: what is remembered now keeps the secret too. */
  #hasEndedWell = false;

  /** @param parts What it works with. */
  constructor(parts: SessionIdentityParts) {
    const { own, role, handshakeHash } = parts;
    this.#parts = parts;
    this.#exporter = parts.exporter;
    const shows = own.publicKey !== undefined;
    this.exchange = {
      role,
      handshakeHash,
      sign: shows ? () => this.#sign() : undefined,
      findProblem: (publicKey) => this.#findProblem(publicKey),
      onIdentity: (publicKey) => this.#handleIdentity(publicKey),
    };
  }

  /** Who the other side has proved to be; undefined when it has not, or not yet. */
  get report(): IdentityReport | undefined {
    return this.#report;
  }

  /**
   * Whether the other side is somebody who is let in without a question: by its key alone [WHO-3].
   *
   * @param allowed Fingerprints of this operation's own list.
   * @param options With `alone` nothing but this list counts.
   */
  isAllowed(allowed: ReadonlySet<string>, options: { readonly alone: boolean }): boolean {
    if (this.#report === undefined) return false;
    return allowed.has(this.#report.fingerprint) || (!options.alone && this.#isAlwaysAdmitted);
  }

  /**
   * Remembers the other side, at once; the secret of the two when the session ended well.
   *
   * @throws {TransferError} `usage` when it showed no identity, or as `rememberPeer`; and what the
   * store throws.
   */
  async remember({ name, always }: RememberOptions): Promise<RememberResult> {
    const { own } = this.#parts;
    const publicKey = this.#remoteKey;
    if (publicKey === undefined || own.store === undefined) {
      throw new TransferError("usage", "Cannot remember the other side: it showed no identity", {
        hint: "Use --identity on both sides",
      });
    }
    const { peer, lookAlikes } = await own.store.update((book) =>
      this.#remember(book, publicKey, {
        ...(name === undefined ? {} : { name }),
        ...(always === undefined ? {} : { always }),
      })
    );
    this.#isAlwaysAdmitted = peer.isAlwaysAdmitted;
    this.#report = { ...this.#report!, name: peer.name, recognition: "known" };
    return { name: peer.name, lookAlikes };
  }

  /**
   * The session is over: keeps what is to be kept. It is written beside, and waited for by
   * `OwnIdentity.settled`.
   */
  handleEnd({ forth, back }: ExchangeEnd): void {
    if (this.#exporter) wipe(this.#exporter);
    // A half that ended well did so on both sides: then both keep the secret, else neither. Should
    // one of them not come to it, short codes fail until the next session [PAIR-1].
    this.#hasEndedWell = [forth, back].some((end) =>
      end !== undefined && !(end instanceof TransferError)
    );
    if (!this.#hasEndedWell) this.wipe();
    const { own, role, onNotKept } = this.#parts;
    const keeping = this.#keep().catch((error) => onNotKept(asTransferError(error).message));
    own.track(keeping.finally(() => {
      // Who shares cannot be asked about this client any more; a receiver may be, until it is closed.
      if (role === "sharer") this.wipe();
    }));
  }

  /** Writes down that the other side was met, if it is a peer. */
  async #keep(): Promise<void> {
    const { store } = this.#parts.own;
    if (this.#remoteKey === undefined || store === undefined) return;
    // Nothing is locked, or made, for a stranger.
    if (this.#peerIn(await store.read()) === undefined) return;
    await store.update((book): BookChange<void> => {
      const peer = this.#peerIn(book);
      return { ...(peer ? { book: this.#withSecret(book, peer) } : {}), result: undefined };
    });
  }

  /** Overwrites the secret that the two would keep. */
  wipe(): void {
    if (this.#pairSecret) wipe(this.#pairSecret);
    this.#pairSecret = undefined;
  }

  #sign(): Uint8Array {
    const { own, role, handshakeHash } = this.#parts;
    const statement = own.sign({ role, handshakeHash });
    this.#hasSigned = true;
    this.#derive();
    return statement;
  }

  #findProblem(publicKey: Uint8Array | undefined): TransferError | undefined {
    const { own, expected, banned } = this.#parts;
    const fingerprint = publicKey && fingerprintOf(own.provider, publicKey);
    if (fingerprint !== undefined && banned?.has(fingerprint)) {
      return new TransferError("refused", "The client was sent away before");
    }
    return expected && this.#findMismatch(expected, publicKey);
  }

  /** Why the other side is not who it has to be. */
  #findMismatch(
    { name, fingerprint: wanted }: ExpectedPeer,
    publicKey: Uint8Array | undefined,
  ): TransferError | undefined {
    const { own, onIdentity } = this.#parts;
    const who = name === undefined ? wanted : `"${name}"`;
    if (publicKey === undefined) {
      return new TransferError(
        "authentication_failed",
        `Cannot be sure that the other side is ${who}: it shows no identity`,
        { hint: "Ask them to use --identity too" },
      );
    }
    const fingerprint = fingerprintOf(own.provider, publicKey);
    if (fingerprint === wanted) return undefined;
    if (name === undefined) {
      return new TransferError(
        "authentication_failed",
        `The other side is not ${who}: it shows ${fingerprint}`,
        { hint: "Somebody else uses this code: compare fingerprints by other means" },
      );
    }
    const key = encodeHex(publicKey);
    onIdentity({ key, fingerprint, name, recognition: "other_key" });
    return new TransferError(
      "authentication_failed",
      `The other side is not the ${who} who is remembered: it shows ${fingerprint}, and "${name}" ` +
        `has ${wanted}. It is a new machine of theirs, or somebody who pretends to be them`,
      { hint: newKeyHint(name) },
    );
  }

  async #handleIdentity(publicKey: Uint8Array): Promise<void> {
    const { own, onIdentity } = this.#parts;
    this.#remoteKey = publicKey.slice();
    this.#derive();
    const fingerprint = fingerprintOf(own.provider, publicKey);
    // As it is now: somebody may have been remembered, or forgotten, since the operation began.
    const book = await own.store?.read();
    const peer = book && peerOfFingerprint(own.provider, book, fingerprint);
    this.#isAlwaysAdmitted = peer?.isAlwaysAdmitted ?? false;
    const key = encodeHex(publicKey);
    const report: IdentityReport = peer === undefined
      ? { key, fingerprint, recognition: "stranger" }
      : { key, fingerprint, name: peer.name, recognition: "known" };
    this.#report = report;
    onIdentity(report);
  }

  /** Makes P once both statements are there; E is not wanted any longer then. */
  #derive(): void {
    const { own, role, handshakeHash } = this.#parts;
    const remoteKey = this.#remoteKey;
    const exporter = this.#exporter;
    if (!this.#hasSigned || remoteKey === undefined || exporter === undefined) return;
    const ownKey = own.publicKey!;
    this.#pairSecret = derivePairSecret(own.provider, exporter, {
      handshakeHash,
      clientKey: role === "client" ? ownKey : remoteKey,
      sharerKey: role === "client" ? remoteKey : ownKey,
    });
    wipe(exporter);
  }

  #peerIn(book: IdentityBook): Peer | undefined {
    const key = this.#remoteKey!;
    const { provider } = this.#parts.own;
    return peerOfFingerprint(provider, book, fingerprintOf(provider, key));
  }

  #remember(
    book: IdentityBook,
    publicKey: Uint8Array,
    { name, always }: RememberOptions,
  ): BookChange<Remembered> {
    const { provider } = this.#parts.own;
    const { book: changed = book, result } = rememberPeer(
      provider,
      book,
      { publicKey, name, isAlwaysAdmitted: always },
      nowSeconds(),
    );
    return { book: this.#withSecret(changed, result.peer), result };
  }

  /** With the time at which the peer was seen, and the secret of a session that ended well. */
  #withSecret(book: IdentityBook, peer: Peer): IdentityBook {
    const secret = this.#hasEndedWell ? this.#pairSecret : undefined;
    const change: PeerChange = {
      lastSeenSeconds: nowSeconds(),
      ...(secret === undefined ? {} : { pairSecret: secret.slice() }),
    };
    return updatePeer(book, peer, change);
  }
}

/** Of the system's calendar: what is kept is for people. */
function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
