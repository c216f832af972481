import assert from "node:assert/strict";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { maskReplyCandidates, replyChecksumMask } from "../../../lib/crypto/reply_mask.ts";
import { deriveShareKeys } from "../../../lib/crypto/share_keys.ts";

const KEYS = deriveShareKeys(nodeProvider, new Uint8Array(16));

Deno.test("maskReplyCandidates is the ChaCha20 keystream of RFC 8439 from block 0 on", () => {
  // Section A.1, test vectors 1 and 2: all-zero key and nonce, blocks 0 and 1.
  const out = new Uint8Array(128);
  maskReplyCandidates({ ...KEYS, reply: new Uint8Array(32) }, new Uint8Array(10), out);
  assert.equal(
    encodeHex(out),
    "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7" +
      "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586" +
      "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed" +
      "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f",
  );
});

Deno.test("maskReplyCandidates undoes itself and refuses another length of r", () => {
  const r = decodeHex("00010203040506070809");
  const bytes = Uint8Array.from({ length: 76 }, (_, index) => index);
  maskReplyCandidates(KEYS, r, bytes);
  assert.notEqual(bytes[70], 70);
  maskReplyCandidates(KEYS, r, bytes);
  assert.deepEqual(bytes, Uint8Array.from({ length: 76 }, (_, index) => index));
  assert.throws(() => maskReplyCandidates(KEYS, r.subarray(1), bytes), RangeError);
});

Deno.test("replyChecksumMask is the first 30 bits of the reply check key", () => {
  const replyCheck = new Uint8Array(32);
  replyCheck.set([0x80, 0x00, 0x00, 0x07, 0xff]);
  assert.equal(replyChecksumMask({ ...KEYS, replyCheck }), 0x2000_0001);
});
