/**
 * Goal: what a journal says is on the disk, small files share a sync, and neither holds up the line.
 * Method: a storage whose syncs and placings end when the test says so.
 */
import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { BufferPool } from "../../../lib/transfer/buffer_pool.ts";
import { FileWriter } from "../../../lib/transfer/receiving/file_writer.ts";
import { GroupMemory } from "../../../lib/transfer/receiving/group_memory.ts";
import { IncomingFile } from "../../../lib/transfer/receiving/incoming_file.ts";
import { decodeJournal, encodeJournal } from "../../../lib/transfer/receiving/journal.ts";
import { GROUP_BYTES, PLACE_BATCH, SYNC_BYTES } from "../../../lib/transfer/limits.ts";
import type { PlannedFile } from "../../../lib/transfer/receiving/plan.ts";
import {
  type PartFile,
  type PlaceResult,
  StorageError,
  type TargetFile,
} from "../../../lib/storage/storage.ts";
import { FakeStorage } from "../../support/fake_storage.ts";

const SYNC_GROUPS = SYNC_BYTES / GROUP_BYTES;

/** Lets everything that waits for nothing run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2000; turn++) await null;
}

/** A storage whose slow calls end when the test says so, and that keeps no bytes of large files. */
class HandStorage extends FakeStorage {
  /** Ends the sync that waits, well or not. */
  endSync: ((error?: Error) => void) | undefined;
  /** Ends the placing that waits. */
  endPlacing: (() => void) | undefined;
  /** What was done to part files. */
  readonly calls: string[] = [];
  isOrdered = false;
  /** Why no file can be placed. */
  placeError: StorageError | undefined;
  /** Batches that were placed. */
  readonly batches: number[] = [];

  // deno-lint-ignore require-await
  override async createPart(_target: TargetFile): Promise<PartFile> {
    const say = (call: string): void => void this.calls.push(call);
    return {
      isOrdered: this.isOrdered,
      // deno-lint-ignore require-await
      write: async (offset) => say(`write ${offset / GROUP_BYTES}`),
      read: () => Promise.resolve(0),
      sync: () =>
        new Promise((resolve, reject) => {
          say("sync");
          this.endSync = (error) => error ? reject(error) : resolve();
        }),
      // deno-lint-ignore require-await
      place: async () => {
        say("place");
        if (this.placeError !== undefined) throw this.placeError;
        return "placed";
      },
      keep: () => say("keep"),
      // deno-lint-ignore require-await
      discard: async () => say("discard"),
    };
  }

  override async placeWhole(
    targets: readonly TargetFile[],
  ): Promise<(PlaceResult | StorageError)[]> {
    this.batches.push(targets.length);
    await new Promise<void>((resolve) => this.endPlacing = resolve);
    return await super.placeWhole(targets);
  }
}

/** A writer, and what it told. */
class Bench {
  readonly storage = new HandStorage();
  readonly memory = new GroupMemory(new BufferPool(), 1000 * GROUP_BYTES);
  readonly placed: string[] = [];
  readonly failed: unknown[] = [];
  heldUp = 0;
  consumedBytes = 0;
  readonly writer: FileWriter;

  constructor() {
    this.storage.addFolder("/into");
    this.writer = new FileWriter({
      storage: this.storage,
      crypto: nodeProvider,
      memory: this.memory,
      syncBytes: SYNC_BYTES,
      handler: {
        onConsumed: (bytes) => void (this.consumedBytes += bytes),
        onPlaced: (file, result) => void this.placed.push(`${file.planned.storedAs} ${result}`),
        onWritten: () => {},
        onHeldUp: () => void this.heldUp++,
        onFailed: (_file, error) => void this.failed.push(error),
      },
    });
  }

  file(name: string, sizeBytes: number): IncomingFile {
    const planned: PlannedFile = {
      index: 0,
      entry: { kind: "file", path: name, sizeBytes, mtimeMs: 1, executable: false },
      parent: "/into",
      storedAs: name,
      isDotName: false,
      state: "new",
      here: undefined,
      overwrite: false,
      hasPart: false,
      reuse: undefined,
    };
    const target = {
      path: `/into/${name}`,
      partPath: `/into/.${name}.part`,
      journalPath: `/into/.${name}.journal`,
      folder: undefined,
      mtimeMs: 1,
      executable: false,
      overwrite: false,
    };
    return new IncomingFile(nodeProvider, planned, target);
  }

  /** Hands groups over, verified. */
  async write(file: IncomingFile, first: number, end: number): Promise<void> {
    for (let group = first; group < end; group++) {
      const buffer = this.memory.take(GROUP_BYTES)!;
      this.writer.writeGroup(file, group, { buffer, length: GROUP_BYTES });
    }
    await settle();
  }

