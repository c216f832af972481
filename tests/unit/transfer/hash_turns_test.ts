import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { hashGroup } from "../../../lib/transfer/hash_tree.ts";
import { CHUNK_BYTES } from "../../../lib/transfer/limits.ts";
import { HashTurns } from "../../../lib/transfer/sending/hash_turns.ts";

const BYTES = new Uint8Array(4 * CHUNK_BYTES + 1).fill(3);
const HASH = hashGroup(nodeProvider, BYTES);

Deno.test("HashTurns hashes one group at a time, by turns for bytes and for hashes, with a pause after each", async () => {
  const order: string[] = [];
  // deno-lint-ignore require-await
  const turns = new HashTurns(nodeProvider, async () => void order.push("pause"));
  const hash = async (kind: "get" | "check", name: string) => {
    assert.deepEqual(await turns.hash(kind, BYTES), HASH);
    order.push(name);
  };
  await Promise.all([
    hash("check", "a"),
    hash("check", "b"),
    hash("check", "c"),
    hash("get", "d"),
    hash("get", "e"),
  ]);
  const names = order.filter((name) => name !== "pause");
  assert.deepEqual(names, ["a", "d", "b", "e", "c"]);
  assert.equal(order.length - names.length, 4);
});

Deno.test("HashTurns does not pause for one who is alone", async () => {
  let pauses = 0;
  // deno-lint-ignore require-await
  const turns = new HashTurns(nodeProvider, async () => void pauses++);
  for (let index = 0; index < 3; index++) {
    assert.deepEqual(await turns.hash("get", BYTES), HASH);
  }
  assert.equal(pauses, 0);
});

Deno.test("HashTurns goes on when hashing fails", async () => {
  let calls = 0;
  const sha256 = (...parts: Uint8Array[]) => {
    if (++calls === 1) throw new Error("test");
    return nodeProvider.sha256(...parts);
  };
  const turns = new HashTurns({ sha256 }, () => Promise.resolve());
  const first = turns.hash("get", BYTES);
  const second = turns.hash("check", BYTES);
  await assert.rejects(first);
  assert.deepEqual(await second, HASH);
});
