/**
 * Goal: files on a real disk are read and written as a transfer needs it, and nothing leaves the
 * target folder.
 * Method: the disk adapter in a temporary folder; whole transfers over a link in memory.
 * Needs `--allow-read --allow-write --allow-run --allow-ffi`, and root for a file system of its own.
 */
import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { TransferError } from "../../lib/errors.ts";
import type { OfferDecision } from "../../lib/options.ts";
import { DenoStorage } from "../../lib/storage/deno_storage.ts";
import { buildManifest } from "../../lib/transfer/offer/manifest.ts";
import { isSameState } from "../../lib/transfer/sending/source_state.ts";
import { ClientExchange } from "../../lib/transfer/client_exchange.ts";
import { SharerExchange } from "../../lib/transfer/sharer_exchange.ts";
import { type PlaceResult, StorageError, type TargetFile } from "../../lib/storage/storage.ts";
import type { ReaderResult, ReaderTask } from "../support/_small_file_reader.ts";
import { MemoryLink } from "../support/memory_channel.ts";
import { UnplacedFiles } from "../../lib/storage/deno_unplaced_files.ts";
import { loadFileCalls } from "../../lib/storage/file_calls.ts";
import { Prng } from "../support/prng.ts";
import { SmallDisk, smallDiskTest } from "../support/small_disk.ts";
import { withoutState } from "../support/storage_contract.ts";
import { clientHello, reportEnd } from "../support/transfer_pair.ts";

const MIB = 1_048_576;
const MTIME_MS = 1_234_567_890_123;
const isWindows = Deno.build.os === "windows";

/** Runs `test` in a folder of its own, which is removed afterwards. */
async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function put(path: string, bytes: Uint8Array | string, mtimeMs = MTIME_MS, mode = 0o644): void {
  Deno.mkdirSync(join(path, ".."), { recursive: true });
  Deno.writeFileSync(path, typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
  if (!isWindows) Deno.chmodSync(path, mode);
  Deno.utimeSync(path, new Date(mtimeMs), new Date(mtimeMs));
}

function target(folder: string, details: Partial<TargetFile> = {}): TargetFile {
  return {
    path: join(folder, "file"),
    partPath: join(folder, ".p2pft-0123456789abcdef.part"),
    journalPath: join(folder, ".p2pft-0123456789abcdef.journal"),
    folder: undefined,
    mtimeMs: MTIME_MS,
    executable: false,
    overwrite: false,
    ...details,
  };
}

/** Writes a small file and puts it into its place. */
async function writeAndPlace(
  storage: DenoStorage,
  file: TargetFile,
  bytes: Uint8Array,
): Promise<PlaceResult> {
  await storage.writeWhole(file, bytes);
  const [result] = await storage.placeWhole([file]);
  if (typeof result !== "string") throw result;
  return result;
}

/** The kind of failure of a call. */
async function kindOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "ok";
  } catch (error) {
    assert.ok(error instanceof StorageError, String(error));
    return error.kind;
  }
}

