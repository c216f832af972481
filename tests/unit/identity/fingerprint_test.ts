import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeHex } from "../../../lib/bytes/hex.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { fingerprintOf, fingerprintPrefix } from "../../../lib/identity/fingerprint.ts";
import vectors from "../../vectors/p2pft_identity.json" with { type: "json" };

Deno.test("fingerprints are as published", () => {
  const { clientKey, clientFingerprint, sharerKey, sharerFingerprint } = vectors;
  assert.equal(fingerprintOf(nodeProvider, decodeHex(clientKey)), clientFingerprint);
  assert.equal(fingerprintOf(nodeProvider, decodeHex(sharerKey)), sharerFingerprint);
});

Deno.test("fingerprintPrefix reads the beginning of any fingerprint, however it is typed", () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(fc.property(key, fc.integer({ min: 5, max: 25 }), fc.boolean(), (key, count, upper) => {
    const whole = fingerprintOf(nodeProvider, key);
    assert.match(whole, /^(?:[02-9ac-hj-np-z]{5}-){4}[02-9ac-hj-np-z]{5}$/);
    const typed = whole.replaceAll("-", "").slice(0, count);
    const prefix = fingerprintPrefix(upper ? ` ${typed.toUpperCase()}-` : typed)!;
    assert.ok(whole.startsWith(prefix));
    assert.equal(prefix.replaceAll("-", "").length, count);
  }));
});

Deno.test("fingerprintPrefix takes nothing too short, too long or of other characters", () => {
  const { sharerFingerprint } = vectors;
  for (
    const text of [
      "",
      "c3dd",
      "c3-d d",
      `${sharerFingerprint}q`,
      "c3ddb",
      "c3ddi",
      "c3dd1",
      "ééééé",
    ]
  ) {
    assert.equal(fingerprintPrefix(text), undefined, text);
  }
  assert.equal(fingerprintPrefix("c3ddg"), "c3ddg");
  assert.equal(fingerprintPrefix("c3ddgd"), "c3ddg-d");
});
