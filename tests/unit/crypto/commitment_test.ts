import assert from "node:assert/strict";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import {
  isClientKey,
  isSharerKey,
  replyCommitment,
  shareCommitment,
} from "../../../lib/crypto/commitment.ts";
import vectors from "../../vectors/p2pft_keys.json" with { type: "json" };
import { PROVIDERS } from "./_support.ts";

const sharerKey = decodeHex(vectors.sharerPublicKey);
const clientKey = decodeHex(vectors.clientPublicKey);

for (const provider of PROVIDERS) {
  Deno.test(`commitments are as published with ${provider.name}`, () => {
    const t = shareCommitment(provider, sharerKey);
    assert.equal(encodeHex(t), vectors.t);
    assert.equal(encodeHex(replyCommitment(provider, t, clientKey)), vectors.r);
  });
}

Deno.test("isSharerKey and isClientKey accept the key that was committed to and no other", () => {
  const provider = PROVIDERS[0]!;
  const t = decodeHex(vectors.t);
  const r = decodeHex(vectors.r);
  assert.ok(isSharerKey(provider, t, sharerKey));
  assert.ok(isClientKey(provider, t, r, clientKey));
  assert.ok(!isSharerKey(provider, t, clientKey));
  assert.ok(!isClientKey(provider, t, r, sharerKey));
  assert.ok(!isSharerKey(provider, t.subarray(0, 15), sharerKey));
  assert.ok(!isClientKey(provider, new Uint8Array(16), r, clientKey), "another share");
});

Deno.test("commitments throw on wrong lengths", () => {
  const provider = PROVIDERS[0]!;
  assert.throws(() => shareCommitment(provider, new Uint8Array(31)), RangeError);
  assert.throws(() => replyCommitment(provider, new Uint8Array(15), clientKey), RangeError);
  assert.throws(
    () => replyCommitment(provider, new Uint8Array(16), new Uint8Array(33)),
    RangeError,
  );
});
