import assert from "node:assert/strict";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import { deriveProbeKey, deriveShareKeys, wipeShareKeys } from "../../../lib/crypto/share_keys.ts";
import vectors from "../../vectors/p2pft_keys.json" with { type: "json" };
import { PROVIDERS } from "./_support.ts";

const t = decodeHex(vectors.t);
const r = decodeHex(vectors.r);

for (const provider of PROVIDERS) {
  Deno.test(`share keys are as published with ${provider.name}`, () => {
    const keys = deriveShareKeys(provider, t);
    for (const name of ["psk", "handshake", "cookie", "reply", "replyCheck"] as const) {
      assert.equal(encodeHex(keys[name]), vectors.shareKeys[name], name);
    }
    assert.equal(encodeHex(deriveProbeKey(provider, t, r)), vectors.probeKey);
  });
}

Deno.test("wipeShareKeys leaves nothing", () => {
  const keys = deriveShareKeys(PROVIDERS[0]!, t);
  wipeShareKeys(keys);
  for (const key of Object.values(keys)) assert.deepEqual(key, new Uint8Array(32));
});

Deno.test("deriveShareKeys and deriveProbeKey throw on wrong lengths", () => {
  const provider = PROVIDERS[0]!;
  assert.throws(() => deriveShareKeys(provider, r), RangeError);
  assert.throws(() => deriveProbeKey(provider, r, r), RangeError);
  assert.throws(() => deriveProbeKey(provider, t, t), RangeError);
});
