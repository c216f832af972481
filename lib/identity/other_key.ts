/** The words for a name that is known with another key, which nobody may miss. */
import type { CryptoProvider } from "../crypto/provider.ts";
import { TransferError } from "../errors.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { Peer } from "./identity_book.ts";

/** Known name, new key: a new machine, or an impostor. */
export function otherKeyError(
  provider: CryptoProvider,
  peer: Peer,
  fingerprint: string,
): TransferError {
  return new TransferError(
    "usage",
    `Cannot remember ${fingerprint} as "${peer.name}": "${peer.name}" has another key, ` +
      `${fingerprintOf(provider, peer.publicKey)}. This is a new machine of theirs, or somebody ` +
      "who pretends to be them",
    { hint: newKeyHint(peer.name) },
  );
}

/** What to do about a name that shows another key. */
export function newKeyHint(name: string): string {
  return `Ask "${name}" by other means what p2pft peers me prints there. Only if it is the same: ` +
    `p2pft peers remove "${name}", and remember them anew`;
}
