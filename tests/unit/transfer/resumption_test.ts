/**
 * Goal: what is here of a file spares moving it again, and whatever became of it meanwhile, the file
 * is in the end the one that was offered.
 * Method: whole transfers with files in memory, the second with what the first left behind, which is
 * damaged, moved or outdated in between; bytes that move are counted.
 */
import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { TransferError } from "../../../lib/errors.ts";
import type { OfferDecision } from "../../../lib/options.ts";
import { decodeJournal, encodeJournal } from "../../../lib/transfer/receiving/journal.ts";
import { ownNamesOf } from "../../../lib/transfer/own_names.ts";
import { StorageError } from "../../../lib/storage/storage.ts";
import { FakeStorage } from "../../support/fake_storage.ts";
import { Prng } from "../../support/prng.ts";
import { TransferPair } from "../../support/transfer_pair.ts";

const MIB = 1_048_576;
const MTIME = 1_234_567_890_123;
const BIG = "/share/big";
const BIG_HERE = "/into/share/big";
const OWN = ownNamesOf(nodeProvider, "share/big");
const PART = `/into/share/${OWN.part}`;
const JOURNAL = `/into/share/${OWN.journal}`;
const ALWAYS: OfferDecision = { accept: true, overwrite: "always" };

/** How a run ended that was to end well. */
interface Run {
  readonly pair: TransferPair;
  /** Bytes of blocks that came. */
  readonly movedBytes: number;
  /** Bytes that were here and counted. */
  readonly keptBytes: number;
  /** Bytes the notice says. */
  readonly resumedBytes: number;
}

/** A large file beside small ones. */
function sourceWith(bytes: Uint8Array): FakeStorage {
  const source = new FakeStorage();
  source.addFile(BIG, bytes, { mtimeMs: MTIME });
  for (let index = 0; index < 5; index++) {
    source.addFile(`/share/small ${index}`, new Uint8Array(1000).fill(index), { mtimeMs: MTIME });
  }
  return source;
}

/** Runs until the given side ends it, before the source is read a certain time. */
async function cut(
  { source, target, seed = 1 }: {
    readonly source: FakeStorage;
    readonly target: FakeStorage;
    readonly seed?: number;
  },
  { atRead, isReceiver = true }: { readonly atRead: number; readonly isReceiver?: boolean },
): Promise<boolean> {
  const pair = new TransferPair({ source, target, seed, creditBytes: 3 * MIB });
  await pair.start();
  let reads = 0;
  source.onRead = () => {
    const side = isReceiver ? pair.receiver : pair.sender;
    if (++reads === atRead) side.abort(new TransferError("interrupted", "Cut by test"));
  };
  const { received } = await pair.run();
  source.onRead = () => {};
  assert.deepEqual([source.openFiles, target.openFiles], [0, 0]);
  return received.status === "rejected";
}

/** Runs to the end, and compares everything. */
async function finish(
  source: FakeStorage,
  target: FakeStorage,
  options: { readonly seed?: number; readonly decision?: OfferDecision } = {},
): Promise<Run> {
  const { seed = 2, decision = { accept: true } } = options;
  const pair = new TransferPair({ source, target, seed, decision, reorderWindow: 5 });
  await pair.start();
  const { sent, received } = await pair.run();
  const summaries = [received, sent].map((side) => {
    if (side.status === "rejected") throw side.reason.cause ?? side.reason;
    return side.value;
  });
  assert.deepEqual([source.openFiles, target.openFiles], [0, 0]);
  const { acceptedBytes: movedBytes, consumedBytes } = pair.link.right;
  assert.equal(consumedBytes, movedBytes);
  const { bytesDone, bytesTotal, keptBytes = 0 } = pair.receiver.forth.progress;
  assert.equal(bytesDone, bytesTotal);
  // Both count apart what was here before.
  assert.deepEqual(summaries.map((summary) => summary.keptBytes ?? 0), [keptBytes, keptBytes]);
  const resumed = pair.receiverNotices.filter((notice) => notice.event === "resumed");
  assert.ok(resumed.length <= 1);
  return { pair, movedBytes, keptBytes, resumedBytes: resumed[0]?.bytes ?? 0 };
}

