import assert from "node:assert/strict";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import {
  derivePairSecret,
  exporterSecret,
  shortCodeChecksumMask,
  shortCodeT,
} from "../../../lib/crypto/pair_secret.ts";
import vectors from "../../vectors/p2pft_identity.json" with { type: "json" };
import { PROVIDERS } from "./_support.ts";

const secrets = {
  initiatorSecret: decodeHex(vectors.initiatorSecret),
  responderSecret: decodeHex(vectors.responderSecret),
};
const scope = {
  handshakeHash: decodeHex(vectors.handshakeHash),
  clientKey: decodeHex(vectors.clientKey),
  sharerKey: decodeHex(vectors.sharerKey),
};
const pairSecret = decodeHex(vectors.pairSecret);
const codeScope = { sharerKey: scope.sharerKey, hint: decodeHex(vectors.hint) };

for (const provider of PROVIDERS) {
  Deno.test(`a pair's secret and what follows from it are as published with ${provider.name}`, () => {
    const exporter = exporterSecret(provider, secrets);
    assert.equal(encodeHex(exporter), vectors.exporterSecret);
    assert.equal(encodeHex(derivePairSecret(provider, exporter, scope)), vectors.pairSecret);
    assert.equal(encodeHex(shortCodeT(provider, pairSecret, codeScope)), vectors.t);
    assert.equal(shortCodeChecksumMask(provider, pairSecret, codeScope), vectors.checksumMask);
  });
}

const provider = PROVIDERS[0]!;

Deno.test("every input of a pair's secret counts, and so does which side is which", () => {
  const exporter = exporterSecret(provider, secrets);
  const flipped = (bytes: Uint8Array) => bytes.map((byte, at) => at === 31 ? byte ^ 1 : byte);
  const swapped = {
    initiatorSecret: secrets.responderSecret,
    responderSecret: secrets.initiatorSecret,
  };
  const all = [
    derivePairSecret(provider, exporter, scope),
    derivePairSecret(provider, exporterSecret(provider, swapped), scope),
    derivePairSecret(provider, flipped(exporter), scope),
    derivePairSecret(provider, exporter, { ...scope, handshakeHash: flipped(scope.handshakeHash) }),
    derivePairSecret(provider, exporter, { ...scope, clientKey: flipped(scope.clientKey) }),
    derivePairSecret(provider, exporter, { ...scope, sharerKey: flipped(scope.sharerKey) }),
    derivePairSecret(provider, exporter, {
      ...scope,
      clientKey: scope.sharerKey,
      sharerKey: scope.clientKey,
    }),
  ];
  assert.equal(new Set(all.map(encodeHex)).size, all.length);
});

Deno.test("every input of a short code's t and mask counts", () => {
  const others = [
    [pairSecret, codeScope],
    [pairSecret.toReversed(), codeScope],
    [pairSecret, { ...codeScope, sharerKey: scope.clientKey }],
    [pairSecret, { ...codeScope, hint: decodeHex("a0a1a2a4") }],
  ] as const;
  const ts = others.map(([secret, of]) => encodeHex(shortCodeT(provider, secret, of)));
  const masks = others.map(([secret, of]) => shortCodeChecksumMask(provider, secret, of));
  assert.equal(new Set(ts).size, others.length);
  assert.equal(new Set(masks).size, others.length);
  assert.ok(masks.every((mask) => mask >= 0 && mask < 2 ** 30));
});

Deno.test("exporterSecret leaves the session's secrets as they are", () => {
  exporterSecret(provider, secrets);
  assert.equal(encodeHex(secrets.initiatorSecret), vectors.initiatorSecret);
});

Deno.test("the functions of pair_secret.ts throw on wrong lengths", () => {
  const exporter = new Uint8Array(32);
  const short = new Uint8Array(31);
  assert.throws(() => derivePairSecret(provider, short, scope), RangeError);
  for (const name of ["handshakeHash", "clientKey", "sharerKey"] as const) {
    assert.throws(
      () => derivePairSecret(provider, exporter, { ...scope, [name]: short }),
      RangeError,
    );
  }
  for (const derive of [shortCodeT, shortCodeChecksumMask]) {
    assert.throws(() => derive(provider, short, codeScope), RangeError);
    assert.throws(() => derive(provider, pairSecret, { ...codeScope, hint: short }), RangeError);
    assert.throws(
      () => derive(provider, pairSecret, { ...codeScope, sharerKey: short }),
      RangeError,
    );
  }
});