/** Transfers `paths` into `folder`; waits for both sides. */
async function transfer(
  paths: readonly string[],
  folder: string,
  decision: OfferDecision = { accept: true },
): Promise<{ warnings: string[]; exit: number | string }> {
  const warnings: string[] = [];
  const link = new MemoryLink(1, { reorderWindow: 20, pieceBytes: 1400 * 40 });
  const storage = new DenoStorage();
  const crypto = nodeProvider;
  const manifest = await buildManifest(storage, paths, {
    onWarning: ({ code, path }) => warnings.push(`${code} ${path}`),
  });
  const sender = new SharerExchange({
    channel: link.left,
    storage,
    crypto,
    manifest,
    clientHello: clientHello(),
    onEvent: () => {},
  });
  const receiver = new ClientExchange({
    channel: link.right,
    storage: new DenoStorage(),
    crypto,
    directory: folder,
    decide: () => Promise.resolve(decision),
    onEvent: (notice) =>
      notice.event === "warning" && warnings.push(`${notice.code} ${notice.path}`),
  });
  link.left.handler = sender;
  link.right.handler = receiver;
  reportEnd(link.left, sender);
  reportEnd(link.right, receiver);
  receiver.start();
  sender.start();
  const both = Promise.allSettled([receiver.forth.half.finished, sender.forth.half.finished]);
  let isDone = false;
  both.then(() => isDone = true);
  while (!isDone) {
    for (let turn = 0; turn < 50; turn++) {
      link.left.deliver();
      link.right.deliver();
      await null;
    }
    // The disk answers through the event loop.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const [received, sent] = await both;
  if (received.status === "fulfilled" && sent.status === "fulfilled") {
    return { warnings, exit: received.value.exit };
  }
  const error = received.status === "rejected" ? received.reason : "sender failed";
  assert.ok(error instanceof TransferError, String(error));
  return { warnings, exit: error.code };
}

/** What is in a folder: path, kind, size, time and exec bit. */
function treeOf(folder: string, prefix = ""): string[] {
  const lines: string[] = [];
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
  for (const name of names) {
    const path = join(folder, name);
    const info = Deno.lstatSync(path);
    const kind = info.isDirectory ? "d" : info.isFile ? "f" : "l";
    const isExecutable = info.isFile && !isWindows && (info.mode! & 0o100) !== 0;
    const size = info.isFile ? info.size : 0;
    lines.push(`${prefix}${name} ${kind} ${size} ${info.mtime!.getTime()} ${isExecutable}`);
    if (info.isDirectory) lines.push(...treeOf(path, `${prefix}${name}/`));
  }
  return lines;
}

Deno.test("a transfer keeps bytes, times, exec bits and empty folders on a real disk", async () => {
  await inFolder(async (folder) => {
    const from = join(folder, "from");
    const into = join(folder, "deep", "into");
    const prng = new Prng(1);
    put(join(from, "a", "run.sh"), "#!/bin/sh\n", MTIME_MS, 0o755);
    put(join(from, "a", "empty"), "");
    put(join(from, "a", "old"), "before 1970", -12_345);
    put(join(from, "ünï", "日本", "big"), prng.bytes(3 * MIB + 17));
    put(join(from, "ünï", "one group"), prng.bytes(MIB));
    for (let index = 0; index < 200; index++) {
      put(join(from, "many", String(index)), prng.bytes(prng.integer(0, 9000)), MTIME_MS + index);
    }
    Deno.mkdirSync(join(from, "nothing", "inside"), { recursive: true });
    Deno.utimeSync(join(from, "nothing", "inside"), new Date(5000), new Date(5000));
    Deno.utimeSync(join(from, "nothing"), new Date(7000), new Date(7000));
    Deno.utimeSync(join(from, "many"), new Date(9000), new Date(9000));

    assert.deepEqual(await transfer([from], into), { warnings: [], exit: 0 });
    assert.deepEqual(treeOf(join(into, "from")), treeOf(from));
    for (const name of ["ünï/日本/big", "ünï/one group", "many/17", "a/run.sh"]) {
      const parts = name.split("/");
      const [a, b] = [
        Deno.readFileSync(join(from, ...parts)),
        Deno.readFileSync(join(into, "from", ...parts)),
      ];
      assert.ok(a.every((byte, index) => byte === b[index]), name);
    }
    // Nothing is sent again, and nothing is changed.
    assert.deepEqual(await transfer([from], into), { warnings: [], exit: 0 });
    assert.deepEqual(treeOf(join(into, "from")), treeOf(from));
  });
});

Deno.test({
  name: "a transfer does not follow links planted in the target [DISK-1]",
  // Making a link takes a privilege on Windows.
  ignore: isWindows,
  fn: async () => {
    await inFolder(async (folder) => {
      const from = join(folder, "share");
      const into = join(folder, "into");
      const outside = join(folder, "outside");
      put(join(from, "in", "x"), "evil");
      put(join(from, "file"), "evil");
      put(join(from, "ok"), "good");
      put(join(outside, "victim"), "precious");
      Deno.mkdirSync(join(into, "share"), { recursive: true });
      Deno.symlinkSync(outside, join(into, "share", "in"));
      Deno.symlinkSync(join(outside, "victim"), join(into, "share", "file"));

      const { warnings, exit } = await transfer([from], into);
      assert.deepEqual(warnings.sort(), ["blocked share/in", "kept share/file"]);
      assert.equal(exit, 13);
      assert.deepEqual(Array.from(Deno.readDirSync(outside), ({ name }) => name), ["victim"]);

      // Told to replace, it replaces the link itself.
      await transfer([from], into, { accept: true, overwrite: "always" });
      assert.equal(Deno.readTextFileSync(join(outside, "victim")), "precious");
      assert.equal(Deno.readTextFileSync(join(into, "share", "file")), "evil");
      assert.ok(Deno.lstatSync(join(into, "share", "file")).isFile);
      assert.equal(Deno.readTextFileSync(join(into, "share", "ok")), "good");
    });
  },
});

Deno.test({
  name: "a link where the part file goes is replaced, not followed [DISK-2]",
  ignore: isWindows,
  fn: async () => {
    await inFolder(async (folder) => {
      const victim = join(folder, "victim");
      put(victim, "precious");
      Deno.symlinkSync(victim, target(folder).partPath);
      const storage = new DenoStorage();
      assert.equal(await writeAndPlace(storage, target(folder), new Uint8Array([1, 2])), "placed");
      assert.equal(Deno.readTextFileSync(victim), "precious");
      assert.deepEqual(Deno.readFileSync(join(folder, "file")), new Uint8Array([1, 2]));
    });
  },
});

Deno.test({
  name: "a part file that is swapped before it is placed is not placed [DISK-2]",
  ignore: isWindows,
  fn: async () => {
    await inFolder(async (folder) => {
      const storage = new DenoStorage();
      const part = await storage.createPart(target(folder));
      await part.write(0, new Uint8Array([1]));
      Deno.removeSync(target(folder).partPath);
      put(target(folder).partPath, "swapped");
      await assert.rejects(part.place(1), (error) => {
        assert.ok(error instanceof StorageError);
        assert.equal(error.kind, "replaced");
        return true;
      });
      await part.discard();
      assert.deepEqual(Array.from(Deno.readDirSync(folder)), []);
    });
  },
});

Deno.test({
  name: "a folder that became a link gets nothing, however large the file [DISK-2]",
  ignore: isWindows,
  fn: async () => {
    await inFolder(async (folder) => {
      const inside = join(folder, "inside");
      const outside = join(folder, "outside");
      Deno.mkdirSync(inside);
      Deno.mkdirSync(outside);
      const swapped = target(inside, { folder: inside });
      const storage = new DenoStorage();
      const part = await storage.createPart(target(inside, {
        folder: inside,
        path: join(inside, "large"),
        partPath: join(inside, ".p2pft-fedcba9876543210.part"),
      }));
      await part.write(0, new Uint8Array([1]));
      Deno.renameSync(inside, join(folder, "moved"));
      Deno.symlinkSync(outside, inside);
      // Longer than a look at a folder counts.
      const start = performance.now();
      while (performance.now() - start < 30);

      const isReplaced = (error: unknown) =>
        error instanceof StorageError && error.kind === "replaced";
      const attempts = [
        () => storage.writeWhole(swapped, new Uint8Array([1, 2])),
        () => storage.writeWhole(swapped, new Uint8Array(MIB)),
        () => storage.createPart(swapped),
        () => part.place(1),
      ];
      for (const attempt of attempts) {
        await assert.rejects(async () => void (await attempt()), isReplaced);
      }
      await part.discard();
      assert.deepEqual(Array.from(Deno.readDirSync(outside)), []);
      // The target folder itself may be a link.
      const own = target(inside, { folder: undefined });
      assert.equal(await writeAndPlace(storage, own, new Uint8Array([1, 2])), "placed");
      assert.equal(Deno.statSync(join(outside, "file")).size, 2);
    });
  },
});

Deno.test("DenoStorage never replaces a file unless told to [DISK-4]", async () => {
  await inFolder(async (folder) => {
    const storage = new DenoStorage();
    put(join(folder, "file"), "mine");
    assert.equal(await writeAndPlace(storage, target(folder), new Uint8Array(3)), "exists");
    const part = await storage.createPart(target(folder));
    await part.write(0, new Uint8Array(3));
    assert.equal(await part.place(3), "exists");
    assert.equal(Deno.readTextFileSync(join(folder, "file")), "mine");
    assert.deepEqual(Array.from(Deno.readDirSync(folder), ({ name }) => name), ["file"]);
    const replacing = target(folder, { overwrite: true });
    assert.equal(await writeAndPlace(storage, replacing, new Uint8Array(3)), "placed");
    assert.deepEqual(Deno.readFileSync(join(folder, "file")), new Uint8Array(3));
  });
});

Deno.test("DenoStorage writes groups in any order and removes what is discarded [DISK-3]", async () => {
  await inFolder(async (folder) => {
    const storage = new DenoStorage();
    const bytes = new Prng(2).bytes(2 * MIB + 5);
    const part = await storage.createPart(target(folder, { executable: true }));
    await part.write(2 * MIB, bytes.subarray(2 * MIB));
    await part.write(0, bytes.subarray(0, MIB));
    await part.write(MIB, bytes.subarray(MIB, 2 * MIB));
    assert.equal(await part.place(bytes.length), "placed");
    const written = Deno.readFileSync(join(folder, "file"));
    assert.ok(written.length === bytes.length && written.every((byte, at) => byte === bytes[at]));
    const info = await storage.inspect(join(folder, "file"));
    assert.deepEqual(withoutState(info), {
      kind: "file",
      sizeBytes: bytes.length,
      mtimeMs: MTIME_MS,
      executable: !isWindows,
    });
    const discarded = await storage.createPart(target(folder, { path: join(folder, "other") }));
    await discarded.discard();
    assert.deepEqual(Array.from(Deno.readDirSync(folder), ({ name }) => name), ["file"]);
  });
});

Deno.test("DenoStorage tells a file from another of the same size and time, and from what it was", async () => {
  await inFolder(async (folder) => {
    const storage = new DenoStorage();
    const path = join(folder, "file");
    const look = async () => (await storage.inspect(path))!;
    put(path, "one");
    Deno.utimeSync(path, 1000, 1000);
    const first = await look();
    assert.deepEqual((await storage.readWhole(path, new Uint8Array(3))).after, first);
    const source = await storage.openSource(path);
    assert.deepEqual([source.info, await source.inspect()], [first, first]);
    source.close();
    // Time stamps are taken from a clock that ticks every few milliseconds.
    for (let other = first; isSameState(other, first); other = await look()) {
      put(path, "two");
      Deno.utimeSync(path, 1000, 1000);
    }
    const second = await look();
    assert.deepEqual(withoutState(second), withoutState(first));
    put(join(folder, "other"), "six");
    Deno.utimeSync(join(folder, "other"), 1000, 1000);
    Deno.renameSync(join(folder, "other"), path);
    const third = await look();
    assert.deepEqual(withoutState(third), withoutState(first));
    assert.ok(!isSameState(third, second));
  });
});

Deno.test("DenoStorage tells the kinds of failure apart", async () => {
  await inFolder(async (folder) => {
    const storage = new DenoStorage();
    put(join(folder, "plain"), "x");
    assert.equal(await storage.inspect(join(folder, "none")), undefined);
    assert.equal(await kindOf(storage.openSource(join(folder, "none"))), "not_found");
    assert.equal(await kindOf(storage.openSource(folder)), "replaced");
    assert.equal(await kindOf(storage.list(join(folder, "none"))), "not_found");
    assert.equal(await kindOf(storage.makeFolder(join(folder, "none", "x"))), "not_found");
    assert.equal(await storage.makeFolder(join(folder, "plain")), false);
    const long = join(folder, "x".repeat(300));
    assert.equal(await kindOf(storage.createPart(target(folder, { partPath: long }))), "bad_name");
    if (!isWindows) {
      Deno.symlinkSync(join(folder, "plain"), join(folder, "link"));
      assert.equal(await kindOf(storage.openSource(join(folder, "link"))), "replaced");
    }
  });
});

Deno.test({
  name: "DenoStorage neither waits for a pipe nor follows a link put in a file's place [DISK-2]",
  ignore: isWindows,
  fn: () =>
    inFolder(async (folder) => {
      const at = (name: string) => join(folder, name);
      put(at("plain"), "plain");
      put(at("secret"), "secret");
      Deno.symlinkSync(at("secret"), at("link"));
      assert.ok((await new Deno.Command("mkfifo", { args: [at("pipe")] }).output()).success);
      Deno.linkSync(at("plain"), at("file"));
      const url = new URL("../support/_small_file_reader.ts", import.meta.url);
      const worker = new Worker(url, { type: "module" });
      let result: ReaderResult | undefined;
      worker.onmessage = ({ data }: MessageEvent<ReaderResult>) => result = data;
      const task: ReaderTask = { path: at("file"), times: 30_000, content: "plain" };
      worker.postMessage(task);
      const giveUpAt = performance.now() + 20_000;
      while (result === undefined && performance.now() < giveUpAt) {
        for (let count = 0; count < 100; count++) {
          for (const name of ["pipe", "plain", "link", "plain"]) {
            Deno.linkSync(at(name), at("next"));
            Deno.renameSync(at("next"), at("file"));
          }
        }
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      // Frees a reader that waits.
      if (result === undefined) await Deno.open(at("pipe"), { read: true, write: true });
      worker.terminate();
      assert.ok(result, "stands still");
      assert.deepEqual(result.wrong, []);
      assert.ok(result.whole > 100, `${result.whole} times`);
    }),
});

Deno.test("DenoStorage says how full a small file's buffer got", async () => {
  await inFolder(async (folder) => {
    put(join(folder, "file"), "12345");
    const storage = new DenoStorage();
    for (const [length, expected] of [[5, 5], [3, 3], [9, 5], [100_000, 5]] as const) {
      const read = await storage.readWhole(join(folder, "file"), new Uint8Array(length));
      assert.equal(read.length, expected);
      assert.deepEqual(read.before, read.after);
      assert.equal(read.before.sizeBytes, 5);
    }
  });
});

Deno.test("DenoStorage keeps its contract where no FFI is granted", async () => {
  const contract = decodeURIComponent(
    new URL("storage_contract_test.ts", import.meta.url).pathname.replace(/^\/(?=[A-Z]:)/, ""),
  );
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--no-prompt", "--allow-read", "--allow-write", "--no-check", contract],
    env: { NO_COLOR: "1" },
  }).output();
  const output = new TextDecoder().decode(stdout);
  assert.ok(success, output);
  assert.match(output, /[1-9]\d passed \| 0 failed/);
});