function assertSame(source: FakeStorage, target: FakeStorage): void {
  for (const path of source.paths("/share")) {
    const from = source.get(path)!;
    const to = target.get(`/into${path}`)!;
    assert.ok(to !== undefined, path);
    assert.ok(Buffer.from(to.bytes).equals(from.bytes), path);
    assert.equal(to.mtimeMs, from.mtimeMs, path);
  }
  assert.deepEqual(target.paths("/").filter((path) => path.includes("/.p2pft-")), []);
}

/** Bytes of the large file that the journal names; 0 without one. */
function journaledBytes(target: FakeStorage, sizeBytes: number): number {
  const state = target.get(JOURNAL);
  if (state === undefined) return 0;
  const { groups } = decodeJournal(nodeProvider, state.bytes)!;
  let bytes = 0;
  for (let index = 0; index < groups.length; index += 2) {
    bytes += Math.min(groups[index + 1]! * MIB, sizeBytes) - groups[index]! * MIB;
  }
  return bytes;
}

for (const isReceiver of [true, false]) {
  const side = isReceiver ? "receiver" : "sharer";
  Deno.test(`a transfer that the ${side} cut off moves only what is missing, wherever that was [DISK-7]`, async () => {
    let resumed = 0;
    for (let atRead = 1; atRead <= 20; atRead++) {
      const bytes = new Prng(atRead).bytes(9 * MIB + 77_777);
      const source = sourceWith(bytes);
      const target = new FakeStorage();
      target.answersAtOnce = atRead % 2 === 0;
      if (!await cut({ source, target, seed: atRead }, { atRead, isReceiver })) break;
      const kept = journaledBytes(target, bytes.length);
      const smallHere = target.paths("/into/share").filter((path) => path.includes("small")).length;
      assert.equal(target.get(PART) !== undefined, kept > 0);
      const run = await finish(source, target, { seed: 100 + atRead });
      assertSame(source, target);
      assert.equal(run.keptBytes, kept);
      assert.equal(run.resumedBytes, kept);
      assert.equal(run.movedBytes, bytes.length - kept + (5 - smallHere) * 1000);
      if (kept > 0) resumed++;
    }
    assert.ok(resumed > 3, `${resumed} resumed`);
  });
}

Deno.test("a transfer that is cut off again and again comes to an end, and moves nothing twice", async () => {
  const bytes = new Prng(5).bytes(12 * MIB);
  const source = sourceWith(bytes);
  const target = new FakeStorage();
  let kept = 0;
  let runs = 0;
  for (; runs < 30; runs++) {
    if (
      !await cut({ source, target, seed: runs }, {
        atRead: 8 + runs,
        isReceiver: runs % 2 === 0,
      })
    ) {
      break;
    }
    const now = journaledBytes(target, bytes.length);
    assert.ok(now >= kept, `${now} < ${kept}`);
    kept = now;
  }
  await finish(source, target);
  assertSame(source, target);
  assert.ok(kept > 4 * MIB);
  assert.ok(runs > 3);
});

/** A cut transfer, with most of the large file here. */
async function mostlyHere(bytes: Uint8Array) {
  const source = sourceWith(bytes);
  const target = new FakeStorage();
  assert.ok(await cut({ source, target }, { atRead: 12 }));
  const kept = journaledBytes(target, bytes.length);
  assert.ok(kept >= 3 * MIB, `${kept}`);
  return { source, target, kept };
}

Deno.test("a source that changed keeps the groups that still match [DISK-8]", async () => {
  const bytes = new Prng(7).bytes(9 * MIB + 5);
  for (const sizeBytes of [bytes.length, 12 * MIB + 9, 5 * MIB + 1, 2 * MIB, MIB / 2]) {
    const { source, target, kept } = await mostlyHere(bytes);
    const changed = new Uint8Array(sizeBytes);
    changed.set(bytes.subarray(0, sizeBytes));
    changed[MIB + 3]! ^= 1;
    source.addFile(BIG, changed, { mtimeMs: MTIME + 5000 });
    const run = await finish(source, target);
    // All that was kept, but for the group that changed.
    assert.equal(kept % MIB, 0);
    const expected = sizeBytes <= MIB ? 0 : Math.min(sizeBytes, kept) - MIB;
    assert.equal(run.keptBytes, expected, `${sizeBytes}`);
    assert.equal(Buffer.compare(target.get(BIG_HERE)!.bytes, changed), 0);
    if (sizeBytes > MIB) assertSame(source, target);
  }
});

