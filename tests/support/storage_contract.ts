/**
 * What every storage that a transfer writes into has to keep, as tests: the disk passes them, and what
 * stands for it in memory, so that what is proved with the one holds with the other.
 */
import assert from "node:assert/strict";
import {
  type FileInfo,
  type Storage,
  StorageError,
  type TargetFile,
} from "../../lib/storage/storage.ts";
import { Prng } from "./prng.ts";

const CHUNK_BYTES = 65_536;
const GROUP_BYTES = 1_048_576;
const MTIME_MS = 1_234_567_890_123;

/** What a look saw, but for what nobody can know before: which file it is, and when it was changed. */
export function withoutState(info: FileInfo | undefined): FileInfo | undefined {
  if (info === undefined) return undefined;
  const { inode, changedMs, ...rest } = info;
  for (const number of [inode, changedMs]) assert.ok(number === undefined || number > 0);
  return rest;
}

/** A storage and an empty folder of it. */
export interface StorageUnderTest {
  readonly storage: Storage;
  readonly folder: string;
}

/**
 * Registers the tests.
 *
 * @param name Of the storage.
 * @param hasExecBits Whether it keeps them.
 * @param withStorage Runs a test in a new empty folder.
 */
export function testStorageContract(
  name: string,
  hasExecBits: boolean,
  withStorage: (test: (place: StorageUnderTest) => Promise<void>) => Promise<void>,
): void {
  const add = (what: string, test: (place: Place) => Promise<void>): void => {
    Deno.test(`${name}: ${what}`, () => withStorage((given) => test(new Place(given))));
  };

  add(
    "a part file takes groups in any order, and is placed with size, time and exec bit",
    async (place) => {
      const { storage } = place;
      const bytes = new Prng(1).bytes(2 * GROUP_BYTES + 5);
      const target = place.target("file", { executable: true });
      const part = await storage.createPart(target);
      await part.write(2 * GROUP_BYTES, bytes.subarray(2 * GROUP_BYTES));
      await part.write(0, bytes.subarray(0, GROUP_BYTES));
      const syncing = part.sync();
      await part.write(GROUP_BYTES, bytes.subarray(GROUP_BYTES, 2 * GROUP_BYTES));
      await syncing;
      const back = new Uint8Array(GROUP_BYTES);
      assert.equal(await part.read(7, back), GROUP_BYTES);
      assertSame(back, bytes.subarray(7, 7 + GROUP_BYTES));
      assert.equal(await part.read(2 * GROUP_BYTES, back), 5);
      assert.equal(await part.read(3 * GROUP_BYTES, back), 0);
      assert.equal(await storage.inspect(target.path), undefined);
      assert.equal(await part.place(bytes.length), "placed");
      assertSame(await place.read("file"), bytes);
      assert.deepEqual(withoutState(await storage.inspect(target.path)), {
        kind: "file",
        sizeBytes: bytes.length,
        mtimeMs: MTIME_MS,
        executable: hasExecBits,
      });
      assert.deepEqual(await place.names(), ["file"]);
      await storage.syncFolder(place.folder);
    },
  );

  add("a part file gets the size it is placed with, longer and shorter", async (place) => {
    for (const sizeBytes of [0, 3, 100_000]) {
      const part = await place.storage.createPart(place.target(`file ${sizeBytes}`));
      await part.write(0, new Uint8Array(10).fill(1));
      assert.equal(await part.place(sizeBytes), "placed");
      const expected = new Uint8Array(sizeBytes);
      expected.fill(1, 0, 10);
      assertSame(await place.read(`file ${sizeBytes}`), expected);
    }
  });

  add(
    "a part file that was kept goes on where it was, and is replaced when it is made anew",
    async (place) => {
      const { storage } = place;
      const target = place.target("file");
      assert.equal(await storage.resumePart(target), undefined);
      const first = await storage.createPart(target);
      await first.write(0, new Uint8Array(GROUP_BYTES).fill(1));
      await first.sync();
      first.keep();
      const second = await storage.resumePart(place.target("file", { executable: true }));
      const back = new Uint8Array(GROUP_BYTES + 1);
      assert.equal(await second!.read(0, back), GROUP_BYTES);
      assert.equal(back[GROUP_BYTES - 1], 1);
      await second!.write(GROUP_BYTES, new Uint8Array([2]));
      assert.equal(await second!.place(GROUP_BYTES + 1), "placed");
      const placed = await place.read("file");
      assert.deepEqual([placed.length, placed[0], placed.at(-1)], [GROUP_BYTES + 1, 1, 2]);
      const info = await storage.inspect(target.path);
      assert.deepEqual([info?.executable, info?.mtimeMs], [hasExecBits, MTIME_MS]);

      const other = place.target("other");
      const left = await storage.createPart(other);
      await left.write(0, new Uint8Array(100));
      left.keep();
      const anew = await storage.createPart(other);
      assert.equal(await anew.read(0, back), 0);
      await anew.discard();
      assert.deepEqual(await place.names(), ["file"]);
    },
  );

  add("what is no file of ours is not taken for a part file", async (place) => {
    const { storage } = place;
    const target = place.target("file");
    await place.put("victim", new Uint8Array([1]));
    await place.link(target.partPath, "victim");
    assert.equal(await storage.resumePart(target), undefined);
    const part = await storage.createPart(target);
    await part.write(0, new Uint8Array([2]));
    assert.equal(await part.place(1), "placed");
    assertSame(await place.read("victim"), new Uint8Array([1]));
    assert.equal(await storage.makeFolder(target.partPath), true);
    assert.equal(await storage.resumePart(target), undefined);
  });

  add("zeros are zeros, also over what was there before [DISK-5]", async (place) => {
    const target = place.target("file");
    const bytes = new Prng(2).bytes(GROUP_BYTES);
    bytes.fill(0, CHUNK_BYTES, 3 * CHUNK_BYTES);
    bytes.fill(0, 5 * CHUNK_BYTES + 1, 7 * CHUNK_BYTES);
    bytes.fill(0, 15 * CHUNK_BYTES);
    const first = await place.storage.createPart(target);
    await first.write(0, new Uint8Array(GROUP_BYTES).fill(9));
    await first.write(GROUP_BYTES, new Uint8Array(CHUNK_BYTES / 2).fill(9));
    await first.write(0, bytes);
    first.keep();
    const second = (await place.storage.resumePart(target))!;
    const back = new Uint8Array(GROUP_BYTES);
    await second.read(0, back);
    assertSame(back, bytes);
    const zeros = new Uint8Array(2 * GROUP_BYTES);
    await second.write(GROUP_BYTES, zeros);
    await second.write(0, zeros.subarray(0, CHUNK_BYTES));
    assert.equal(await second.read(2 * GROUP_BYTES, back), GROUP_BYTES);
    assert.equal(await second.place(3 * GROUP_BYTES), "placed");
    const expected = new Uint8Array(3 * GROUP_BYTES);
    expected.set(bytes);
    expected.fill(0, 0, CHUNK_BYTES);
    assertSame(await place.read("file"), expected);
  });

  add("nothing is replaced that may not be, and folders never [DISK-4]", async (place) => {
    const { storage } = place;
    await place.put("file", new Uint8Array([1]));
    const part = await storage.createPart(place.target("file"));
    assert.equal(await part.place(0), "exists");
    assertSame(await place.read("file"), new Uint8Array([1]));
    const over = await storage.createPart(place.target("file", { overwrite: true }));
    assert.equal(await over.place(0), "placed");
    assertSame(await place.read("file"), new Uint8Array(0));

    await storage.makeFolder(place.at("folder"));
    const inTheWay = await storage.createPart(place.target("folder"));
    assert.equal(await inTheWay.place(0), "exists");
    const target = place.target("folder", { overwrite: true });
    const failing = await storage.createPart(target);
    await assert.rejects(failing.place(0), StorageError);
    // What failed is still there, for a later run.
    assert.equal((await storage.inspect(target.partPath))?.kind, "file");
    await failing.discard();
    assert.deepEqual(await place.names(), ["file", "folder"]);
  });

  for (const sizeBytes of [0, 10, GROUP_BYTES]) {
    add(
      `files of ${sizeBytes} bytes are placed together, each for itself [DISK-6]`,
      async (place) => {
        const { storage } = place;
        const bytes = new Prng(3).bytes(sizeBytes);
        const names = Array.from({ length: sizeBytes < 100 ? 100 : 5 }, (_, index) => `f${index}`);
        const targets = names.map((name) => place.target(name, { executable: name === "f2" }));
        await place.put("f1", new Uint8Array([7]));
        await storage.makeFolder(place.at("f3"));
        targets[3] = place.target("f3", { overwrite: true });
        // Left behind by a run that was killed.
        (await storage.createPart(targets[0]!)).keep();
        for (const target of targets) await storage.writeWhole(target, bytes);
        assert.equal(await storage.inspect(place.at("f0")), undefined);
        await storage.discardWhole(targets.pop()!);
        const results = await storage.placeWhole(targets);
        const expected = targets.map(({ path }, index) => {
          if (index === 1) return `${path} exists`;
          return index === 3 ? `${path} failed` : `${path} placed`;
        });
        const got = results.map((result, index) =>
          `${targets[index]!.path} ${result instanceof StorageError ? "failed" : result}`
        );
        assert.deepEqual(got, expected);
        assert.deepEqual(await place.names(), names.slice(0, -1).sort());
        assertSame(await place.read("f1"), new Uint8Array([7]));
        assertSame(await place.read("f0"), bytes);
        assert.deepEqual(withoutState(await storage.inspect(place.at("f2"))), {
          kind: "file",
          sizeBytes,
          mtimeMs: MTIME_MS,
          executable: hasExecBits,
        });
      },
    );
  }

  add("a small file that vanished before it was placed fails alone", async (place) => {
    const { storage } = place;
    const [lost, good] = [place.target("lost"), place.target("good")];
    await storage.writeWhole(lost, new Uint8Array([1]));
    await storage.writeWhole(good, new Uint8Array([1]));
    const part = (await storage.resumePart(lost))!;
    await part.discard();
    const results = await storage.placeWhole([lost, good]);
    assert.equal(results[0] instanceof StorageError && results[0].kind, "not_found");
    assert.equal(results[1], "placed");
    await storage.discardWhole(lost);
    assert.deepEqual(await place.names(), ["good"]);
  });

  add("a journal is read as it was written, and replaced as a whole [DISK-7]", async (place) => {
    const { storage } = place;
    const target = place.target("file");
    assert.equal(await storage.readState(target, 100), undefined);
    await storage.replaceState(target, new Uint8Array([1, 2, 3]));
    await storage.replaceState(target, new Uint8Array([4, 5]));
    assert.deepEqual(await storage.readState(target, 2), new Uint8Array([4, 5]));
    assert.equal(await storage.readState(target, 1), undefined);
    await storage.removeState(target);
    await storage.removeState(target);
    assert.deepEqual(await place.names(), []);
    await place.put("victim", new Uint8Array([1]));
    await place.link(target.journalPath, "victim");
    assert.equal(await storage.readState(target, 100), undefined);
    await storage.replaceState(target, new Uint8Array([6]));
    assert.deepEqual(await storage.readState(target, 100), new Uint8Array([6]));
    assertSame(await place.read("victim"), new Uint8Array([1]));
  });

  add("links hold their text, and replace only what they may", async (place) => {
    const { storage } = place;
    const target = place.target("link");
    assert.equal(await storage.makeLink("nowhere/ü", target), "placed");
    assert.equal(await storage.readLink(target.path), "nowhere/ü");
    assert.equal((await storage.inspect(target.path))?.kind, "symlink");
    assert.equal(await storage.makeLink("other", target), "exists");
    const over = place.target("link", { overwrite: true });
    assert.equal(await storage.makeLink("other", over), "placed");
    assert.equal(await storage.readLink(target.path), "other");
    await place.put("file", new Uint8Array(1));
    await assert.rejects(storage.readLink(place.at("file")), StorageError);
    assert.deepEqual(await place.names(), ["file", "link"]);
  });

  add("the time of a file is set, to the millisecond, and not through a link", async (place) => {
    const { storage } = place;
    await place.put("file", new Uint8Array(1));
    for (const mtimeMs of [1_600_000_000_123, 999, 0, -12_345]) {
      await storage.setFileTime(place.at("file"), mtimeMs);
      assert.equal((await storage.inspect(place.at("file")))?.mtimeMs, mtimeMs);
    }
    await place.link(place.at("link"), "file");
    await assert.rejects(storage.setFileTime(place.at("link"), 5), StorageError);
    assert.equal((await storage.inspect(place.at("file")))?.mtimeMs, -12_345);
    await assert.rejects(storage.syncFolder(place.at("none")), StorageError);
  });
}

