import assert from "node:assert/strict";
import fc from "fast-check";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { fingerprintOf } from "../../../lib/identity/fingerprint.ts";
import {
  EMPTY_BOOK,
  findPeer,
  type IdentityBook,
  MAX_PEERS,
  recognize,
  removePeer,
  replaceKey,
  updatePeer,
} from "../../../lib/identity/identity_book.ts";
import { addPeer, renamePeer } from "../../../lib/identity/named_peers.ts";
import { identityBook, keyOf, peerOf, petname } from "./_books.ts";

const ALICE = peerOf("alice", 1, { pairSecret: keyOf(9), isAlwaysAdmitted: true });
const BOB = peerOf("bob", 2);
const BOOK: IdentityBook = { secretKey: keyOf(7), peers: [ALICE, BOB] };
const NOW = 1_800_000_000;

Deno.test("recognize tells known keys, known names with other keys, and strangers apart", () => {
  assert.deepEqual(recognize(BOOK, keyOf(1)), { kind: "known", peer: ALICE });
  assert.deepEqual(recognize(BOOK, keyOf(1), "alice"), { kind: "known", peer: ALICE });
  assert.deepEqual(recognize(BOOK, keyOf(1), "carol"), {
    kind: "other_name",
    peer: ALICE,
    expectedName: "carol",
  });
  assert.deepEqual(recognize(BOOK, keyOf(3), "alice"), { kind: "other_key", peer: ALICE });
  // Bob's key where Alice was expected: what matters is that it is not hers.
  assert.deepEqual(recognize(BOOK, keyOf(2), "alice"), { kind: "other_key", peer: ALICE });
  assert.deepEqual(recognize(BOOK, keyOf(3)), { kind: "stranger" });
  assert.deepEqual(recognize(BOOK, keyOf(3), "carol"), { kind: "stranger" });
  assert.deepEqual(recognize(EMPTY_BOOK, keyOf(1), "alice"), { kind: "stranger" });
});

Deno.test("addPeer adds who is new, and says whose name is alike", () => {
  const result = addPeer(BOOK, { name: "Bоb", publicKey: keyOf(3) }, NOW); // a Cyrillic o
  assert.ok(result.outcome === "added");
  assert.deepEqual(result.peer, {
    name: "Bоb",
    publicKey: keyOf(3),
    firstSeenSeconds: NOW,
    lastSeenSeconds: NOW,
    isAlwaysAdmitted: false,
  });
  assert.deepEqual(result.book, { secretKey: keyOf(7), peers: [ALICE, BOB, result.peer] });
  assert.deepEqual(result.lookAlikes, [BOB]);
  assert.equal(BOOK.peers.length, 2);
});

Deno.test("addPeer changes nothing when name or key is known, or the name cannot be given", () => {
  const add = (name: string, first: number) =>
    addPeer(BOOK, { name, publicKey: keyOf(first) }, NOW);
  assert.deepEqual(add("alice", 1), {
    outcome: "not_new",
    recognition: { kind: "known", peer: ALICE },
  });
  assert.deepEqual(add("carol", 1), {
    outcome: "not_new",
    recognition: { kind: "other_name", peer: ALICE, expectedName: "carol" },
  });
  assert.deepEqual(add("alice", 3), {
    outcome: "not_new",
    recognition: { kind: "other_key", peer: ALICE },
  });
  assert.deepEqual(add("-x", 3), { outcome: "bad_name", problem: "dash" });
  assert.throws(() => addPeer(BOOK, { name: "x", publicKey: new Uint8Array(31) }, NOW), RangeError);
  for (const now of [1.5, -1, NaN, 1e13]) {
    assert.throws(() => addPeer(BOOK, { name: "x", publicKey: keyOf(3) }, now), RangeError);
  }
});

Deno.test("addPeer keeps a key of its own", () => {
  const key = keyOf(3);
  const result = addPeer(EMPTY_BOOK, { name: "x", publicKey: key }, NOW);
  key.fill(0);
  assert.ok(result.outcome === "added");
  assert.deepEqual(result.peer.publicKey, keyOf(3));
});

Deno.test("addPeer stops at the most peers that are remembered", () => {
  const peers = Array.from({ length: MAX_PEERS }, (_, index) => ({
    ...peerOf(`peer ${index}`, 1),
    publicKey: nodeProvider.sha256(Uint8Array.of(index, index >>> 8)),
  }));
  const one = { name: "one more", publicKey: keyOf(3) };
  assert.equal(addPeer({ peers }, one, NOW).outcome, "full");
  assert.equal(addPeer({ peers: peers.slice(1) }, one, NOW).outcome, "added");
});

