import assert from "node:assert/strict";
import { HandshakeTag } from "../../../lib/crypto/handshake_tag.ts";
import { countingRandom, someBytes } from "./_support.ts";

Deno.test("HandshakeTag matches what it wrote, with the same block, and nothing of another key", () => {
  const writer = new HandshakeTag(someBytes(32));
  const reader = new HandshakeTag(someBytes(32));
  const datagram = new Uint8Array(64);
  writer.write(datagram, countingRandom(2));
  assert.ok(reader.matches(datagram));
  assert.deepEqual(reader.block, writer.block);
  assert.equal(new HandshakeTag(someBytes(32, 3)).matches(datagram), false);
});

Deno.test("HandshakeTag does not match what is too short to hold a tag", () => {
  const tag = new HandshakeTag(someBytes(32));
  const datagram = new Uint8Array(64);
  tag.write(datagram, countingRandom(2));
  for (let length = 0; length < 16; length++) {
    assert.equal(tag.matches(datagram.subarray(0, length)), false);
  }
  assert.equal(tag.matches(datagram.subarray(0, 16)), true);
});
