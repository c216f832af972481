import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { TransferError } from "../../../lib/errors.ts";
import { fingerprintOf } from "../../../lib/identity/fingerprint.ts";
import {
  type IdentityBook,
  MAX_PEERS,
  peerOfFingerprint,
} from "../../../lib/identity/identity_book.ts";
import { rememberPeer, type RememberRequest } from "../../../lib/identity/remember.ts";
import { keyOf, peerOf } from "./_books.ts";

const NOW = 1_800_000_000;
const BOOK: IdentityBook = {
  peers: [peerOf("alice", 1, { pairSecret: keyOf(9), isAlwaysAdmitted: true }), peerOf("bob", 2)],
};

function remember(request: RememberRequest, book = BOOK) {
  return rememberPeer(nodeProvider, book, request, NOW);
}

function assertRefused(request: RememberRequest, message: RegExp, hint: RegExp, book = BOOK) {
  assert.throws(() => remember(request, book), (error: unknown) => {
    assert.ok(error instanceof TransferError);
    assert.deepEqual([error.code, error.exit], ["usage", 2]);
    assert.match(error.message, message);
    assert.match(error.hint, hint);
    return true;
  });
}

Deno.test("rememberPeer adds somebody new, with the names that could be taken for theirs", () => {
  const { book, result } = remember({ publicKey: keyOf(3), name: "AIice" });
  assert.deepEqual([result.isNew, result.lookAlikes, result.peer.name], [true, ["alice"], "AIice"]);
  assert.equal(book!.peers.length, 3);
  assert.deepEqual(book!.peers[2], {
    name: "AIice",
    publicKey: keyOf(3),
    firstSeenSeconds: NOW,
    lastSeenSeconds: NOW,
    isAlwaysAdmitted: false,
  });
});

Deno.test("rememberPeer changes nothing of somebody who is remembered so", () => {
  for (const name of ["alice", undefined]) {
    const { book, result } = remember({ publicKey: keyOf(1), name });
    assert.equal(book, undefined);
    assert.deepEqual([result.isNew, result.peer], [false, BOOK.peers[0]]);
  }
});

Deno.test("rememberPeer lets somebody in always, and takes that back", () => {
  const added = remember({ publicKey: keyOf(3), name: "carol", isAlwaysAdmitted: true });
  assert.equal(added.book!.peers[2]!.isAlwaysAdmitted, true);
  assert.equal(added.result.peer.isAlwaysAdmitted, true);
  const known = remember({ publicKey: keyOf(2), isAlwaysAdmitted: true });
  assert.deepEqual(known.book!.peers.map((peer) => peer.isAlwaysAdmitted), [true, true]);
  const revoked = remember({ publicKey: keyOf(1), isAlwaysAdmitted: false });
  assert.deepEqual(revoked.book!.peers.map((peer) => peer.isAlwaysAdmitted), [false, false]);
});

Deno.test("a known name with a new key is refused in words nobody can miss", () => {
  const [known, shown] = [keyOf(1), keyOf(3)].map((key) => fingerprintOf(nodeProvider, key));
  const message = new RegExp(
    `^Cannot remember ${shown} as "alice": "alice" has another key, ${known}\\. ` +
      "This is a new machine of theirs, or somebody who pretends to be them$",
  );
  const hint = /^Ask "alice" by other means .* Only if it is the same: p2pft peers remove "alice"/;
  assertRefused({ publicKey: keyOf(3), name: "alice" }, message, hint);
  // Another peer's key under that name is the same.
  assertRefused({ publicKey: keyOf(2), name: "alice" }, /"alice" has another key/, hint);
});

Deno.test("rememberPeer refuses a second name, no name, a bad one, and one too many", () => {
  assertRefused(
    { publicKey: keyOf(1), name: "al" },
    /as "al": it is remembered as "alice"/,
    /peers rename "alice"/,
  );
  assertRefused({ publicKey: keyOf(3) }, /without a name/, /Choose a name/);
  assertRefused({ publicKey: keyOf(3), name: "-x" }, /begins with a dash/, /another name/);
  const peers = Array.from(
    { length: MAX_PEERS },
    (_, index) => peerOf(`p${index}`, 0, { publicKey: new Uint8Array(32).fill(index % 256, 1) }),
  );
  assertRefused(
    { publicKey: keyOf(3), name: "one more" },
    /more than 1000 peers/,
    /peers remove/,
    { peers },
  );
});

Deno.test("peerOfFingerprint takes whole fingerprints only", () => {
  const fingerprint = fingerprintOf(nodeProvider, keyOf(2));
  assert.equal(peerOfFingerprint(nodeProvider, BOOK, fingerprint)?.name, "bob");
  assert.equal(peerOfFingerprint(nodeProvider, BOOK, fingerprint.slice(0, -1)), undefined);
  assert.equal(peerOfFingerprint(nodeProvider, BOOK, ""), undefined);
});