Deno.test("zeros replace what was in the part file before [DISK-8]", async () => {
  const bytes = new Prng(8).bytes(9 * MIB);
  const { source, target } = await mostlyHere(bytes);
  source.addFile(BIG, new Uint8Array(9 * MIB), { mtimeMs: MTIME + 1 });
  await finish(source, target);
  assertSame(source, target);
});

/** What may become of a part file and its journal. */
const DAMAGES: Record<string, (target: FakeStorage, prng: Prng, sizeBytes: number) => void> = {
  "a part file that is shorter than the journal says": (target, prng) => {
    const node = target.get(PART)!;
    node.bytes = node.bytes.slice(0, prng.integer(0, node.bytes.length - 1));
  },
  "a part file with wrong bytes": (target, prng) => {
    const { bytes } = target.get(PART)!;
    for (let index = 0; index < 3; index++) bytes[prng.integer(0, bytes.length - 1)]! ^= 1;
  },
  "a part file of other bytes altogether": (target, prng) => {
    const node = target.get(PART)!;
    node.bytes = prng.bytes(node.bytes.length + 12_345_678);
  },
  "a journal that is torn": (target, prng) => {
    const node = target.get(JOURNAL)!;
    node.bytes = node.bytes.slice(0, prng.integer(0, node.bytes.length - 1));
  },
  "a journal of something else": (target, prng) => {
    target.get(JOURNAL)!.bytes = prng.bytes(100);
  },
  "a journal that promises too much": (target, _prng, sizeBytes) => {
    const groups = [0, Math.ceil(sizeBytes / MIB)];
    target.get(JOURNAL)!.bytes = encodeJournal(nodeProvider, { sizeBytes, groups });
  },
  "a journal of a larger file": (target) => {
    const journal = { sizeBytes: 1000 * MIB, groups: [1, 3, 500, 1000] };
    target.get(JOURNAL)!.bytes = encodeJournal(nodeProvider, journal);
  },
  "a journal in many pieces": (target, _prng, sizeBytes) => {
    const groups = [0, 1, 2, 3, 4, 5, 6, 7];
    target.get(JOURNAL)!.bytes = encodeJournal(nodeProvider, { sizeBytes, groups });
  },
  "a journal without a part file": (target) => target.delete(PART),
  "a part file without a journal": (target) => target.delete(JOURNAL),
  "a link in place of the part file": (target) => {
    target.delete(PART);
    target.addSpecial(PART, "symlink");
  },
  "a link in place of the journal": (target) => {
    target.delete(JOURNAL);
    target.addSpecial(JOURNAL, "symlink");
  },
};

for (const [name, damage] of Object.entries(DAMAGES)) {
  Deno.test(`${name} costs moving more and nothing else [DISK-8]`, async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const prng = new Prng(seed);
      const bytes = prng.bytes(9 * MIB + prng.integer(0, MIB));
      const { source, target } = await mostlyHere(bytes);
      damage(target, prng, bytes.length);
      const run = await finish(source, target, { seed });
      assert.equal(Buffer.compare(target.get(BIG_HERE)!.bytes, bytes), 0);
      assert.equal(run.keptBytes + run.movedBytes >= bytes.length, true);
      const left = target.paths("/").filter((path) => path.includes("/.p2pft-"));
      assert.deepEqual(left, []);
    }
  });
}