  /** The groups a journal names; undefined without one. */
  journal(name: string): readonly number[] | undefined {
    const state = this.storage.get(`/into/.${name}.journal`);
    return state && decodeJournal(nodeProvider, state.bytes)!.groups;
  }
}

Deno.test("FileWriter syncs beside the writing, and the journal says only what was synced [DISK-7]", async () => {
  const bench = new Bench();
  const file = bench.file("large", 1000 * GROUP_BYTES);
  await bench.write(file, 0, SYNC_GROUPS - 1);
  assert.ok(!bench.storage.calls.includes("sync"));
  await bench.write(file, SYNC_GROUPS - 1, SYNC_GROUPS + 100);
  // The sync takes its time, and everything was written and given back all the same.
  assert.equal(file.writtenGroups, SYNC_GROUPS + 100);
  assert.equal(bench.consumedBytes, (SYNC_GROUPS + 100) * GROUP_BYTES);
  assert.equal(bench.memory.lentBytes, 0);
  assert.equal(bench.storage.calls.filter((call) => call === "sync").length, 1);
  assert.equal(bench.journal("large"), undefined);
  bench.storage.endSync!();
  await settle();
  assert.deepEqual(bench.journal("large"), [0, SYNC_GROUPS]);
  // What was written meanwhile is synced with the next group.
  await bench.write(file, 500, 501);
  assert.equal(bench.storage.calls.at(-1), "sync");
  bench.storage.endSync!();
  await settle();
  assert.deepEqual(bench.journal("large"), [0, SYNC_GROUPS + 100, 500, 501]);
  await bench.write(file, 600, 602);
  const stopping = bench.writer.stop();
  await settle();
  assert.equal(bench.storage.calls.at(-1), "sync");
  bench.storage.endSync!();
  await stopping;
  assert.equal(bench.storage.calls.at(-1), "keep");
  assert.deepEqual(bench.journal("large"), [0, SYNC_GROUPS + 100, 500, 501, 600, 602]);
  assert.deepEqual(bench.failed, []);
});

Deno.test("FileWriter removes the journal once the file is in its place [DISK-7]", async () => {
  const bench = new Bench();
  const file = bench.file("large", SYNC_BYTES);
  await bench.write(file, 0, SYNC_GROUPS);
  bench.writer.place(file);
  await settle();
  // Not while a sync is under way, whose journal would come afterwards.
  assert.ok(!bench.storage.calls.includes("place"));
  bench.storage.endSync!();
  await settle();
  assert.deepEqual(bench.placed, ["large placed"]);
  assert.equal(bench.journal("large"), undefined);
});

Deno.test("FileWriter trusts nothing after a sync that failed [DISK-7]", async () => {
  const bench = new Bench();
  const file = bench.file("large", 1000 * GROUP_BYTES);
  await bench.write(file, 0, SYNC_GROUPS);
  bench.storage.endSync!();
  await settle();
  await bench.write(file, SYNC_GROUPS, 2 * SYNC_GROUPS);
  const broken = new StorageError("other", "Cannot sync: input/output error");
  bench.storage.endSync!(broken);
  await settle();
  await bench.write(file, 300, 301);
  assert.deepEqual(bench.failed, [broken]);
  await bench.writer.stop();
  assert.equal(bench.storage.calls.at(-1), "keep");
  assert.deepEqual(bench.journal("large"), [0, SYNC_GROUPS]);
});

Deno.test("FileWriter says of nothing that it is on the disk when the last sync failed [DISK-7]", async () => {
  const bench = new Bench();
  const file = bench.file("large", (SYNC_GROUPS + 2) * GROUP_BYTES);
  await bench.write(file, 0, SYNC_GROUPS);
  bench.storage.endSync!();
  await settle();
  await bench.write(file, SYNC_GROUPS, SYNC_GROUPS + 2);
  const broken = new StorageError("other", "Cannot sync: input/output error");
  bench.storage.placeError = broken;
  bench.writer.place(file);
  await settle();
  assert.deepEqual(bench.failed, [broken]);
  await bench.writer.stop();
  // Nor is a file synced that was closed.
  assert.deepEqual(bench.storage.calls.slice(-2), ["place", "keep"]);
  assert.deepEqual(bench.journal("large"), [0, SYNC_GROUPS]);
});

Deno.test("FileWriter does not take the journal of another part file for that of its own [DISK-7]", async () => {
  const bench = new Bench();
  const sizeBytes = 1000 * GROUP_BYTES;
  const journal = encodeJournal(nodeProvider, { sizeBytes, groups: [0, 900] });
  bench.storage.addFile("/into/.large.journal", journal);
  await bench.write(bench.file("large", sizeBytes), 0, 1);
  assert.equal(bench.journal("large"), undefined);
  const stopping = bench.writer.stop();
  await settle();
  bench.storage.endSync!();
  await stopping;
  assert.deepEqual(bench.journal("large"), [0, 1]);
});