Deno.test("renamePeer gives a name that nobody has, keeps all else and the order", () => {
  const result = renamePeer(BOOK, ALICE, "Bob");
  assert.ok(result.outcome === "renamed");
  assert.deepEqual(result.book.peers, [{ ...ALICE, name: "Bob" }, BOB]);
  assert.deepEqual(result.lookAlikes, [BOB]);
  assert.deepEqual(renamePeer(BOOK, ALICE, "bob"), { outcome: "name_taken", peer: BOB });
  assert.deepEqual(renamePeer(BOOK, ALICE, ""), { outcome: "bad_name", problem: "empty" });
  // Its own name looks like itself to nobody else.
  const same = renamePeer(BOOK, ALICE, "Alice");
  assert.ok(same.outcome === "renamed" && same.lookAlikes.length === 0);
  assert.equal(renamePeer(BOOK, ALICE, "alice").outcome, "renamed");
});

Deno.test("removePeer forgets one", () => {
  assert.deepEqual(removePeer(BOOK, ALICE), { secretKey: keyOf(7), peers: [BOB] });
});

Deno.test("replaceKey drops what the old key was allowed and kept", () => {
  const replaced = replaceKey(BOOK, ALICE, keyOf(3), NOW)!;
  assert.deepEqual(replaced.peers, [
    peerOf("alice", 3, { firstSeenSeconds: NOW, lastSeenSeconds: NOW }),
    BOB,
  ]);
  assert.ok(!("pairSecret" in replaced.peers[0]!));
  assert.equal(replaceKey(BOOK, ALICE, keyOf(2), NOW), undefined);
});

Deno.test("updatePeer changes what it is given, and no peer was last seen earlier than before", () => {
  const seen = updatePeer(BOOK, BOB, { lastSeenSeconds: NOW, pairSecret: keyOf(4) });
  assert.deepEqual(seen.peers, [ALICE, { ...BOB, lastSeenSeconds: NOW, pairSecret: keyOf(4) }]);
  assert.equal(
    updatePeer(BOOK, BOB, { lastSeenSeconds: 5 }).peers[1]!.lastSeenSeconds,
    1_750_000_000,
  );
  assert.ok(updatePeer(BOOK, BOB, { isAlwaysAdmitted: true }).peers[1]!.isAlwaysAdmitted);
  assert.throws(() => updatePeer(BOOK, BOB, { pairSecret: new Uint8Array(16) }), RangeError);
});

Deno.test("findPeer finds by name, by fingerprint and by the beginning of one", () => {
  const fingerprint = fingerprintOf(nodeProvider, BOB.publicKey);
  for (const text of ["bob", fingerprint, fingerprint.toUpperCase(), fingerprint.slice(0, 5)]) {
    assert.deepEqual(findPeer(nodeProvider, BOOK, text), { outcome: "found", peer: BOB }, text);
  }
  for (const text of ["", "Bob", "bo", fingerprint.slice(0, 4), "qqqqq"]) {
    assert.deepEqual(findPeer(nodeProvider, BOOK, text), { outcome: "none" }, text);
  }
});

Deno.test("findPeer does not guess between a name and another's fingerprint", () => {
  const prefix = fingerprintOf(nodeProvider, BOB.publicKey).slice(0, 5);
  const named = { ...ALICE, name: prefix };
  assert.deepEqual(findPeer(nodeProvider, { peers: [named, BOB] }, prefix), {
    outcome: "ambiguous",
    peers: [named, BOB],
  });
});

Deno.test("whatever is done to a book, names and keys stay different", () => {
  const step = fc.record({ what: fc.nat(4), pick: fc.nat(20), name: petname, first: fc.nat(6) });
  fc.assert(fc.property(identityBook, fc.array(step, { maxLength: 20 }), (start, steps) => {
    let book: IdentityBook = start;
    for (const { what, pick, name, first } of steps) {
      const peer = book.peers[pick % Math.max(1, book.peers.length)];
      const added = addPeer(book, { name, publicKey: keyOf(first) }, NOW);
      if (what === 0 && added.outcome === "added") book = added.book;
      if (peer === undefined) continue;
      const renamed = renamePeer(book, peer, name);
      if (what === 1 && renamed.outcome === "renamed") book = renamed.book;
      if (what === 2) book = replaceKey(book, peer, keyOf(first), NOW) ?? book;
      if (what === 3) book = removePeer(book, peer);
      if (what === 4) book = updatePeer(book, peer, { lastSeenSeconds: NOW });
    }
    assert.equal(new Set(book.peers.map(({ name }) => name)).size, book.peers.length);
    assert.equal(new Set(book.peers.map((p) => p.publicKey.toHex())).size, book.peers.length);
    assert.deepEqual(book.secretKey, start.secretKey);
  }));
});