Deno.test("what a program that was killed had not synced is not sent again, but written once more [DISK-8]", async () => {
  const bytes = new Prng(10).bytes(9 * MIB + 5);
  for (const isJournalOlder of [true, false]) {
    const { source, target, kept } = await mostlyHere(bytes);
    const older = encodeJournal(nodeProvider, { sizeBytes: bytes.length, groups: [1, 2] });
    if (isJournalOlder) target.get(JOURNAL)!.bytes = older;
    else target.delete(JOURNAL);
    const smallHere = target.paths("/into/share").filter((path) => path.includes("small")).length;
    const part = target.get(PART)!;
    const written = new Set<number>();
    const write = target.write.bind(target);
    target.write = (node, offset, piece) => {
      if (node === part) written.add(offset / MIB);
      write(node, offset, piece);
    };
    const run = await finish(source, target);
    assertSame(source, target);
    assert.equal(run.keptBytes, kept);
    assert.equal(run.movedBytes, bytes.length - kept + (5 - smallHere) * 1000);
    const groups = Array.from({ length: 10 }, (_, group) => group);
    const expected = groups.filter((group) => group !== 1 || !isJournalOlder);
    assert.deepEqual([...written].sort((a, b) => a - b), expected);
  }
});

Deno.test("a file that is the same but for its time is not sent, and only its time is set [DISK-8]", async () => {
  for (const sizeBytes of [0, 1, 1000, MIB, MIB + 1, 3 * MIB]) {
    const bytes = new Prng(3).bytes(sizeBytes);
    const source = sourceWith(bytes);
    const target = new FakeStorage();
    target.addFile(BIG_HERE, bytes, { mtimeMs: MTIME - 100_000 });
    const run = await finish(source, target, { decision: ALWAYS });
    assertSame(source, target);
    assert.equal(run.movedBytes, 5000);
    assert.equal(run.keptBytes, sizeBytes);
    assert.deepEqual(run.pair.warnings, []);
  }
});

Deno.test("a file of the same size that differs here is kept, or only what differs is sent [DISK-8]", async () => {
  for (const sizeBytes of [1000, 3 * MIB + 5]) {
    const bytes = new Prng(3).bytes(sizeBytes);
    const other = bytes.slice();
    other[sizeBytes - 2]! ^= 1;
    const source = sourceWith(bytes);
    const kept = new FakeStorage();
    kept.addFile(BIG_HERE, other, { mtimeMs: MTIME - 100_000 });
    const { pair, movedBytes } = await finishKeeping(source, kept);
    assert.deepEqual(pair.warnings, ["kept share/big"]);
    assert.equal(movedBytes, 5000);
    assert.deepEqual(kept.get(BIG_HERE)!.bytes, other);
    assert.equal(kept.get(BIG_HERE)!.mtimeMs, MTIME - 100_000);

    const target = new FakeStorage();
    target.addFile(BIG_HERE, other, { mtimeMs: MTIME - 100_000 });
    const run = await finish(source, target, { decision: ALWAYS });
    assertSame(source, target);
    const lastGroup = sizeBytes % MIB;
    assert.equal(run.movedBytes, 5000 + lastGroup);
    assert.equal(run.keptBytes, sizeBytes - lastGroup);
  }
});

Deno.test("a file that may not be replaced is compared as it is, whatever is left of an earlier run [KEEP-2]", async () => {
  const bytes = new Prng(3).bytes(6 * MIB);
  const source = sourceWith(bytes);
  const target = new FakeStorage();
  target.addFile(PART, bytes.slice(0, 2 * MIB));
  // Somebody brought it another way meanwhile.
  target.addFile(BIG_HERE, bytes, { mtimeMs: MTIME - 100_000 });
  const run = await finish(source, target, { decision: { accept: true, overwrite: "never" } });
  assert.deepEqual(run.pair.warnings, []);
  assert.deepEqual(target.get(BIG_HERE)!.bytes, bytes);
  assert.equal(target.get(BIG_HERE)!.mtimeMs, MTIME - 100_000);
  assert.equal(run.movedBytes, 5000);
  assert.deepEqual(target.paths("/").filter((path) => path.includes("/.p2pft-")), []);
});

/** A run in which something here is kept; its bytes count for nothing. */
async function finishKeeping(source: FakeStorage, target: FakeStorage) {
  const pair = new TransferPair({ source, target });
  await pair.start();
  const { sent, received } = await pair.run();
  assert.ok(sent.status === "fulfilled" && received.status === "fulfilled");
  assert.equal(received.value.exit, 13);
  return { pair, movedBytes: pair.link.right.acceptedBytes };
}

