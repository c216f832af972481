import assert from "node:assert/strict";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import { hkdfExpand, hkdfExtract, MAX_EXPAND_BYTES } from "../../../lib/crypto/hkdf.ts";
import rfc5869 from "../../vectors/rfc5869.json" with { type: "json" };
import { PROVIDERS, someBytes, text } from "./_support.ts";

for (const provider of PROVIDERS) {
  Deno.test(`HKDF gives the keys of RFC 5869 with ${provider.name}`, () => {
    for (const { case: number, ikm, salt, info, length, prk, okm } of rfc5869) {
      const secret = hkdfExtract(provider, decodeHex(salt), decodeHex(ikm));
      assert.equal(encodeHex(secret), prk, `case ${number}`);
      assert.equal(encodeHex(hkdfExpand(provider, secret, decodeHex(info), length)), okm);
    }
  });
}

Deno.test("hkdfExpand gives up to 255 blocks and no more", () => {
  const provider = PROVIDERS[0]!;
  const all = hkdfExpand(provider, someBytes(32), text("info"), MAX_EXPAND_BYTES);
  assert.equal(all.length, 8160);
  const part = hkdfExpand(provider, someBytes(32), text("info"), 33);
  assert.deepEqual(part, all.slice(0, 33));
  assert.equal(hkdfExpand(provider, someBytes(32), text("info"), 0).length, 0);
  for (const length of [-1, 1.5, MAX_EXPAND_BYTES + 1]) {
    assert.throws(() => hkdfExpand(provider, someBytes(32), text("info"), length), RangeError);
  }
});
