/**
 * Goal: trouble with a disk, on either side and at any time, is named in words that help, leaves
 * nothing wrong behind, and costs what it hit and nothing else: the same command again moves the rest.
 * Method: processes of the program, and disks that are full, read-only or broken: small ones in memory
 * that are mounted for the test, limits of the system, and system calls that strace lets fail.
 */
import assert from "node:assert/strict";
import type { CliProcess } from "../support/cli_process.ts";
import { codeOf, type SideOptions, startReceive, startSend } from "../support/cli_transfer.ts";
import { SmallDisk, smallDiskTest } from "../support/small_disk.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { assertSameFiles, writeFileSync } from "../support/tree.ts";

const MIB = 1_048_576;
const DISK_FULL = 8;
const WRITE_FAILED = 9;
const IS_WINDOWS = Deno.build.os === "windows";

/** The transfer takes about two seconds. */
const LIMIT = ["--limit", "12mb"];

/** A folder with a large file, one of a few groups, and small ones; gives its bytes. */
async function makeSource(temp: TempFolder): Promise<number> {
  await temp.folder("source", "folder");
  const sizes = { "large.bin": 16 * MIB + 77, "middle.bin": 3 * MIB, "empty": 0 };
  let bytes = 0;
  for (const [name, size] of Object.entries(sizes)) {
    writeFileSync(temp.at("source", name), size, size + 1);
    bytes += size;
  }
  for (let index = 0; index < 50; index++) {
    writeFileSync(temp.at("source", "folder", `${index}`), 1000 + index, index);
    bytes += 1000 + index;
  }
  return bytes;
}

/** One receive into a folder from a sender of its own, up to both ends. */
async function attempt(
  temp: TempFolder,
  target: string,
  { receiving = {}, during = async () => {} }: {
    readonly receiving?: SideOptions;
    /** What happens meanwhile. */
    readonly during?: (receiver: CliProcess) => Promise<void>;
  } = {},
): Promise<{ readonly exits: readonly number[]; readonly receiver: CliProcess }> {
  await using sender = startSend([temp.at("source")], { args: LIMIT });
  await using receiver = startReceive(await codeOf(sender), target, receiving);
  await during(receiver);
  return { exits: [await receiver.exit(), await sender.exit()], receiver };
}

/** Bytes of files that came over the network. */
function movedBytes(receiver: CliProcess): number {
  const last = receiver.eventsNamed("progress").at(-1);
  return last === undefined ? 0 : last.bytesDone - (last.keptBytes ?? 0);
}

/** The same command again: it completes, and moves what was missing and hardly more. */
async function finish(
  temp: TempFolder,
  target: string,
  mostBytes: number,
  receiving: SideOptions = {},
): Promise<void> {
  const { exits, receiver } = await attempt(temp, target, { receiving });
  assert.deepEqual(exits, [0, 0], receiver.stdout.slice(-2000));
  await assertSameFiles(`${target}/source`, temp.at("source"));
  assert.deepEqual(Array.from(Deno.readDirSync(target), ({ name }) => name), ["source"]);
  assert.ok(movedBytes(receiver) <= mostBytes, `${movedBytes(receiver)} of at most ${mostBytes}`);
}

/** Takes all the room there is on a disk. */
function fill(path: string): void {
  using file = Deno.openSync(path, { write: true, create: true });
  // At last in small pieces: a large one may fail with some room left.
  for (let length = MIB; length >= 1; length = Math.floor(length / 2)) {
    const bytes = new Uint8Array(length).fill(1);
    try {
      for (;;) file.writeSync(bytes);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
    }
  }
}

smallDiskTest("receive says before the first byte that there is no room", async () => {
  await using temp = await TempFolder.make();
  const bytes = await makeSource(temp);
  await using disk = await SmallDisk.mount(5 * MIB);
  const { exits, receiver } = await attempt(temp, disk.path);
  assert.deepEqual(exits, [DISK_FULL, DISK_FULL]);
  const error = await receiver.event("error");
  const [, needed, free] = /: (\d+) bytes are needed, (\d+) are free$/.exec(error.message)!;
  assert.deepEqual([Number(needed), Number(free)], [bytes, 5 * MIB]);
  assert.match(error.hint, /Free some space and run the same command again/);
  assert.deepEqual(receiver.eventsNamed("progress"), []);
  assert.deepEqual(Array.from(Deno.readDirSync(disk.path)), []);
  await disk.resize(40 * MIB);
  await finish(temp, disk.path, bytes);
});

smallDiskTest("a disk that gets full in the middle costs nothing of what arrived", async () => {
  await using temp = await TempFolder.make();
  const bytes = await makeSource(temp);
  await using disk = await SmallDisk.mount(40 * MIB);
  const { exits, receiver } = await attempt(temp, disk.path, {
    during: async (receiver) => {
      await receiver.event("progress", ({ bytesDone }) => bytesDone > 8 * MIB);
      fill(`${disk.path}/filler`);
    },
  });
  assert.deepEqual(exits, [DISK_FULL, DISK_FULL]);
  assert.match((await receiver.event("error")).message, /: there is no space left on the disk$/);
  const arrivedBytes = movedBytes(receiver);
  assert.ok(arrivedBytes > 8 * MIB && arrivedBytes < bytes, `${arrivedBytes}`);
  Deno.removeSync(`${disk.path}/filler`);
  // Groups that had no room, and those in the making.
  await finish(temp, disk.path, bytes - arrivedBytes + 4 * MIB);
});

