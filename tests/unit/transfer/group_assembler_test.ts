import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { GroupAssembler } from "../../../lib/transfer/receiving/group_assembler.ts";
import { hashGroup } from "../../../lib/transfer/hash_tree.ts";
import { MAX_GROUP_RANGES } from "../../../lib/transfer/limits.ts";
import { Prng } from "../../support/prng.ts";

/** Cuts `bytes` at random, mixes the pieces and repeats some, with other bytes where they overlap. */
function shuffledPieces(prng: Prng, bytes: Uint8Array): { offset: number; bytes: Uint8Array }[] {
  const pieces: { offset: number; bytes: Uint8Array }[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Math.min(bytes.length - at, prng.integer(1, 40_000));
    pieces.push({ offset: at, bytes: bytes.subarray(at, at + length) });
    at += length;
  }
  for (const piece of pieces.slice()) {
    if (prng.chance(0.3)) pieces.push(piece);
  }
  for (let index = pieces.length - 1; index > 0; index--) {
    const other = prng.integer(0, index);
    [pieces[index], pieces[other]] = [pieces[other]!, pieces[index]!];
  }
  return pieces;
}

Deno.test("GroupAssembler puts any order of pieces together and counts each byte once", () => {
  for (let seed = 0; seed < 40; seed++) {
    const prng = new Prng(seed);
    const bytes = prng.bytes(prng.pick([1, 1000, 65_536, 65_537, 200_000, 1_048_576]));
    const group = new GroupAssembler(nodeProvider, bytes.length, new Uint8Array(1_048_576));
    const seen = new Uint8Array(bytes.length);
    for (const piece of shuffledPieces(prng, bytes)) {
      let expected = 0;
      for (let at = piece.offset; at < piece.offset + piece.bytes.length; at++) {
        expected += 1 - seen[at]!;
        seen[at] = 1;
      }
      assert.equal(group.add(piece.offset, piece.bytes), expected);
    }
    assert.ok(group.isComplete);
    assert.deepEqual(group.bytes(), bytes);
    assert.deepEqual(group.hash(), hashGroup(nodeProvider, bytes));
  }
});

Deno.test("GroupAssembler keeps the first copy of a byte, also after it was hashed", () => {
  const bytes = new Prng(1).bytes(200_000);
  const group = new GroupAssembler(nodeProvider, bytes.length, new Uint8Array(262_144));
  group.add(0, bytes.subarray(0, 100_000));
  assert.equal(group.add(50_000, new Uint8Array(60_000)), 10_000);
  assert.equal(group.add(0, new Uint8Array(1000)), 0);
  group.add(110_000, bytes.subarray(110_000));
  const expected = bytes.slice();
  expected.fill(0, 100_000, 110_000);
  assert.deepEqual(group.bytes(), expected);
  assert.deepEqual(group.hash(), hashGroup(nodeProvider, expected));
});

Deno.test("GroupAssembler without a buffer counts and drops", () => {
  const group = new GroupAssembler(nodeProvider, 100, undefined);
  assert.equal(group.add(0, new Uint8Array(60)), 60);
  assert.equal(group.add(50, new Uint8Array(50)), 40);
  assert.ok(group.isComplete);
});

Deno.test("GroupAssembler gives up on a group in too many pieces [XFER-9]", () => {
  const group = new GroupAssembler(nodeProvider, 1_048_576, new Uint8Array(1_048_576));
  const one = new Uint8Array(1);
  for (let piece = 0; piece < MAX_GROUP_RANGES; piece++) assert.equal(group.add(piece * 2, one), 1);
  assert.equal(group.add(MAX_GROUP_RANGES * 2, one), -1);
});
