import assert from "node:assert/strict";
import { GuardedHandler } from "../../../lib/sharing/guarded_handler.ts";
import type { ChannelHandler, OutgoingBlock } from "../../../lib/protocol/channel.ts";

const BYTES = new Uint8Array(3);
const BLOCK: OutgoingBlock = { request: 1, offset: 2, bytes: BYTES };

Deno.test("GuardedHandler calls through, and hands over what is returned", () => {
  const calls: unknown[] = [];
  const handler: ChannelHandler = {
    handleControl: (bytes) => calls.push(bytes),
    handleBlock: (...block) => calls.push(block),
    handleBlockReleased: (block) => calls.push(block),
    handleWritable: () => calls.push("writable"),
  };
  const guarded = new GuardedHandler(handler, () => assert.fail("crashed"));
  guarded.handleControl(BYTES);
  assert.equal(guarded.handleBlock(1, 2, BYTES), 2);
  guarded.handleBlockReleased(BLOCK);
  guarded.handleWritable();
  assert.deepEqual(calls, [BYTES, [1, 2, BYTES], BLOCK, "writable"]);
});

Deno.test("GuardedHandler keeps whatever is thrown from the caller", () => {
  const thrown: unknown[] = [];
  const fail = (name: string) => (): never => {
    throw new Error(name);
  };
  const guarded = new GuardedHandler({
    handleControl: fail("control"),
    handleBlock: fail("block"),
    handleBlockReleased: fail("released"),
    handleWritable: fail("writable"),
  }, (error) => thrown.push((error as Error).message));
  guarded.handleControl(BYTES);
  assert.equal(guarded.handleBlock(1, 2, BYTES), 0);
  guarded.handleBlockReleased(BLOCK);
  guarded.handleWritable();
  assert.deepEqual(thrown, ["control", "block", "released", "writable"]);
});
