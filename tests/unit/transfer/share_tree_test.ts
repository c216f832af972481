import fc from "fast-check";
import assert from "node:assert/strict";
import { encodeHex } from "../../../lib/bytes/hex.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import type { ManifestEntry } from "../../../lib/transfer/offer/entry.ts";
import { ShareRoots } from "../../../lib/transfer/offer/share_roots.ts";
import { ShareTree } from "../../../lib/transfer/offer/share_tree.ts";

const ENTRIES: ManifestEntry[] = [
  { kind: "directory", path: "d", sizeBytes: 0, mtimeMs: 1, executable: false },
  { kind: "file", path: "d/f", sizeBytes: 300, mtimeMs: -1, executable: true },
];

Deno.test("ShareTree hashes the bytes of the specification [XFER-15]", () => {
  const { sha256 } = nodeProvider;
  const root = new Uint8Array(32).fill(7);
  const tree = new ShareTree(nodeProvider, ENTRIES);
  tree.setRoot(1, root);
  const folderLeaf = new Uint8Array([0, 1, 1, 100, 0, 2, 0]);
  const fileLeaf = new Uint8Array([0, 4, 3, 100, 47, 102, 0x41, 0x2c, 1, 1, ...root]);
  const expected = sha256(new Uint8Array([1]), sha256(folderLeaf), sha256(fileLeaf));
  assert.equal(encodeHex(tree.root()), encodeHex(expected));
  assert.deepEqual(tree.rootOf(1), root);
  assert.equal(tree.verifiedBytes, 300);
});

Deno.test("ShareTree forgets the root of a file that does not count [XFER-14]", () => {
  const tree = new ShareTree(nodeProvider, ENTRIES);
  const before = encodeHex(tree.root());
  tree.setRoot(1, new Uint8Array(32).fill(7));
  assert.notEqual(encodeHex(tree.root()), before);
  tree.giveUp(1);
  assert.equal(encodeHex(tree.root()), before);
  assert.equal(tree.verifiedBytes, 0);
  // Another request for it may end well afterwards.
  tree.setRoot(1, new Uint8Array(32).fill(7));
  assert.ok(!tree.isVerified(1));
  assert.equal(encodeHex(tree.root()), before);
});

Deno.test("ShareTree counts a link as it is, and a stream as long as it was [XFER-15] [XFER-19]", () => {
  const { sha256 } = nodeProvider;
  const base = { sizeBytes: 0, mtimeMs: 0, executable: false };
  const entries: ManifestEntry[] = [
    { ...base, kind: "symlink", path: "l", linkTarget: "to" },
    { ...base, kind: "stream", path: "s" },
  ];
  const root = new Uint8Array(32).fill(5);
  const tree = new ShareTree(nodeProvider, entries);
  tree.setRoot(1, root, 3_000_000);
  assert.equal(tree.verifiedBytes, 3_000_000);
  const link = new Uint8Array([0, 2, 1, 108, 2, 116, 111, 0, 0]);
  const stream = new Uint8Array([0, 3, 1, 115, 0, 0, 1, ...root]);
  const expected = sha256(new Uint8Array([1]), sha256(link), sha256(stream));
  assert.equal(encodeHex(tree.root()), encodeHex(expected));
});

Deno.test("ShareTree keeps its own roots where they are not those that others were told", () => {
  const roots = new ShareRoots(ENTRIES.length);
  const hash = (fill: number) => new Uint8Array(32).fill(fill);
  const alone = (fill: number) => {
    const tree = new ShareTree(nodeProvider, ENTRIES);
    tree.setRoot(1, hash(fill));
    return encodeHex(tree.root());
  };
  const [first, second, third] = [1, 2, 3].map(() => new ShareTree(nodeProvider, ENTRIES, roots));
  first!.setRoot(1, hash(7));
  second!.setRoot(1, hash(8));
  assert.ok(!third!.isVerified(1));
  assert.deepEqual([first!.rootOf(1), second!.rootOf(1)], [hash(7), hash(8)]);
  assert.deepEqual([first!, second!].map((tree) => encodeHex(tree.root())), [alone(7), alone(8)]);
  second!.setRoot(1, hash(7));
  assert.equal(encodeHex(second!.root()), alone(7));
  second!.giveUp(1);
  assert.equal(encodeHex(first!.root()), alone(7));
});

Deno.test("ShareTree has the same root in whatever order files are noted and forgotten", () => {
  const files = fc.array(fc.constantFrom<"file" | "directory">("file", "file", "directory"), {
    minLength: 1,
    maxLength: 40,
  });
  const steps = fc.array(
    fc.record({
      entry: fc.nat(39),
      fill: fc.integer({ min: 0, max: 3 }),
      isLookedAt: fc.boolean(),
    }),
    { maxLength: 120 },
  );
  fc.assert(fc.property(files, steps, (kinds, steps) => {
    const entries = kinds.map((kind, index): ManifestEntry => ({
      kind,
      path: `${index}`,
      sizeBytes: kind === "file" ? index : 0,
      mtimeMs: index,
      executable: false,
    }));
    const tree = new ShareTree(nodeProvider, entries);
    const fills = new Map<number, number>();
    for (const { entry, fill, isLookedAt } of steps) {
      if (entries[entry]?.kind !== "file") continue;
      if (fill === 0) tree.giveUp(entry);
      else tree.setRoot(entry, new Uint8Array(32).fill(fill));
      // What was given up stays so.
      if (fills.get(entry) !== 0) fills.set(entry, fill);
      if (isLookedAt) tree.root();
    }
    const fresh = new ShareTree(nodeProvider, entries);
    for (const [entry, fill] of [...fills].reverse()) {
      if (fill > 0) fresh.setRoot(entry, new Uint8Array(32).fill(fill));
    }
    assert.equal(encodeHex(tree.root()), encodeHex(fresh.root()));
  }));
});

Deno.test("ShareTree of many entries is made in turns with everything else [XFER-15]", async () => {
  const count = 20_000;
  const entries = Array.from({ length: count }, (_, index): ManifestEntry => ({
    kind: "file",
    path: `${index}`,
    sizeBytes: 3,
    mtimeMs: 0,
    executable: false,
  }));
  const tree = new ShareTree(nodeProvider, entries);
  assert.equal(tree.isNearlyComplete, false);
  let turns = 0;
  await tree.complete({ breathe: () => Promise.resolve(void turns++) });
  assert.ok(turns >= 4, `${turns}`);
  assert.equal(tree.isNearlyComplete, true);
  assert.deepEqual(tree.root(), new ShareTree(nodeProvider, entries).root());
  // A storage that has nothing to do meanwhile.
  const other = new ShareTree(nodeProvider, entries);
  await other.complete({});
  assert.deepEqual(other.root(), tree.root());
});
