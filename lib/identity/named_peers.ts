/** Names given to peers of a book, new ones and others. Pure, as `identity_book.ts`. */
import {
  assertKey,
  assertSeconds,
  type IdentityBook,
  MAX_PEERS,
  type Peer,
  type Recognition,
  recognize,
  replaced,
} from "./identity_book.ts";
import { looksLike } from "./look_alikes.ts";
import { type PetnameProblem, petnameProblem } from "./petname.ts";

/** A book in which a peer has the name that it was to get. */
interface Named {
  readonly book: IdentityBook;
  readonly peer: Peer;
  /** Peers whose names could be taken for this one. */
  readonly lookAlikes: readonly Peer[];
}

/** No peer may be called so. */
interface BadName {
  readonly outcome: "bad_name";
  readonly problem: PetnameProblem;
}

/** What became of a peer to be added. */
export type AddResult =
  | Named & { readonly outcome: "added" }
  | BadName
  /** There are {@linkcode MAX_PEERS}. */
  | { readonly outcome: "full" }
  /** It is there, or one of the two is: nothing was changed. */
  | {
    readonly outcome: "not_new";
    readonly recognition: Exclude<Recognition, { kind: "stranger" }>;
  };

/** What became of a peer to be renamed. */
export type RenameResult =
  | Named & { readonly outcome: "renamed" }
  | BadName
  /** Another peer is called so. */
  | { readonly outcome: "name_taken"; readonly peer: Peer };

/**
 * Remembers a peer under a name that the person chose.
 *
 * @param now In whole seconds since 1970.
 * @throws {RangeError} If the key is not 32 bytes, or `now` is no whole number of seconds.
 */
export function addPeer(
  book: IdentityBook,
  { name, publicKey }: Pick<Peer, "name" | "publicKey">,
  now: number,
): AddResult {
  assertKey(publicKey);
  assertSeconds(now);
  const problem = petnameProblem(name);
  if (problem !== undefined) return { outcome: "bad_name", problem };
  const recognition = recognize(book, publicKey, name);
  if (recognition.kind !== "stranger") return { outcome: "not_new", recognition };
  if (book.peers.length >= MAX_PEERS) return { outcome: "full" };
  const peer: Peer = {
    name,
    publicKey: publicKey.slice(),
    firstSeenSeconds: now,
    lastSeenSeconds: now,
    isAlwaysAdmitted: false,
  };
  return {
    outcome: "added",
    book: { ...book, peers: [...book.peers, peer] },
    peer,
    lookAlikes: lookAlikesOf(book, name),
  };
}

/** Gives a peer another name. */
export function renamePeer(book: IdentityBook, peer: Peer, name: string): RenameResult {
  const problem = petnameProblem(name);
  if (problem !== undefined) return { outcome: "bad_name", problem };
  const taken = book.peers.find((other) => other !== peer && other.name === name);
  if (taken !== undefined) return { outcome: "name_taken", peer: taken };
  const renamed = { ...peer, name };
  return {
    outcome: "renamed",
    book: replaced(book, peer, renamed),
    peer: renamed,
    lookAlikes: lookAlikesOf(book, name, peer),
  };
}

/** Peers other than `self` whose names could be taken for `name`. */
function lookAlikesOf(book: IdentityBook, name: string, self?: Peer): readonly Peer[] {
  return book.peers.filter((peer) => peer !== self && looksLike(peer.name, name));
}
