/** Where the layers meet for identities: the store over the system's files. */
import { DenoIdentityFile } from "./identity/deno_identity_file.ts";
import { IdentityStore } from "./identity/identity_store.ts";

/**
 * Opens the identity and the peers that are kept in a folder. Nothing is read or made yet.
 *
 * @param folder From `identityFolder`, or chosen.
 */
export function openIdentities(folder: string): IdentityStore {
  return new IdentityStore(new DenoIdentityFile(folder));
}
