import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { ClientVerification, SharerVerification } from "../../../lib/transfer/verify.ts";
import { Prng } from "../../support/prng.ts";

const HANDSHAKE = new Prng(9).bytes(32);

Deno.test("verification gives both sides the same three words [XFER-5]", () => {
  const random = new Prng(1);
  const sharer = new SharerVerification(nodeProvider, { handshakeHash: HANDSHAKE, random });
  const client = new ClientVerification(nodeProvider, sharer.commitment, {
    handshakeHash: HANDSHAKE,
    random,
  });
  const words = sharer.words(client.nonce);
  assert.equal(words.length, 3);
  assert.deepEqual(client.words(sharer.nonce), words);
});

Deno.test("verification gives other words when someone is in between [XFER-5]", () => {
  const random = new Prng(1);
  const sharer = new SharerVerification(nodeProvider, { handshakeHash: HANDSHAKE, random });
  const client = new ClientVerification(nodeProvider, sharer.commitment, {
    handshakeHash: new Prng(10).bytes(32),
    random,
  });
  assert.notDeepEqual(client.words(sharer.nonce), sharer.words(client.nonce));
});

Deno.test("verification refuses a nonce that was not committed to [XFER-5]", () => {
  const random = new Prng(1);
  const options = { handshakeHash: HANDSHAKE, random };
  const sharer = new SharerVerification(nodeProvider, options);
  const client = new ClientVerification(nodeProvider, sharer.commitment, options);
  assert.equal(client.words(new SharerVerification(nodeProvider, options).nonce), undefined);
});
