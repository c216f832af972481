import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import {
  checkIdentity,
  IDENTITY_STATEMENT_BYTES,
  type IdentityRole,
  signIdentity,
} from "../../../lib/crypto/identity.ts";
import { NoiseHandshake } from "../../../lib/crypto/noise.ts";
import vectors from "../../vectors/p2pft_identity.json" with { type: "json" };
import { countingRandom, PROVIDERS, someBytes, text } from "./_support.ts";

const handshakeHash = decodeHex(vectors.handshakeHash);
const SIDES: readonly (readonly [IdentityRole, string, string, string])[] = [
  ["client", vectors.clientSecretKey, vectors.clientKey, vectors.clientStatement],
  ["sharer", vectors.sharerSecretKey, vectors.sharerKey, vectors.sharerStatement],
];

for (const provider of PROVIDERS) {
  Deno.test(`[ID-1] statements of identity are as published with ${provider.name}`, () => {
    for (const [role, secret, key, statement] of SIDES) {
      const made = signIdentity(provider, decodeHex(secret), { role, handshakeHash });
      assert.equal(encodeHex(made), statement);
      assert.equal(made.length, IDENTITY_STATEMENT_BYTES);
      assert.equal(encodeHex(checkIdentity(provider, made, { role, handshakeHash })!), key);
    }
  });
}

const provider = PROVIDERS[0]!;

Deno.test("[ID-2] checkIdentity refuses every flipped bit, and every other length", () => {
  const scope = { role: "client", handshakeHash } as const;
  const statement = decodeHex(vectors.clientStatement);
  for (let bit = 0; bit < statement.length * 8; bit++) {
    const damaged = new Uint8Array(statement);
    damaged[bit >>> 3]! ^= 1 << (bit & 7);
    assert.equal(checkIdentity(provider, damaged, scope), undefined, `bit ${bit}`);
  }
  for (const length of [0, 1, 32, 95, 97, 192]) {
    const other = new Uint8Array(length);
    other.set(statement.subarray(0, length));
    assert.equal(checkIdentity(provider, other, scope), undefined, `${length} bytes`);
  }
});

Deno.test("[ID-2] checkIdentity refuses a statement of another session, or of the other role", () => {
  for (const [role, , , hex] of SIDES) {
    const statement = decodeHex(hex);
    const other = role === "client" ? "sharer" : "client";
    assert.equal(checkIdentity(provider, statement, { role: other, handshakeHash }), undefined);
    for (let bit = 0; bit < 256; bit++) {
      const hash = new Uint8Array(handshakeHash);
      hash[bit >>> 3]! ^= 1 << (bit & 7);
      assert.equal(checkIdentity(provider, statement, { role, handshakeHash: hash }), undefined);
    }
  }
});

Deno.test("[ID-2] checkIdentity refuses a key under which anybody can sign", () => {
  const forged = new Uint8Array(IDENTITY_STATEMENT_BYTES);
  // The neutral point as key and as R, and s = 0.
  forged[0] = forged[32] = 1;
  for (const each of PROVIDERS) {
    assert.equal(checkIdentity(each, forged, { role: "client", handshakeHash }), undefined);
  }
});

Deno.test("checkIdentity never throws on what a peer sends", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (statement) => {
    assert.equal(checkIdentity(provider, statement, { role: "sharer", handshakeHash }), undefined);
  }));
});

Deno.test("a statement that somebody in the middle passes on is worth nothing", () => {
  // Alice and Mallory, Mallory and Bob: two handshakes of one code, so two hashes.
  const hashes = [1, 2].map((seed) => finishedHash(seed));
  assert.notDeepEqual(hashes[0], hashes[1]);
  const statement = signIdentity(provider, someBytes(32), {
    role: "client",
    handshakeHash: hashes[0]!,
  });
  const scope = (index: number) => ({ role: "client", handshakeHash: hashes[index]! }) as const;
  assert.deepEqual(
    checkIdentity(provider, statement, scope(0)),
    provider.signingKeyOf(someBytes(32)),
  );
  assert.equal(checkIdentity(provider, statement, scope(1)), undefined);
});

Deno.test("signIdentity and checkIdentity throw on wrong lengths of their caller", () => {
  const wrong = { role: "client", handshakeHash: new Uint8Array(31) } as const;
  assert.throws(() => signIdentity(provider, new Uint8Array(31), { ...wrong, handshakeHash }), {
    name: "RangeError",
  });
  assert.throws(() => signIdentity(provider, new Uint8Array(32), wrong), RangeError);
  assert.throws(() => checkIdentity(provider, new Uint8Array(96), wrong), RangeError);
});

/** The hash of a finished handshake of one code, with keys from a seed. */
function finishedHash(seed: number): Uint8Array {
  const random = countingRandom(seed);
  const common = { pattern: "XXpsk0", prologue: text("p2pft/1"), psks: [someBytes(32, 9)] };
  const [client, sharer] = (["initiator", "responder"] as const).map((role) =>
    NoiseHandshake.start(provider, {
      ...common,
      role,
      staticKeys: provider.generateKeyPair(random),
    })
  );
  const nothing = new Uint8Array(0);
  sharer!.readMessage(client!.writeMessage(nothing, random)!);
  client!.readMessage(sharer!.writeMessage(nothing, random)!);
  sharer!.readMessage(client!.writeMessage(nothing, random)!);
  assert.deepEqual(client!.handshakeHash, sharer!.handshakeHash);
  return client!.handshakeHash;
}
