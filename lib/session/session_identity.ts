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
import { TransferError } from "../errors.ts";
import type { IdentityReport } from "../events.ts";
import { fingerprintOf } from "../identity/fingerprint.ts";
import {
  type IdentityBook,
  type Peer,
  type PeerChange,
  peerOfFingerprint,
  updatePeer,
} from "../identity/identity_book.ts";
import type { BookChange } from "../identity/identity_store.ts";
import type { Remembered } from "../identity/remember.ts";
import { type ExpectedPeer, findMismatch } from "./expected_peer.ts";
import type { OwnIdentity } from "./own_identity.ts";
import { SessionSecret } from "./session_secret.ts";
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
  readonly #secret: SessionSecret;
  /** Whether this side's statement was made. */
  #hasSigned = false;
  /** The key that the other side has proved, 32 bytes. */
  #remoteKey: Uint8Array | undefined;
  #report: IdentityReport | undefined;
  #isAlwaysAdmitted = false;
  /** Whether the session ended well: what is remembered now keeps the secret too. */
  #hasEndedWell = false;

  /** @param parts What it works with. */
  constructor(parts: SessionIdentityParts) {
    const { own, role, handshakeHash } = parts;
    this.#parts = parts;
    this.#secret = new SessionSecret({ ...parts, provider: own.provider });
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
    const { rememberPeer } = await import("../identity/remember.ts");
    const { peer, lookAlikes } = await own.store.update((book): BookChange<Remembered> => {
      const request = { publicKey, name, isAlwaysAdmitted: always };
      const { book: changed = book, result } = rememberPeer(
        own.provider,
        book,
        request,
        nowSeconds(),
      );
      return { book: this.#withSecret(changed, result.peer), result };
    });
    this.#isAlwaysAdmitted = peer.isAlwaysAdmitted;
    this.#report = { ...this.#report!, name: peer.name, recognition: "known" };
    return { name: peer.name, lookAlikes };
  }

  /**
   * The session is over: keeps what is to be kept. It is written beside, and waited for by
   * `OwnIdentity.close`.
   */
  handleEnd({ forth, back }: ExchangeEnd): void {
    this.#secret.wipeExporter();
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
    this.#secret.wipe();
  }

  #sign(): Uint8Array {
    const { own, role, handshakeHash } = this.#parts;
    const statement = own.sign({ role, handshakeHash });
    this.#hasSigned = true;
    this.#derive();
    return statement;
  }

  #findProblem(publicKey: Uint8Array | undefined): TransferError | undefined {
    const { own, expected, onIdentity } = this.#parts;
    const fingerprint = publicKey && fingerprintOf(own.provider, publicKey);
    if (fingerprint !== undefined && this.#isBanned(fingerprint)) return sentAwayBefore();
    const mismatch = expected && findMismatch(expected, fingerprint);
    if (mismatch === undefined || publicKey === undefined || fingerprint === undefined) {
      return mismatch;
    }
    const name = expected?.name;
    if (name !== undefined) {
      onIdentity({ key: encodeHex(publicKey), fingerprint, name, recognition: "other_key" });
    }
    return mismatch;
  }

  #isBanned(fingerprint: string): boolean {
    return this.#parts.banned?.has(fingerprint) === true;
  }

  async #handleIdentity(publicKey: Uint8Array): Promise<void> {
    const { own, onIdentity } = this.#parts;
    this.#remoteKey = publicKey.slice();
    this.#derive();
    const fingerprint = fingerprintOf(own.provider, publicKey);
    // As it is now: somebody may have been remembered, or forgotten, since the operation began.
    const book = await own.store?.read();
    // Somebody may have sent it away while that was read, from another session of it.
    if (this.#isBanned(fingerprint)) throw sentAwayBefore();
    const peer = book && peerOfFingerprint(own.provider, book, fingerprint);
    this.#isAlwaysAdmitted = peer?.isAlwaysAdmitted ?? false;
    const key = encodeHex(publicKey);
    const report: IdentityReport = peer === undefined
      ? { key, fingerprint, recognition: "stranger" }
      : { key, fingerprint, name: peer.name, recognition: "known" };
    this.#report = report;
    onIdentity(report);
  }

  /** Makes P once both statements are there. */
  #derive(): void {
    const ownKey = this.#parts.own.publicKey;
    const remoteKey = this.#remoteKey;
    if (!this.#hasSigned || ownKey === undefined || remoteKey === undefined) return;
    this.#secret.derive(ownKey, remoteKey);
  }

  #peerIn(book: IdentityBook): Peer | undefined {
    const key = this.#remoteKey!;
    const { provider } = this.#parts.own;
    return peerOfFingerprint(provider, book, fingerprintOf(provider, key));
  }

  /** With the time at which the peer was seen, and the secret of a session that ended well. */
  #withSecret(book: IdentityBook, peer: Peer): IdentityBook {
    const secret = this.#hasEndedWell ? this.#secret.value : undefined;
    const change: PeerChange = {
      lastSeenSeconds: nowSeconds(),
      ...(secret === undefined ? {} : { pairSecret: secret.slice() }),
    };
    return updatePeer(book, peer, change);
  }
}

/** Why somebody is not let in again. */
function sentAwayBefore(): TransferError {
  return new TransferError("refused", "The client was sent away before");
}

/** Of the system's calendar: what is kept is for people. */
function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