Deno.test("an older version here spares what did not change [DISK-8]", async () => {
  const bytes = new Prng(4).bytes(6 * MIB + 100);
  for (const oldSize of [2 * MIB, 4 * MIB + 9, 8 * MIB]) {
    const old = new Uint8Array(oldSize);
    old.set(bytes.subarray(0, oldSize));
    old[10]! ^= 1;
    const source = sourceWith(bytes);
    const target = new FakeStorage();
    target.addFile(BIG_HERE, old, { mtimeMs: MTIME - 100_000 });
    const run = await finish(source, target, { decision: ALWAYS });
    assertSame(source, target);
    const same = oldSize >= bytes.length ? bytes.length : Math.floor(oldSize / MIB) * MIB;
    assert.equal(run.keptBytes, same - MIB);
    assert.equal(run.movedBytes, 5000 + bytes.length - same + MIB);
  }
});

Deno.test("a file that was renamed is copied here and not sent again [DISK-8]", async () => {
  for (const sizeBytes of [1000, 3 * MIB + 5]) {
    const bytes = new Prng(6).bytes(sizeBytes);
    const source = sourceWith(bytes);
    const target = new FakeStorage();
    target.addFile("/into/share/under another name", bytes, { mtimeMs: MTIME });
    const run = await finish(source, target);
    assertSame(source, target);
    assert.equal(run.keptBytes, sizeBytes);
    assert.equal(run.movedBytes, 5000);
    assert.deepEqual(target.get("/into/share/under another name")!.bytes, bytes);
  }
});

Deno.test("a file that another one here looks like is sent when it is not that", async () => {
  for (const sizeBytes of [1000, 3 * MIB + 5]) {
    const source = sourceWith(new Prng(6).bytes(sizeBytes));
    const target = new FakeStorage();
    target.addFile("/into/share/another", new Prng(7).bytes(sizeBytes), { mtimeMs: MTIME });
    const run = await finish(source, target);
    assertSame(source, target);
    assert.equal(run.movedBytes, 5000 + sizeBytes);
  }
});

Deno.test("a file that changes at the sharer while it is compared is left out, and its part file kept [XFER-13]", async () => {
  const { source, target } = await mostlyHere(new Prng(9).bytes(9 * MIB));
  const pair = new TransferPair({ source, target });
  await pair.start();
  source.onRead = (path) => {
    if (path === BIG) source.get(BIG)!.mtimeMs++;
  };
  const { sent, received } = await pair.run();
  assert.ok(sent.status === "fulfilled" && received.status === "fulfilled");
  assert.equal(received.value.exit, 14);
  assert.deepEqual(pair.warnings, ["source_changed share/big"]);
  assert.ok(target.get(PART) !== undefined && target.get(JOURNAL) !== undefined);
  assert.equal(target.openFiles, 0);
});

Deno.test("trouble with a part file or journal that may pass costs nothing of them [DISK-8]", async () => {
  for (const method of ["readState", "resumePart"] as const) {
    const { source, target, kept } = await mostlyHere(new Prng(12).bytes(9 * MIB));
    Object.defineProperty(target, method, {
      configurable: true,
      value: () => Promise.reject(new StorageError("other", "Cannot read: input/output error")),
    });
    const pair = new TransferPair({ source, target });
    await pair.start();
    const { received } = await pair.run();
    assert.ok(received.status === "rejected" && received.reason.code === "write_failed");
    Reflect.deleteProperty(target, method);
    const run = await finish(source, target);
    assertSame(source, target);
    assert.equal(run.keptBytes, kept);
  }
});

Deno.test("many files are compared with few open at a time", async () => {
  const prng = new Prng(11);
  const source = new FakeStorage();
  const target = new FakeStorage();
  for (let index = 0; index < 150; index++) {
    const bytes = prng.bytes(index < 80 ? MIB + 10 : 500);
    source.addFile(`/share/${index}`, bytes, { mtimeMs: MTIME });
    target.addFile(`/into/share/${index}`, bytes, { mtimeMs: MTIME - 1 });
  }
  const run = await finish(source, target, { decision: ALWAYS });
  assertSame(source, target);
  assert.equal(run.movedBytes, 0);
  assert.ok(target.peakOpenFiles <= 70, `${target.peakOpenFiles}`);
});