Deno.test({
  name:
    "a part file with a second name is not taken up again: what is written goes nowhere else [DISK-2]",
  ignore: isWindows,
  fn: () =>
    inFolder(async (folder) => {
      const victim = join(folder, "victim");
      put(victim, "precious");
      Deno.linkSync(victim, target(folder).partPath);
      const storage = new DenoStorage();
      assert.equal(await storage.resumePart(target(folder)), undefined);
      const part = await storage.createPart(target(folder));
      await part.write(0, new Uint8Array([1]));
      assert.equal(await part.place(1), "placed");
      assert.equal(Deno.readTextFileSync(victim), "precious");
      assert.equal(Deno.statSync(victim).nlink, 1);
    }),
});

Deno.test({
  name:
    "what was swapped for a small file before it is placed is neither placed nor removed [DISK-2]",
  ignore: isWindows,
  fn: () =>
    inFolder(async (folder) => {
      const storage = new DenoStorage();
      const file = target(folder);
      await storage.writeWhole(file, new Uint8Array([1]));
      // Another program that receives the same file made its own part file.
      put(join(folder, "other"), "half");
      Deno.renameSync(join(folder, "other"), file.partPath);
      const [result] = await storage.placeWhole([file]);
      assert.equal(result instanceof StorageError && result.kind, "replaced");
      assert.equal(Deno.readTextFileSync(file.partPath), "half");
      assert.equal(await storage.inspect(file.path), undefined);
    }),
});

