/**
 * What a transfer costs the main thread, without the network: hashing, putting groups together,
 * listing, and whole files through the disk adapter. Run with
 * `deno bench --allow-read --allow-write bench/micro/transfer_bench.ts`.
 */
import { join } from "node:path";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { ByteReader } from "../../lib/bytes/varint.ts";
import { DenoStorage } from "../../lib/storage/deno_storage.ts";
import { decodeEntries, EntryPacker, type ManifestEntry } from "../../lib/transfer/offer/entry.ts";
import { GroupAssembler } from "../../lib/transfer/receiving/group_assembler.ts";
import { hashGroup } from "../../lib/transfer/hash_tree.ts";
import { GROUP_BYTES } from "../../lib/transfer/limits.ts";
import { NamesGate } from "../../lib/transfer/names.ts";
import { ShareTree } from "../../lib/transfer/offer/share_tree.ts";

const group = new Uint8Array(GROUP_BYTES).fill(7);
const small = group.subarray(0, 4096);

Deno.bench("hash 1 MiB in one piece", { group: "hashing", baseline: true }, () => {
  nodeProvider.sha256(group);
});
Deno.bench("hash a group of 1 MiB", { group: "hashing" }, () => {
  hashGroup(nodeProvider, group);
});
Deno.bench("hash a file of 4 KiB", { group: "hashing small" }, () => {
  hashGroup(nodeProvider, small);
});

const into = new Uint8Array(GROUP_BYTES);
const piece = group.subarray(0, 1400);

/** Puts a group together from pieces of 1400 bytes, taken in the order `indexOf` says. */
function assemble(hashed: boolean, indexOf: (index: number) => number): void {
  const crypto = hashed ? nodeProvider : { sha256: () => small };
  const assembler = new GroupAssembler(crypto, GROUP_BYTES, into);
  const pieces = Math.floor(GROUP_BYTES / 1400);
  for (let index = 0; index < pieces; index++) assembler.add(indexOf(index) * 1400, piece);
  assembler.add(pieces * 1400, group.subarray(pieces * 1400));
}

Deno.bench("copy 1 MiB in pieces of 1400 bytes", { group: "reassembly", baseline: true }, () => {
  for (let at = 0; at + 1400 <= GROUP_BYTES; at += 1400) into.set(piece, at);
});
Deno.bench("reassemble 1 MiB in order", { group: "reassembly" }, () => {
  assemble(false, (index) => index);
});
Deno.bench("reassemble 1 MiB, every 20th piece 100 late", { group: "reassembly" }, () => {
  assemble(false, (index) => {
    const turn = index % 120;
    if (index >= 720) return index;
    const base = index - turn;
    // 114 pieces on time, then the six that were missing.
    return turn < 114 ? base + turn + Math.floor(turn / 19) : base + (turn - 114) * 20 + 19;
  });
});
Deno.bench("reassemble and hash 1 MiB in order", { group: "reassembly" }, () => {
  assemble(true, (index) => index);
});

const entries = Array.from({ length: 1000 }, (_, index): ManifestEntry => ({
  kind: "file",
  path: `share/folder ${Math.floor(index / 100)}/file number ${index}.txt`,
  sizeBytes: 4096,
  mtimeMs: 1_700_000_000_000 + index,
  executable: false,
}));
const page = new Uint8Array(262_144);

function packEntries(): number {
  const packer = new EntryPacker();
  let at = 0;
  for (const entry of entries) at = packer.write(entry, page, at);
  return at;
}
const packedLength = packEntries();

Deno.bench("pack 1000 entries", { group: "list" }, () => {
  packEntries();
});
Deno.bench("unpack 1000 entries", { group: "list" }, () => {
  decodeEntries(new ByteReader(page.subarray(0, packedLength)), 1_000_000);
});
Deno.bench("pass 1000 entries through the names gate", { group: "list" }, () => {
  const system = { nameRules: "posix", foldsNames: false, join } as const;
  const gate = new NamesGate(system, "/into");
  const folder = { kind: "directory", sizeBytes: 0, mtimeMs: 0, executable: false } as const;
  gate.admit({ ...folder, path: "share" });
  for (let index = 0; index < 10; index++) gate.admit({ ...folder, path: `share/folder ${index}` });
  for (const entry of entries) gate.admit(entry);
});
Deno.bench("root over 1000 entries", { group: "list" }, () => {
  new ShareTree(nodeProvider, entries).root();
});

const folder = Deno.makeTempDirSync();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const storage = new DenoStorage();
Deno.writeFileSync(join(folder, "source"), small);
const buffer = new Uint8Array(4096);
let written = 0;

Deno.bench("read a file of 4 KiB", { group: "disk" }, async () => {
  await storage.readWhole(join(folder, "source"), buffer);
});
Deno.bench("write and place a file of 4 KiB", { group: "disk" }, async () => {
  const path = join(folder, `target ${written++}`);
  const target = {
    path,
    partPath: join(folder, ".p2pft-0123456789abcdef.part"),
    journalPath: join(folder, ".p2pft-0123456789abcdef.journal"),
    folder: undefined,
    mtimeMs: 1_700_000_000_000,
    executable: false,
    overwrite: false,
  };
  await storage.writeWhole(target, small);
  await storage.placeWhole([target]);
});
