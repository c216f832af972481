import assert from "node:assert/strict";
import { TransferError } from "../../../lib/errors.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { portableProvider } from "../../../lib/crypto/portable_provider.ts";
import type { Aead, CryptoProvider } from "../../../lib/crypto/provider.ts";
import { selectProvider } from "../../../lib/crypto/select_provider.ts";
import { selfTest } from "../../../lib/crypto/self_test.ts";
import { aesProvider } from "../../support/aes_provider.ts";
import { PROVIDERS } from "./_support.ts";

/** Libraries that are wrong in one thing each. */
const BROKEN: readonly (readonly [string, Partial<CryptoProvider>])[] = [
  ["SHA-256", { sha256: () => new Uint8Array(32) }],
  ["SHA-256", { createSha256: () => ({ update: () => {}, digest: () => new Uint8Array(32) }) }],
  ["HMAC-SHA-256", { hmacSha256: () => new Uint8Array(32) }],
  ["X25519", { publicKeyOf: () => new Uint8Array(32) }],
  ["X25519", {
    generateKeyPair: () => ({ secretKey: new Uint8Array(32), publicKey: new Uint8Array(32) }),
  }],
  ["X25519", { sharedSecret: () => undefined }],
  ["X25519", {
    sharedSecret: (secretKey, publicKey) =>
      nodeProvider.sharedSecret(secretKey, publicKey) ?? new Uint8Array(32),
  }],
  ["X25519", {
    sharedSecret: () => {
      throw new Error("not supported");
    },
  }],
  ["Ed25519", { signingKeyOf: () => new Uint8Array(32) }],
  ["Ed25519", { sign: () => new Uint8Array(64) }],
  ["Ed25519", { isSignature: () => true }],
  ["Ed25519", { isSignature: () => false }],
  ["Ed25519", {
    isSignature: (publicKey, message, signature) =>
      signature[0] === 1 || nodeProvider.isSignature(publicKey, message, signature),
  }],
  ["ChaCha20-Poly1305", {
    createAead: (key) => ({
      ...unbound(key),
      open: (_nonce, _data, _buffer, _start, end) => end - 16,
    }),
  }],
  ["ChaCha20-Poly1305", { createAead: (key) => ({ ...unbound(key), open: () => -1 }) }],
  ["ChaCha20-Poly1305", {
    createAead: (key) => ({
      ...unbound(key),
      seal: (_nonce, _data, _buffer, _start, end) => end + 16,
    }),
  }],
  ["ChaCha20-Poly1305", { createAead: (key) => wrongInLongTexts(nodeProvider.createAead(key)) }],
  ["AES-256-GCM", { createAesGcm: (key) => nodeProvider.createAead(key) }],
  ["AES-256-GCM", { createAesGcm: (key) => wrongInLongTexts(aesProvider.createAesGcm!(key)) }],
];

/** An AEAD whose code for long texts is another one, and makes a mistake at the end. */
function wrongInLongTexts(aead: Aead): Aead {
  return {
    seal(nonce, data, buffer, start, end) {
      if (end - start > 512) buffer[end - 1]! ^= 1;
      return aead.seal(nonce, data, buffer, start, end);
    },
    open: aead.open.bind(aead),
    wipe: () => aead.wipe(),
  };
}

function unbound(key: Uint8Array) {
  const aead = nodeProvider.createAead(key);
  return {
    seal: aead.seal.bind(aead),
    open: aead.open.bind(aead),
    wipe: () => aead.wipe(),
  };
}

Deno.test("selfTest passes both providers, and AES-256-GCM where it is offered", () => {
  for (const provider of [...PROVIDERS, aesProvider]) assert.equal(selfTest(provider), undefined);
});

Deno.test("selfTest names the primitive that is wrong", () => {
  for (const [primitive, parts] of BROKEN) {
    const reason = selfTest({ ...nodeProvider, name: "broken", ...parts });
    assert.ok(reason?.startsWith(`${primitive} of broken`), `${primitive}: ${reason}`);
  }
});

Deno.test("selectProvider prefers node:crypto, and falls back when it is broken", () => {
  assert.equal(selectProvider(), nodeProvider);
  const broken = { ...nodeProvider, ...BROKEN[0]![1] };
  assert.equal(selectProvider([broken, portableProvider]), portableProvider);
});

Deno.test("selectProvider throws, with all reasons, when none works", () => {
  const one = { ...nodeProvider, name: "one", ...BROKEN[0]![1] };
  const two = { ...portableProvider, name: "two", ...BROKEN[2]![1] };
  assert.throws(() => selectProvider([one, two]), (error) => {
    assert.ok(error instanceof TransferError);
    assert.equal(error.code, "internal");
    assert.match(error.message, /SHA-256 of one .*; HMAC-SHA-256 of two/);
    return true;
  });
});