Deno.test({
  name: "zeros take no room, and a file that is hardly anything else hardly any [DISK-5]",
  // Not every file system has holes: APFS and ext4 do.
  ignore: isWindows,
  fn: () =>
    inFolder(async (folder) => {
      const part = await new DenoStorage().createPart(target(folder));
      for (let group = 0; group < 32; group++) {
        const bytes = new Uint8Array(MIB);
        if (group === 5) bytes[MIB - 1] = 1;
        await part.write(group * MIB, bytes);
      }
      await part.sync();
      assert.equal(await part.place(32 * MIB), "placed");
      const { size, blocks } = Deno.statSync(join(folder, "file"));
      assert.equal(size, 32 * MIB);
      assert.ok(blocks! * 512 <= MIB, `${blocks} blocks`);
      const written = Deno.readFileSync(join(folder, "file"));
      assert.deepEqual([written.indexOf(1), written.lastIndexOf(1)], [6 * MIB - 1, 6 * MIB - 1]);
    }),
});

smallDiskTest("a disk that is full, or can only be read, is named so in plain words", async () => {
  await using disk = await SmallDisk.mount(1_000_000);
  const storage = new DenoStorage();
  const small = { ...target(disk.path), path: join(disk.path, "small") };
  const other = join(disk.path, ".p2pft-fedcba9876543210");
  const journal = { journalPath: `${other}.journal`, folder: undefined };
  const part = await storage.createPart(target(disk.path, { partPath: `${other}.part` }));
  const isFull = { kind: "no_space", message: /: there is no space left on the disk$/ };
  await assert.rejects(part.write(0, new Uint8Array(MIB).fill(1)), isFull);
  await assert.rejects(async () => await storage.writeWhole(small, new Uint8Array(60_000)), isFull);
  await assert.rejects(storage.replaceState(journal, new Uint8Array(60_000)), isFull);
  // Nothing but the part file, which may be taken up again when there is room.
  assert.deepEqual(await storage.list(disk.path), [".p2pft-fedcba9876543210.part"]);
  assert.ok((await storage.freeBytes(disk.path) ?? 0) < 60_000);
  part.keep();
  const resumed = await storage.resumePart(target(disk.path, { partPath: `${other}.part` }));
  const back = new Uint8Array(100_000);
  assert.equal(await resumed!.read(0, back), back.length);
  assert.ok(back.every((byte) => byte === 1));
  await resumed!.discard();
  await storage.writeWhole(small, new Uint8Array(60_000));
  assert.deepEqual(await storage.placeWhole([small]), ["placed"]);

  await disk.makeReadOnly();
  const isReadOnly = { kind: "read_only", message: /: the file system is read-only$/ };
  await assert.rejects(storage.createPart(target(disk.path)), isReadOnly);
  await assert.rejects(async () => await storage.writeWhole(small, new Uint8Array(1)), isReadOnly);
  await assert.rejects(storage.makeFolder(join(disk.path, "folder")), isReadOnly);
  await assert.rejects(storage.replaceState(journal, new Uint8Array(1)), isReadOnly);
});

