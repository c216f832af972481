import assert from "node:assert/strict";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import { CookieIssuer } from "../../../lib/crypto/cookie.ts";
import vectors from "../../vectors/p2pft_keys.json" with { type: "json" };
import { PROVIDERS, someBytes } from "./_support.ts";

const { secret, address: addressHex, port, minute, cookie } = vectors.cookie;
const address = decodeHex(addressHex);

for (const provider of PROVIDERS) {
  Deno.test(`CookieIssuer gives its published cookie with ${provider.name}`, () => {
    const issuer = new CookieIssuer(provider, decodeHex(secret));
    assert.equal(encodeHex(issuer.issue(address, port, minute)), cookie);
  });
}

Deno.test("CookieIssuer accepts a cookie in its minute and the next one only", () => {
  const issuer = new CookieIssuer(PROVIDERS[0]!, decodeHex(secret));
  const issued = issuer.issue(address, port, minute);
  const accepted = [-1, 0, 1, 2].map((later) =>
    issuer.check(issued, address, port, minute + later)
  );
  assert.deepEqual(accepted, [false, true, true, false]);
});

Deno.test("CookieIssuer accepts a cookie from its address and port only", () => {
  const issuer = new CookieIssuer(PROVIDERS[0]!, decodeHex(secret));
  const issued = issuer.issue(address, port, minute);
  const otherIssuer = new CookieIssuer(PROVIDERS[0]!, someBytes(32));
  assert.equal(issuer.check(issued, address, port + 1, minute), false);
  assert.equal(issuer.check(issued, new Uint8Array([192, 0, 2, 2]), port, minute), false);
  assert.equal(issuer.check(issued, new Uint8Array(16), port, minute), false);
  assert.equal(issuer.check(new Uint8Array(16), address, port, minute), false);
  assert.equal(issuer.check(issued.subarray(0, 15), address, port, minute), false);
  assert.equal(otherIssuer.check(issued, address, port, minute), false);
  assert.throws(() => new CookieIssuer(PROVIDERS[0]!, new Uint8Array(16)), RangeError);
});
