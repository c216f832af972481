import assert from "node:assert/strict";
import { createConnectionId, readConnectionId } from "../../../lib/protocol/connection_id.ts";
import { Prng } from "../../support/prng.ts";

Deno.test("readConnectionId reads six bytes, big-endian, anywhere", () => {
  const bytes = new Uint8Array([0xff, 0x80, 0x01, 0x02, 0x03, 0x04, 0x05, 0xff]);
  assert.equal(readConnectionId(bytes, 1), 0x800102030405);
  assert.equal(readConnectionId(bytes, 2), 0x0102030405ff);
  assert.equal(readConnectionId(new Uint8Array(6).fill(0xff), 0), 2 ** 48 - 1);
});

Deno.test("createConnectionId draws again while an id is in use", () => {
  const [first, second] = [createConnectionId(new Prng(1), () => false), new Uint8Array(6)];
  const prng = new Prng(1);
  prng.fill(new Uint8Array(6));
  prng.fill(second);
  const taken = readConnectionId(first, 0);
  assert.deepEqual(createConnectionId(new Prng(1), (id) => id === taken), second);
});