Deno.test({
  name:
    "FileCalls syncs, tells files apart, renames only to what is free [DISK-2] [DISK-4] [DISK-6]",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    inFolder(async (folder) => {
      const calls = loadFileCalls();
      assert.ok(calls, "needs --allow-ffi");
      const [from, to] = [join(folder, "from ü"), join(folder, "to")];
      for (
        const rename of [
          () => calls.renameNew(from, to),
          () => calls.renameNewLater(from, to),
        ]
      ) {
        put(from, "new");
        put(to, "old");
        assert.equal(await rename(), false);
        assert.equal(Deno.readTextFileSync(to), "old");
        Deno.removeSync(to);
        assert.equal(await rename(), true);
        assert.equal(Deno.readTextFileSync(to), "new");
        assert.equal(await rename(), false, "there is nothing to rename");
      }
      // Not cut off at a NUL, nor at the end of the buffer.
      put(from, "new");
      assert.equal(calls.renameNew(from, `${folder}/a\0b`), false);
      assert.equal(calls.renameNew(from, `${folder}/${"x/".repeat(2100)}y`), false);
      assert.deepEqual(Array.from(Deno.readDirSync(folder), ({ name }) => name).sort(), [
        "from ü",
        "to",
      ]);
      const descriptor = openSync(folder, "r");
      assert.equal(await calls.syncFileSystem(descriptor), true);
      const { dev, ino } = Deno.lstatSync(folder);
      assert.deepEqual(calls.identityOf(descriptor), { dev, ino });
      using device = Deno.openSync("/dev/null");
      const { dev: otherDev } = device.statSync();
      assert.notEqual(otherDev, dev);
      const nullDescriptor = openSync("/dev/null", "r");
      assert.equal(calls.identityOf(nullDescriptor)?.dev, otherDev);
      closeSync(nullDescriptor);
      assert.equal(calls.identityOf(-1), undefined);
      closeSync(descriptor);
      assert.equal(await calls.syncFileSystem(-1), false);
      assert.equal(await calls.dropFromCache(-1), false);
    }),
});

