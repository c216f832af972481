import assert from "node:assert/strict";
import { wordlist } from "npm:@scure/bip39@2.4.0/wordlists/english.js";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import {
  isSasOpening,
  SAS_WORD_COUNT,
  sasCommitment,
  sasIndices,
} from "../../../lib/crypto/sas.ts";
import { sasWords } from "../../../lib/crypto/sas_words.ts";
import vectors from "../../vectors/p2pft_keys.json" with { type: "json" };
import { PROVIDERS, someBytes } from "./_support.ts";

const hash = decodeHex(vectors.sas.handshakeHash);
const sharerNonce = decodeHex(vectors.sas.sharerNonce);
const clientNonce = decodeHex(vectors.sas.clientNonce);

for (const provider of PROVIDERS) {
  Deno.test(`sasIndices and sasCommitment are as published with ${provider.name}`, () => {
    const indices = sasIndices(provider, hash, sharerNonce, clientNonce);
    assert.deepEqual(indices, vectors.sas.indices);
    assert.equal(encodeHex(sasCommitment(provider, sharerNonce)), vectors.sas.commitment);
  });
}

Deno.test("sasIndices differ when hash, nonces or their order differ", () => {
  const provider = PROVIDERS[0]!;
  const other = someBytes(32);
  const all = [
    sasIndices(provider, hash, sharerNonce, clientNonce),
    sasIndices(provider, other, sharerNonce, clientNonce),
    sasIndices(provider, hash, other, clientNonce),
    sasIndices(provider, hash, sharerNonce, other),
    sasIndices(provider, hash, clientNonce, sharerNonce),
  ];
  assert.equal(new Set(all.map(String)).size, all.length);
});

Deno.test("sasIndices reach every word", () => {
  const seen = [0, 1, 2].map(() => new Set<number>());
  for (let seed = 0; seed < 20_000; seed++) {
    const indices = sasIndices(PROVIDERS[0]!, someBytes(32, seed), sharerNonce, clientNonce);
    for (const [place, index] of indices.entries()) seen[place]!.add(index);
  }
  // 20,000 draws miss about 2048 · e^−9.8 ≈ 0.1 of 2048 words at each place.
  for (const indices of seen) {
    assert.ok(indices.size > SAS_WORD_COUNT - 10 && Math.max(...indices) < 2048);
  }
});

Deno.test("isSasOpening accepts the nonce that was committed to, and no other bytes", () => {
  const provider = PROVIDERS[0]!;
  const commitment = sasCommitment(provider, sharerNonce);
  assert.ok(isSasOpening(provider, commitment, sharerNonce));
  assert.ok(!isSasOpening(provider, commitment, clientNonce));
  assert.ok(!isSasOpening(provider, commitment.subarray(1), sharerNonce));
  assert.ok(!isSasOpening(provider, provider.sha256(new Uint8Array(5)), new Uint8Array(5)));
});

Deno.test("sas functions throw on wrong lengths", () => {
  const provider = PROVIDERS[0]!;
  assert.throws(() => sasCommitment(provider, new Uint8Array(31)), RangeError);
  assert.throws(
    () => sasIndices(provider, new Uint8Array(31), sharerNonce, clientNonce),
    RangeError,
  );
  assert.throws(() => sasIndices(provider, hash, new Uint8Array(33), clientNonce), RangeError);
  assert.throws(() => sasIndices(provider, hash, sharerNonce, new Uint8Array(0)), RangeError);
});

Deno.test("sasWords has 2048 words, told apart by four letters", () => {
  assert.equal(wordlist.length, SAS_WORD_COUNT);
  assert.equal(new Set(wordlist.map((word) => word.slice(0, 4))).size, SAS_WORD_COUNT);
  assert.deepEqual(sasWords([0, 2047, 1]), ["abandon", "zoo", "ability"]);
  assert.throws(() => sasWords([0, 2048, 1]), RangeError);
});