smallDiskTest("receive into a file system that can only be read says so", async () => {
  await using temp = await TempFolder.make();
  await makeSource(temp);
  await using disk = await SmallDisk.mount(40 * MIB);
  await disk.makeReadOnly();
  const { exits, receiver } = await attempt(temp, disk.path);
  assert.deepEqual(exits, [WRITE_FAILED, WRITE_FAILED]);
  const { message, hint } = await receiver.event("error");
  assert.match(message, /^Cannot .*source.*: the file system is read-only$/);
  assert.match(hint, /target folder/);
});

/** Runs a program as a user for whom permissions of files hold; undefined where nothing does that. */
function plainUser(): readonly string[] | undefined {
  if (IS_WINDOWS) return undefined;
  if (Deno.uid() !== 0) return [];
  const words = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"];
  try {
    const { success } = new Deno.Command(words[0]!, {
      args: [...words.slice(1), "true"],
      stderr: "null",
    }).outputSync();
    return success ? words : undefined;
  } catch {
    return undefined;
  }
}

const AS_PLAIN_USER = plainUser();
const NO_PLAIN_USER = AS_PLAIN_USER ? "" : " [skipped: permissions do not hold for this user]";
const plain = { ignore: NO_PLAIN_USER !== "" };

Deno.test(
  `receive into a folder that may not be written says so${NO_PLAIN_USER}`,
  plain,
  async () => {
    await using temp = await TempFolder.make();
    await makeSource(temp);
    const target = await temp.folder("target");
    Deno.chmodSync(target, 0o555);
    const { exits, receiver } = await attempt(temp, target, {
      receiving: { wrapper: AS_PLAIN_USER! },
    });
    assert.deepEqual(exits, [WRITE_FAILED, WRITE_FAILED]);
    assert.match(
      (await receiver.event("error")).message,
      /source: permission denied for this user$/,
    );
    Deno.chmodSync(target, 0o755);
    await finish(temp, target, Infinity);
  },
);

Deno.test("receive into something that is no folder says so, and leaves it alone", async () => {
  await using temp = await TempFolder.make();
  await makeSource(temp);
  Deno.writeTextFileSync(temp.at("target"), "precious");
  const { exits, receiver } = await attempt(temp, temp.at("target"));
  assert.deepEqual(exits, [WRITE_FAILED, WRITE_FAILED]);
  assert.match((await receiver.event("error")).message, /target/);
  assert.equal(Deno.readTextFileSync(temp.at("target")), "precious");
});

Deno.test("receive keeps the beginning of a file that is too large for a limit of the system", {
  ignore: IS_WINDOWS,
}, async () => {
  await using temp = await TempFolder.make();
  const bytes = await makeSource(temp);
  const target = await temp.folder("target");
  // In blocks of 512 bytes. Without the trap the signal would end the program.
  const limited = `trap '' XFSZ; ulimit -f ${8 * MIB / 512}; exec "$@"`;
  const { exits, receiver } = await attempt(temp, target, {
    receiving: { wrapper: ["sh", "-c", limited, "sh"] },
  });
  assert.deepEqual(exits, [DISK_FULL, DISK_FULL], receiver.stdout + receiver.stderr);
  const { message } = await receiver.event("error");
  assert.match(message, /: the file is too large for this file system$/);
  await finish(temp, target, bytes - 8 * MIB);
});

Deno.test("send names what vanishes, shrinks or is not readable any more, and sends the rest", async () => {
  await using temp = await TempFolder.make();
  await makeSource(temp);
  const source = (name: string) => temp.at("source", name);
  writeFileSync(source("z gone"), 3 * MIB, 91);
  writeFileSync(source("z gone small"), 3000, 92);
  writeFileSync(source("z shorter"), 3 * MIB, 93);
  await temp.folder("target");
  await using sender = startSend([temp.at("source")], { args: LIMIT });
  await using receiver = startReceive(await codeOf(sender), temp.at("target"));
  await receiver.event("progress", ({ bytesDone }) => bytesDone > 4 * MIB);
  Deno.removeSync(source("z gone"));
  Deno.truncateSync(source("z shorter"), 2 * MIB);
  Deno.truncateSync(source("large.bin"), 15 * MIB);
  await receiver.expectExit(14);
  await sender.expectExit(14);
  const warned = receiver.eventsNamed("warning").map(({ code, path }) => `${code} ${path}`).sort();
  assert.deepEqual(warned, [
    "source_changed source/large.bin",
    "source_changed source/z shorter",
    "unreadable source/z gone",
  ]);
  assert.deepEqual(
    warned,
    sender.eventsNamed("warning").map(({ code, path }) => `${code} ${path}`).sort(),
  );
  await finish(temp, temp.at("target"), 15 * MIB);
});