Deno.test("DenoStorage takes up no part file that another run is filling [DISK-8]", async () => {
  await inFolder(async (folder) => {
    const storage = new DenoStorage();
    const first = await storage.createPart(target(folder));
    await first.write(0, new Uint8Array(10));
    assert.equal(await storage.resumePart(target(folder)), undefined);
    first.keep();
    const second = (await storage.resumePart(target(folder)))!;
    assert.equal(await storage.resumePart(target(folder)), undefined);
    // Another run may begin its own; then this one cannot be placed any more.
    const third = await storage.createPart(target(folder));
    await assert.rejects(second.place(10), StorageError);
    await third.write(0, new Uint8Array(5).fill(7));
    assert.equal(await third.place(5), "placed");
    assert.deepEqual(Deno.readFileSync(target(folder).path), new Uint8Array(5).fill(7));
  });
});

Deno.test({
  name: "few files are synced one by one, many by one call for their file system [DISK-6]",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    inFolder(async (folder) => {
      const unplaced = new UnplacedFiles(loadFileCalls());
      const files = Array.from(
        { length: 40 },
        (_, index) => target(folder, { partPath: join(folder, `${index}`) }),
      );
      for (const file of files) {
        put(file.partPath, "x");
        unplaced.add(file, Deno.lstatSync(file.partPath));
      }
      const few = unplaced.take(files.slice(0, 5));
      // Only who opens each file can miss one.
      Deno.removeSync(files[3]!.partPath);
      const missed = await unplaced.sync(few);
      assert.deepEqual(Array.from(missed, ([{ target }, { kind }]) => [target.partPath, kind]), [
        [files[3]!.partPath, "not_found"],
      ]);
      const many = unplaced.take(files.slice(5));
      assert.deepEqual(many.map((file) => file?.target), files.slice(5));
      Deno.removeSync(files[7]!.partPath);
      assert.equal((await unplaced.sync(many)).size, 0);
      assert.deepEqual(unplaced.take(files.slice(0, 1)), [undefined]);
      unplaced.closeUnused();
    }),
});

