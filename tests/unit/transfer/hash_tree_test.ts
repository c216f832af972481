import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeHex, encodeHex } from "../../../lib/bytes/hex.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import {
  GroupHasher,
  hashGroup,
  hashLeaf,
  sameHash,
  TreeHasher,
} from "../../../lib/transfer/hash_tree.ts";
import { CHUNK_BYTES, GROUP_BYTES } from "../../../lib/transfer/limits.ts";
import { Prng } from "../../support/prng.ts";

/** The definition of RFC 9162, section 2.1.1, word for word. */
function referenceRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const { sha256 } = nodeProvider;
  if (leaves.length === 0) return sha256(new Uint8Array(0));
  if (leaves.length === 1) return sha256(new Uint8Array([0]), leaves[0]!);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const left = referenceRoot(leaves.slice(0, split));
  const right = referenceRoot(leaves.slice(split));
  return sha256(new Uint8Array([1]), left, right);
}

function chunksOf(bytes: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    chunks.push(bytes.subarray(at, at + CHUNK_BYTES));
  }
  return chunks;
}

// The leaves and roots that the implementations of RFC 6962 test themselves with.
const LEAVES = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
];
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

Deno.test("TreeHasher gives the roots of RFC 6962", () => {
  for (let count = 0; count <= LEAVES.length; count++) {
    const tree = new TreeHasher(nodeProvider);
    for (const leaf of LEAVES.slice(0, count)) tree.push(hashLeaf(nodeProvider, decodeHex(leaf)));
    assert.equal(encodeHex(tree.root()), ROOTS[count]);
  }
});

Deno.test("TreeHasher is the tree of RFC 9162 for every number of leaves up to 70", () => {
  const leaves = Array.from({ length: 70 }, (_, index) => new Uint8Array([index]));
  const tree = new TreeHasher(nodeProvider);
  for (let count = 1; count <= leaves.length; count++) {
    tree.push(hashLeaf(nodeProvider, leaves[count - 1]!));
    assert.deepEqual(tree.root(), referenceRoot(leaves.slice(0, count)));
  }
});

Deno.test("hashGroup over groups gives the root over all leaves", () => {
  const sizes = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, GROUP_BYTES - 1, GROUP_BYTES];
  for (const size of [...sizes, GROUP_BYTES + 1, 3 * GROUP_BYTES, 5 * GROUP_BYTES + 70_000]) {
    const bytes = new Prng(size).bytes(size);
    const tree = new TreeHasher(nodeProvider);
    for (let at = 0; at < size; at += GROUP_BYTES) {
      tree.push(hashGroup(nodeProvider, bytes.subarray(at, at + GROUP_BYTES)));
    }
    assert.deepEqual(tree.root(), referenceRoot(chunksOf(bytes)), `size ${size}`);
    if (size <= GROUP_BYTES) assert.deepEqual(hashGroup(nodeProvider, bytes), tree.root());
  }
});

Deno.test("sameHash is equality", () => {
  fc.assert(fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
    assert.ok(sameHash(a, a.slice()));
    assert.equal(sameHash(a, b), encodeHex(a) === encodeHex(b));
  }));
});

Deno.test("GroupHasher takes one step a leaf and gives the hash of the group", () => {
  for (
    const [size, leaves] of [[1, 1], [65_536, 1], [65_537, 2], [300_000, 5], [
      GROUP_BYTES,
      16,
    ]] as const
  ) {
    const bytes = new Uint8Array(size).fill(9);
    const hasher = new GroupHasher(nodeProvider, bytes);
    let steps = 1;
    while (hasher.step()) steps++;
    assert.equal(steps, leaves);
    assert.deepEqual(hasher.root(), hashGroup(nodeProvider, bytes));
  }
});
