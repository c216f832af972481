/**
 * People with identities for tests: each with a book of their own in memory, and two who remember each
 * other as after a session.
 */
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import type { RandomSource } from "../../lib/crypto/provider.ts";
import { fingerprintOf } from "../../lib/identity/fingerprint.ts";
import { type Peer, updatePeer } from "../../lib/identity/identity_book.ts";
import { addPeer } from "../../lib/identity/named_peers.ts";
import { IdentityStore } from "../../lib/identity/identity_store.ts";
import type { IdentityOptions } from "../../lib/options.ts";
import { MemoryIdentityFile } from "./memory_identity_file.ts";

const NOW_SECONDS = 1_750_000_000;

/** Somebody with an identity. */
export class Person {
  readonly file = new MemoryIdentityFile();
  readonly store: IdentityStore = new IdentityStore(this.file);
  /** Their public key. */
  readonly publicKey: Uint8Array;

  private constructor(publicKey: Uint8Array) {
    this.publicKey = publicKey;
  }

  /** Makes somebody with a key of their own. */
  static async make(random: RandomSource): Promise<Person> {
    const secretKey = new Uint8Array(32);
    random.fill(secretKey);
    const person = new Person(nodeProvider.signingKeyOf(secretKey));
    await person.store.update((book) => ({ book: { ...book, secretKey }, result: undefined }));
    return person;
  }

  /** For the library: shows who they are. */
  get shown(): IdentityOptions {
    return { store: this.store, shows: true };
  }

  /** For the library: knows others and stays unknown. */
  get hidden(): IdentityOptions {
    return { store: this.store, shows: false };
  }

  /** See `fingerprintOf`. */
  get fingerprint(): string {
    return fingerprintOf(nodeProvider, this.publicKey);
  }

  /** Remembers somebody, perhaps under a key that is not theirs. */
  async remember(
    name: string,
    publicKey: Uint8Array,
    more: Partial<Pick<Peer, "pairSecret" | "isAlwaysAdmitted">> = {},
  ): Promise<void> {
    await this.store.update((book) => {
      const added = addPeer(book, { name, publicKey }, NOW_SECONDS);
      if (added.outcome !== "added") throw new Error(`${name} is not new`);
      return { book: updatePeer(added.book, added.peer, more), result: undefined };
    });
  }

  /** What is kept of somebody. */
  async peer(name: string): Promise<Peer | undefined> {
    return (await this.store.read()).peers.find((peer) => peer.name === name);
  }
}

/** Alice and Bob, who remember each other, with a secret when one is given. */
export async function makePair(
  random: RandomSource,
  pairSecret?: Uint8Array,
): Promise<{ readonly alice: Person; readonly bob: Person }> {
  const [alice, bob] = [await Person.make(random), await Person.make(random)];
  const kept = pairSecret === undefined ? {} : { pairSecret };
  await alice.remember("bob", bob.publicKey, kept);
  await bob.remember("alice", alice.publicKey, kept);
  return { alice, bob };
}