Deno.test("each file is synced by itself where there is no other way, and then closed [DISK-6]", async () => {
  await inFolder(async (folder) => {
    const unplaced = new UnplacedFiles(undefined);
    const files = Array.from(
      { length: 300 },
      (_, index) => target(folder, { partPath: join(folder, `${index}`) }),
    );
    const infos = files.map((file) => {
      const written = Deno.openSync(file.partPath, { write: true, createNew: true });
      const info = written.statSync();
      // What is left open is found by the test runner.
      unplaced.add(file, info, written);
      return info;
    });
    const { prototype } = Deno.FsFile;
    const { sync } = prototype;
    const synced = new Set<number | null>();
    prototype.sync = async function () {
      synced.add((await this.stat()).ino);
      await sync.call(this);
    };
    try {
      // The last ones were closed, and only who opens them can miss them.
      Deno.removeSync(files[299]!.partPath);
      const missed = await unplaced.sync(unplaced.take(files));
      assert.deepEqual(Array.from(missed, ([{ target }]) => target), [files[299]]);
    } finally {
      prototype.sync = sync;
    }
    for (const { ino } of infos.slice(0, 256)) assert.ok(isWindows || synced.has(ino));
  });
});

Deno.test("after a sync of a file system that failed each file is synced by itself [DISK-6]", async () => {
  await inFolder(async (folder) => {
    let calls = 0;
    const unplaced = new UnplacedFiles({
      syncFileSystem: () => {
        calls++;
        return Promise.resolve(calls > 1);
      },
    });
    const files = Array.from(
      { length: 40 },
      (_, index) => target(folder, { partPath: join(folder, `${index}`) }),
    );
    // The error is told once: that it is not told again means nothing for the second batch.
    for (const batch of [1, 2]) {
      for (const file of files) {
        put(file.partPath, "x");
        unplaced.add(file, Deno.lstatSync(file.partPath));
      }
      Deno.removeSync(files[3]!.partPath);
      const missed = await unplaced.sync(unplaced.take(files));
      assert.deepEqual(Array.from(missed, ([{ target }]) => target), [files[3]], `batch ${batch}`);
      unplaced.closeUnused();
    }
    assert.equal(calls, 1);
  });
});

