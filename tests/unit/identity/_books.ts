/** Books for tests of this folder: chosen ones, and random ones. */
import fc from "fast-check";
import type { IdentityBook, Peer } from "../../../lib/identity/identity_book.ts";
import { petnameProblem } from "../../../lib/identity/petname.ts";

/** A key that is told from others by its first byte. */
export function keyOf(first: number): Uint8Array {
  return new Uint8Array(32).fill(first, 0, 1).fill(0x5a, 1);
}

/** A peer with usual values. */
export function peerOf(name: string, first: number, more: Partial<Peer> = {}): Peer {
  return {
    name,
    publicKey: keyOf(first),
    firstSeenSeconds: 1_700_000_000,
    lastSeenSeconds: 1_750_000_000,
    isAlwaysAdmitted: false,
    ...more,
  };
}

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const seconds = fc.integer({ min: 0, max: 253_402_300_799 });

/** Names that can be given. */
export const petname: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
  fc.constantFrom("Zoë", "李", "a b", '"', "constructor", "__proto__", "🦆"),
).filter((name) => petnameProblem(name) === undefined);

const peer: fc.Arbitrary<Peer> = fc.record({
  name: petname,
  publicKey: key,
  firstSeenSeconds: seconds,
  lastSeenSeconds: seconds,
  pairSecret: key,
  isAlwaysAdmitted: fc.boolean(),
}, {
  requiredKeys: ["name", "publicKey", "firstSeenSeconds", "lastSeenSeconds", "isAlwaysAdmitted"],
  noNullPrototype: true,
});

/** Any book that can be. */
export const identityBook: fc.Arbitrary<IdentityBook> = fc.record({
  secretKey: key,
  peers: fc.uniqueArray(peer, {
    maxLength: 8,
    comparator: (a, b) => a.name === b.name || a.publicKey.toHex() === b.publicKey.toHex(),
  }),
}, { requiredKeys: ["peers"], noNullPrototype: true });