Deno.test("FileWriter leaves what it wrote, with no room for a journal too, and nothing of a bad file [DISK-7]", async () => {
  const full = new Bench();
  full.storage.capacityBytes = 0;
  await full.write(full.file("large", 1000 * GROUP_BYTES), 0, 5);
  const stopping = full.writer.stop();
  await settle();
  full.storage.endSync!();
  await stopping;
  assert.equal(full.storage.calls.at(-1), "keep");
  assert.equal(full.journal("large"), undefined);

  const bad = new Bench();
  const file = bad.file("large", 1000 * GROUP_BYTES);
  await bad.write(file, 0, 5);
  file.isBad = true;
  await bad.writer.stop();
  assert.equal(bad.storage.calls.at(-1), "discard");
});

Deno.test("FileWriter writes groups in order where they have no other way, and bounds what waits by the credit", async () => {
  const bench = new Bench();
  bench.storage.isOrdered = true;
  const file = bench.file("pipe", 5 * GROUP_BYTES);
  for (const group of [1, 3, 0, 4]) await bench.write(file, group, group + 1);
  assert.deepEqual(bench.storage.calls, ["write 0", "write 1"]);
  assert.equal(bench.heldUp, 3);
  assert.equal(bench.consumedBytes, 2 * GROUP_BYTES);
  await bench.write(file, 2, 3);
  assert.deepEqual(bench.storage.calls.slice(2), ["write 2", "write 3", "write 4"]);
  assert.equal(bench.consumedBytes, 5 * GROUP_BYTES);

  const cut = new Bench();
  cut.storage.isOrdered = true;
  await cut.write(cut.file("pipe", 5 * GROUP_BYTES), 1, 4);
  await cut.writer.stop();
  assert.equal(cut.memory.lentBytes, 0);
  assert.equal(cut.consumedBytes, 3 * GROUP_BYTES);
});

for (const answersAtOnce of [true, false]) {
  const speed = answersAtOnce ? "quick" : "slow";
  Deno.test(`FileWriter places small files many at a time, on a ${speed} storage [DISK-6]`, async () => {
    const bench = new Bench();
    bench.storage.answersAtOnce = answersAtOnce;
    const write = (from: number, to: number): void => {
      for (let index = from; index < to; index++) {
        const buffer = bench.memory.take(100)!;
        bench.writer.writeWhole(bench.file(`small ${index}`, 100), { buffer, length: 100 });
      }
    };
    write(0, 1);
    await settle();
    assert.deepEqual(bench.storage.batches, [1]);
    // Written and given back while the first is placed; nothing has its name yet.
    write(1, 50);
    await settle();
    assert.equal(bench.consumedBytes, 5000);
    assert.deepEqual([bench.storage.batches, bench.placed], [[1], []]);
    bench.storage.endPlacing!();
    await settle();
    assert.deepEqual([bench.storage.batches, bench.placed], [[1, 49], ["small 0 placed"]]);
    // Too many to be placed at once are not even written.
    write(50, 2 * PLACE_BATCH);
    for (let turn = 0; turn < 20; turn++) await settle();
    assert.equal(bench.consumedBytes, 5000 + PLACE_BATCH * 100);
    const stopping = bench.writer.stop();
    bench.storage.endPlacing!();
    await stopping;
    assert.deepEqual(bench.storage.batches, [1, 49]);
    assert.equal(bench.placed.length, 50);
    // What was not placed is gone.
    assert.deepEqual(bench.storage.paths("/into").filter((path) => path.endsWith(".part")), []);
    assert.equal(bench.storage.paths("/into").length, 50);
    assert.equal(bench.memory.lentBytes, 0);
  });
}

Deno.test("FileWriter tells which of a batch could not be placed", async () => {
  const bench = new Bench();
  bench.storage.answersAtOnce = true;
  bench.storage.addFile("/into/there", "mine");
  bench.storage.onPlace = (path) => {
    if (path === "/into/denied") throw new StorageError("denied", "Cannot put it there");
  };
  for (const name of ["there", "denied", "fine"]) {
    bench.writer.writeWhole(bench.file(name, 0), undefined);
  }
  await settle();
  bench.storage.endPlacing!();
  await settle();
  assert.deepEqual(bench.placed, ["there exists", "fine placed"]);
  assert.deepEqual(bench.failed.map((error) => (error as StorageError).kind), ["denied"]);
});