/** The folder a test works in. */
class Place implements StorageUnderTest {
  readonly storage: Storage;
  readonly folder: string;
  #number = 0;

  constructor({ storage, folder }: StorageUnderTest) {
    this.storage = storage;
    this.folder = folder;
  }

  at(name: string): string {
    return this.storage.join(this.folder, name);
  }

  /** The same name gives the same part file. */
  target(name: string, details: Partial<TargetFile> = {}): TargetFile {
    let number = 0;
    for (const character of name) number = (number * 31 + character.charCodeAt(0)) % 1e9;
    const own = `.p2pft-${number.toString(16).padStart(16, "0")}`;
    return {
      path: this.at(name),
      partPath: this.at(`${own}.part`),
      journalPath: this.at(`${own}.journal`),
      folder: this.folder,
      mtimeMs: MTIME_MS,
      executable: false,
      overwrite: false,
      ...details,
    };
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const target = this.target(`put ${this.#number++}`, { path: this.at(name) });
    await this.storage.writeWhole(target, bytes);
    assert.deepEqual(await this.storage.placeWhole([target]), ["placed"]);
  }

  async link(path: string, text: string): Promise<void> {
    assert.equal(await this.storage.makeLink(text, this.target("link", { path })), "placed");
  }

  async read(name: string): Promise<Uint8Array> {
    const source = await this.storage.openSource(this.at(name));
    try {
      const bytes = new Uint8Array(source.info.sizeBytes);
      assert.equal(await source.read(0, bytes), bytes.length);
      return bytes;
    } finally {
      source.close();
    }
  }

  async names(): Promise<string[]> {
    return (await this.storage.list(this.folder)).sort();
  }
}

/** Long arrays take `deepEqual` seconds. */
function assertSame(got: Uint8Array, expected: Uint8Array): void {
  assert.equal(got.length, expected.length);
  const at = got.findIndex((byte, index) => byte !== expected[index]);
  assert.equal(at, -1, `differs at ${at}`);
}