Deno.test("DenoStorage places small batches 25 ms apart, so that the next one gathers [DISK-6]", async () => {
  await inFolder(async (folder) => {
    const storage = new DenoStorage();
    const begun = performance.now();
    for (const name of ["a", "b", "c"]) {
      const path = join(folder, name);
      const file = target(folder, { path, partPath: `${path}.part` });
      await storage.writeWhole(file, new Uint8Array(1));
      assert.deepEqual(await storage.placeWhole([file]), ["placed"]);
    }
    assert.ok(performance.now() - begun > 45);
  });
});

Deno.test({
  name: "DenoStorage syncs every folder that a new one is in [DISK-6]",
  ignore: isWindows,
  fn: () =>
    inFolder(async (folder) => {
      const synced = new Set<number | null>();
      const { prototype } = Deno.FsFile;
      const { sync } = prototype;
      prototype.sync = async function () {
        synced.add((await this.stat()).ino);
        await sync.call(this);
      };
      try {
        await new DenoStorage().makeFolders(join(folder, "a", "b", "c"));
      } finally {
        prototype.sync = sync;
      }
      for (const path of [folder, join(folder, "a"), join(folder, "a", "b")]) {
        assert.ok(synced.has(Deno.statSync(path).ino), path);
      }
    }),
});

Deno.test({
  name: "DenoStorage goes on where the file system cannot sync a folder [DISK-6]",
  // The one at hand that cannot; only programs with all permissions may open it.
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const storage = import.meta.resolve("../../lib/storage/deno_storage.ts");
    const script = `import { DenoStorage } from ${JSON.stringify(storage)};
      await new DenoStorage().syncFolder("/proc/self");`;
    const args = ["eval", "--ext=ts", script];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  },
});
