/**
 * What one person keeps: an identity of their own, perhaps, and the peers they remember. A value
 * that is never changed: each function gives a new one. Pure; the file is in `identity_file.ts` (its
 * text) and `identity_store.ts` (reading and replacing it).
 */
import { constantTimeEqual } from "../bytes/equal.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { fingerprintOf, fingerprintPrefix } from "./fingerprint.ts";

/** A remembered peer. */
export interface Peer {
  /** What the person calls it; see `petnameProblem`. No two peers have the same. */
  readonly name: string;
  /** Ed25519, 32 bytes. No two peers have the same. */
  readonly publicKey: Uint8Array;
  /** When it was added, in whole seconds since 1970. */
  readonly firstSeenSeconds: number;
  /** When it last proved who it is, likewise. */
  readonly lastSeenSeconds: number;
  /** What the two keep for short codes, 32 bytes. */
  readonly pairSecret?: Uint8Array;
  /** Whether it is let into every share without a question. */
  readonly isAlwaysAdmitted: boolean;
}

/** Everything that is in the file. */
export interface IdentityBook {
  /** Of the person's own identity: Ed25519, 32 bytes. Absent when there is none. */
  readonly secretKey?: Uint8Array;
  /** In the order they were added, at most {@linkcode MAX_PEERS}. */
  readonly peers: readonly Peer[];
}

/** The most peers that are remembered. */
export const MAX_PEERS = 1000;

/** Of somebody without an identity who remembers nobody. */
export const EMPTY_BOOK: IdentityBook = { peers: [] };

/** Who showed a key, as far as it is known. */
export type Recognition =
  /** The key is known, and nobody else was expected. */
  | { readonly kind: "known"; readonly peer: Peer }
  /** The key is known, but under another name than was expected: known key, new name. */
  | { readonly kind: "other_name"; readonly peer: Peer; readonly expectedName: string }
  /** The name that was expected has another key: known name, new key. Perhaps an impostor. */
  | { readonly kind: "other_key"; readonly peer: Peer }
  /** Neither is known. */
  | { readonly kind: "stranger" };

/** Which peer a text means. */
export type FindResult =
  | { readonly outcome: "found"; readonly peer: Peer }
  | { readonly outcome: "none" }
  /** More than one, by name or by the beginning of the fingerprint. */
  | { readonly outcome: "ambiguous"; readonly peers: readonly Peer[] };

/**
 * Says whose a key is.
 *
 * @param publicKey From a statement of identity that was checked.
 * @param expectedName Whom the person wants to meet, if anybody in particular.
 */
export function recognize(
  book: IdentityBook,
  publicKey: Uint8Array,
  expectedName?: string,
): Recognition {
  const ofKey = book.peers.find((peer) => constantTimeEqual(peer.publicKey, publicKey));
  const ofName = book.peers.find(({ name }) => name === expectedName);
  // A name with another key behind it comes first: whose the key is instead is said by the caller.
  if (ofName !== undefined && ofName !== ofKey) return { kind: "other_key", peer: ofName };
  if (ofKey === undefined) return { kind: "stranger" };
  if (expectedName === undefined || ofKey.name === expectedName) {
    return { kind: "known", peer: ofKey };
  }
  return { kind: "other_name", peer: ofKey, expectedName };
}

/** Forgets a peer, and with it what was kept for short codes. */
export function removePeer(book: IdentityBook, peer: Peer): IdentityBook {
  return { ...book, peers: book.peers.filter((other) => other !== peer) };
}

/**
 * Gives a name to another key, after the person was warned and agreed: a new machine, for instance.
 * What was allowed to the old key and kept with it is gone.
 *
 * @param now In whole seconds since 1970.
 * @returns Undefined when the key is that of a peer already.
 * @throws {RangeError} As {@linkcode addPeer}.
 */
export function replaceKey(
  book: IdentityBook,
  peer: Peer,
  publicKey: Uint8Array,
  now: number,
): IdentityBook | undefined {
  assertKey(publicKey);
  assertSeconds(now);
  if (recognize(book, publicKey).kind !== "stranger") return undefined;
  return replaced(book, peer, {
    name: peer.name,
    publicKey: publicKey.slice(),
    firstSeenSeconds: now,
    lastSeenSeconds: now,
    isAlwaysAdmitted: false,
  });
}

/** What of a peer changes as it is met. */
export type PeerChange = Partial<
  Pick<Peer, "lastSeenSeconds" | "pairSecret" | "isAlwaysAdmitted">
>;

/**
 * Changes what is kept of a peer; `lastSeenSeconds` only ever grows.
 *
 * @throws {RangeError} If a time or the secret's length makes no sense.
 */
export function updatePeer(book: IdentityBook, peer: Peer, change: PeerChange): IdentityBook {
  const lastSeenSeconds = Math.max(peer.lastSeenSeconds, change.lastSeenSeconds ?? 0);
  assertSeconds(lastSeenSeconds);
  if (change.pairSecret !== undefined) assertKey(change.pairSecret);
  return replaced(book, peer, { ...peer, ...change, lastSeenSeconds });
}

/**
 * Finds a peer by its whole name, or by its fingerprint or the beginning of it.
 *
 * @param text As a person typed it.
 */
export function findPeer(provider: CryptoProvider, book: IdentityBook, text: string): FindResult {
  const prefix = fingerprintPrefix(text);
  const typed = text.normalize("NFC");
  const peers = book.peers.filter(({ name, publicKey }) =>
    name === typed ||
    (prefix !== undefined && fingerprintOf(provider, publicKey).startsWith(prefix))
  );
  // Also when a name is the beginning of another's fingerprint: which was meant is not guessed.
  if (peers.length > 1) return { outcome: "ambiguous", peers };
  return peers.length === 0 ? { outcome: "none" } : { outcome: "found", peer: peers[0]! };
}

/** The peer with this fingerprint; undefined when nobody is remembered who has it. */
export function peerOfFingerprint(
  provider: CryptoProvider,
  book: IdentityBook,
  fingerprint: string,
): Peer | undefined {
  return book.peers.find(({ publicKey }) => fingerprintOf(provider, publicKey) === fingerprint);
}

/** The book with `by` in the place of `peer`. */
export function replaced(book: IdentityBook, peer: Peer, by: Peer): IdentityBook {
  return { ...book, peers: book.peers.map((other) => other === peer ? by : other) };
}

/** Bytes of a public key, and of the secret of a pair. */
const KEY_BYTES = 32;

/** The last second of the year 9999: later ones have no date of the usual form. */
export const MAX_SECONDS = 253_402_300_799;

/** @throws {RangeError} If a key or a secret is not 32 bytes. */
export function assertKey(key: Uint8Array): void {
  if (key.length !== KEY_BYTES) {
    throw new RangeError(`Cannot keep key: ${key.length} bytes, not ${KEY_BYTES}`);
  }
}

/** @throws {RangeError} If it is no whole number of seconds from 1970 to the year 9999. */
export function assertSeconds(seconds: number): void {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > MAX_SECONDS) {
    throw new RangeError(`Cannot keep time: ${seconds} is no whole number of seconds since 1970`);
  }
}
