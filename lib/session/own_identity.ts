/**
 * Who this side of an operation is, and whom it knows: what all its sessions have in common. One
 * session is in `session_identity.ts`.
 */
import { type IdentityScope, signIdentity } from "../crypto/identity.ts";
import type { CryptoProvider, RandomSource } from "../crypto/provider.ts";
import { wipe } from "../crypto/wipe.ts";
import { TransferError } from "../errors.ts";
import { FINGERPRINT_SYMBOLS, fingerprintOf, fingerprintPrefix } from "../identity/fingerprint.ts";
import {
  EMPTY_BOOK,
  findPeer,
  type IdentityBook,
  type Peer,
  peerOfFingerprint,
} from "../identity/identity_book.ts";
import type { IdentityStore } from "../identity/identity_store.ts";
import type { IdentityOptions } from "../options.ts";
import type { ExpectedPeer } from "./expected_peer.ts";

/** A peer with whom short codes can be used. */
export interface PairedPeer extends ExpectedPeer {
  /** What it is called in the book. */
  readonly name: string;
  /** What the two keep, 32 bytes; wiped with the {@linkcode OwnIdentity} it is of. */
  readonly pairSecret: Uint8Array;
  /** Its public key, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** What an {@linkcode OwnIdentity} works with. */
export interface IdentityTools {
  readonly provider: CryptoProvider;
  readonly random: RandomSource;
}

/** A person's identity and peers, for one operation. */
export class OwnIdentity {
  /** The primitives. */
  readonly provider: CryptoProvider;
  /** Where both are kept; undefined without an identity. */
  readonly store: IdentityStore | undefined;
  readonly #book: IdentityBook;
  readonly #secretKey: Uint8Array | undefined;
  /** The public key that this side shows, 32 bytes; undefined when it shows none. */
  readonly publicKey: Uint8Array | undefined;
  /** Changes that are being written. */
  readonly #writing = new Set<Promise<void>>();

  /** @param shown The secret key of the identity to be shown, 32 bytes. */
  private constructor(
    provider: CryptoProvider,
    store: IdentityStore | undefined,
    book: IdentityBook,
    shown: Uint8Array | undefined,
  ) {
    this.provider = provider;
    this.store = store;
    this.#book = book;
    this.#secretKey = shown;
    this.publicKey = shown && provider.signingKeyOf(shown);
  }

  /**
   * Reads what is kept, and makes an identity when one is to be shown and there is none.
   *
   * @param options Undefined for who shows nothing and knows nobody.
   * @throws {TransferError} `read_failed`, `write_failed`, `disk_full` or `version_mismatch` of the
   * store.
   */
  static async open(
    options: IdentityOptions | undefined,
    { provider, random }: IdentityTools,
  ): Promise<OwnIdentity> {
    if (options === undefined) return new OwnIdentity(provider, undefined, EMPTY_BOOK, undefined);
    const { store, shows } = options;
    const book = await store.read();
    const secretKey = !shows ? undefined : book.secretKey ?? await store.ownKey(random);
    return new OwnIdentity(provider, store, book, secretKey);
  }

  /**
   * Signs one session; see `signIdentity`.
   *
   * @throws {Error} If this side shows no identity.
   */
  sign(scope: IdentityScope): Uint8Array {
    if (this.#secretKey === undefined) throw new Error("Cannot sign: no identity is shown");
    return signIdentity(this.provider, this.#secretKey, scope);
  }

  /**
   * Whom a text means: the whole name of a peer, or the whole fingerprint of anybody.
   *
   * @throws {TransferError} `usage` when it means nobody, or could mean two.
   */
  expected(text: string): ExpectedPeer {
    const whole = wholeFingerprint(text);
    const name = text.normalize("NFC");
    const named = this.#book.peers.find((peer) => peer.name === name);
    if (named !== undefined) {
      const fingerprint = fingerprintOf(this.provider, named.publicKey);
      if (whole === undefined || whole === fingerprint) return { fingerprint, name: named.name };
      throw new TransferError(
        "usage",
        `Cannot tell whom "${text}" means: it is a name and somebody else's fingerprint`,
        { hint: "Rename that peer with p2pft peers rename" },
      );
    }
    if (whole !== undefined) {
      const peer = peerOfFingerprint(this.provider, this.#book, whole);
      return { fingerprint: whole, ...(peer === undefined ? {} : { name: peer.name }) };
    }
    throw this.#unknown(text);
  }

  /**
   * A peer for whom a short code can be made.
   *
   * @throws {TransferError} `usage` when nobody is called so, or no secret is kept with them.
   */
  pairedPeer(text: string): PairedPeer {
    const { fingerprint } = this.expected(text);
    const peer = peerOfFingerprint(this.provider, this.#book, fingerprint);
    if (peer === undefined) throw this.#unknown(text);
    const paired = this.#paired(peer);
    if (paired !== undefined) return paired;
    throw new TransferError(
      "usage",
      `Cannot make a short code for "${peer.name}": the two of you keep no secret yet`,
      {
        hint: "It is made in a session of a whole code in which both show their identity and " +
          "remember each other",
      },
    );
  }

  /** Everybody whose short codes can be read. */
  get pairedPeers(): readonly PairedPeer[] {
    return this.#book.peers.flatMap((peer) => this.#paired(peer) ?? []);
  }

  /** Waits for a change to be written, with the operation's end. */
  track(change: Promise<void>): void {
    this.#writing.add(change);
    void change.finally(() => this.#writing.delete(change));
  }

  /** Waits until what is to be kept is on the disk, and overwrites the secrets. */
  async close(): Promise<void> {
    await Promise.all(this.#writing);
    if (this.#secretKey) wipe(this.#secretKey);
    if (this.#book.secretKey) wipe(this.#book.secretKey);
    for (const { pairSecret } of this.#book.peers) if (pairSecret) wipe(pairSecret);
  }

  #paired({ name, publicKey, pairSecret }: Peer): PairedPeer | undefined {
    if (pairSecret === undefined) return undefined;
    return { name, publicKey, pairSecret, fingerprint: fingerprintOf(this.provider, publicKey) };
  }

  /** Nobody is called so: who may have been meant is not guessed. */
  #unknown(text: string): TransferError {
    const isPrefix = findPeer(this.provider, this.#book, text).outcome !== "none";
    const why = isPrefix
      ? "it is only the beginning of a fingerprint"
      : "nobody is remembered under that name";
    return new TransferError("usage", `Cannot tell whom "${text}" means: ${why}`, {
      hint: "Give a name as p2pft peers list shows it, or a whole fingerprint",
    });
  }
}

/** A whole fingerprint in its usual form; undefined for anything else. */
function wholeFingerprint(text: string): string | undefined {
  const prefix = fingerprintPrefix(text);
  return prefix?.replaceAll("-", "").length === FINGERPRINT_SYMBOLS ? prefix : undefined;
}
