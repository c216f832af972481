/**
 * Remembering somebody, and the words for everything that can be in the way: most of all a name that
 * is known with another key, which nobody may miss. Pure; the change is made by `identity_store.ts`.
 */
import type { CryptoProvider } from "../crypto/provider.ts";
import { TransferError } from "../errors.ts";
import { fingerprintOf } from "./fingerprint.ts";
import {
  type IdentityBook,
  MAX_PEERS,
  type Peer,
  peerOfFingerprint,
  updatePeer,
} from "./identity_book.ts";
import type { BookChange } from "./identity_store.ts";
import { addPeer } from "./named_peers.ts";
import { otherKeyError } from "./other_key.ts";
import { PETNAME_PROBLEMS } from "./petname.ts";

/** Who is to be remembered, and how. */
export interface RememberRequest {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** What the person calls it; may be left out of somebody who is remembered already. */
  readonly name?: string | undefined;
  /** Whether it is let into every share without a question from now on. */
  readonly isAlwaysAdmitted?: boolean | undefined;
}

/** Somebody who is remembered now. */
export interface Remembered {
  readonly peer: Peer;
  /** Names that could be taken for a new one's. */
  readonly lookAlikes: readonly string[];
  /** Whether it was not remembered before. */
  readonly isNew: boolean;
}

/**
 * Remembers somebody under a name, or changes what is kept of somebody who is remembered.
 *
 * @param nowSeconds In whole seconds since 1970.
 * @throws {TransferError} `usage` when the name cannot be given, has another key, or is another than
 * that of the key; nothing changes then.
 */
export function rememberPeer(
  provider: CryptoProvider,
  book: IdentityBook,
  { publicKey, name, isAlwaysAdmitted }: RememberRequest,
  nowSeconds: number,
): BookChange<Remembered> {
  const fingerprint = fingerprintOf(provider, publicKey);
  const chosen = name?.normalize("NFC");
  const known = peerOfFingerprint(provider, book, fingerprint);
  const other = book.peers.find((peer) => peer.name === chosen);
  if (other !== undefined && other !== known) throw otherKeyError(provider, other, fingerprint);
  if (known !== undefined) {
    if (chosen !== undefined && chosen !== known.name) {
      throw new TransferError(
        "usage",
        `Cannot remember ${fingerprint} as "${chosen}": it is remembered as "${known.name}"`,
        { hint: `See who that is, then: p2pft peers rename "${known.name}" NAME` },
      );
    }
    return changed(book, known, { isAlwaysAdmitted, lookAlikes: [], isNew: false });
  }
  if (chosen === undefined) {
    throw new TransferError("usage", `Cannot remember ${fingerprint} without a name`, {
      hint: "Choose a name for them",
    });
  }
  const added = addPeer(book, { name: chosen, publicKey }, nowSeconds);
  switch (added.outcome) {
    case "added":
      return changed(added.book, added.peer, {
        isAlwaysAdmitted,
        lookAlikes: added.lookAlikes.map((peer) => peer.name),
        isNew: true,
      });
    case "bad_name":
      throw new TransferError(
        "usage",
        `Cannot use this name: it ${PETNAME_PROBLEMS[added.problem]}`,
        { hint: "Choose another name" },
      );
    case "full":
      throw new TransferError(
        "usage",
        `Cannot remember more than ${MAX_PEERS} peers`,
        { hint: "Forget one with p2pft peers remove" },
      );
    case "not_new": // looked at above
      throw otherKeyError(provider, added.recognition.peer, fingerprint);
    default:
      return added satisfies never;
  }
}

function changed(
  book: IdentityBook,
  peer: Peer,
  { isAlwaysAdmitted, ...rest }:
    & Pick<RememberRequest, "isAlwaysAdmitted">
    & Pick<Remembered, "lookAlikes" | "isNew">,
): BookChange<Remembered> {
  if (isAlwaysAdmitted === undefined || isAlwaysAdmitted === peer.isAlwaysAdmitted) {
    return { ...(rest.isNew ? { book } : {}), result: { peer, ...rest } };
  }
  const by = { ...peer, isAlwaysAdmitted };
  return { book: updatePeer(book, peer, { isAlwaysAdmitted }), result: { peer: by, ...rest } };
}
