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

/** A receive that ends as it should; what it said stays. */
async function attempt(
  code: string,
  target: string,
  exit: number,
  { receiving = {}, during = async () => {} }: {
    readonly receiving?: SideOptions;
    /** What happens meanwhile. */
    readonly during?: (receiver: CliProcess) => Promise<void>;
  } = {},
): Promise<CliProcess> {
  await using receiver = startReceive(code, target, receiving);
  await during(receiver);
  await receiver.expectExit(exit);
  return receiver;
}

/** Bytes of files that came over the network. */
function movedBytes(receiver: CliProcess): number {
  const last = receiver.eventsNamed("progress").at(-1);
  return last === undefined ? 0 : last.bytesDone - (last.keptBytes ?? 0);
}

/** The same command again, at the same share: it completes, and moves at most so much. */
async function finish(
  temp: TempFolder,
  { sender, target, mostBytes }: {
    readonly sender: CliProcess;
    readonly target: string;
    readonly mostBytes: number;
  },
): Promise<void> {
  const receiver = await attempt(await codeOf(sender), target, 0);
  await sender.expectExit(0);
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
  await using sender = startSend([temp.at("source")], { args: LIMIT });
  const receiver = await attempt(await codeOf(sender), disk.path, DISK_FULL);
  const error = await receiver.event("error");
  const [, needed, free] = /: (\d+) bytes are needed, (\d+) are free$/.exec(error.message)!;
  assert.deepEqual([Number(needed), Number(free)], [bytes, 5 * MIB]);
  assert.match(error.hint, /Free some space and run the same command again/);
  assert.equal(movedBytes(receiver), 0);
  assert.deepEqual(Array.from(Deno.readDirSync(disk.path)), []);
  assert.equal((await sender.event("error")).code, "disk_full");
  await disk.resize(40 * MIB);
  await finish(temp, { sender, target: disk.path, mostBytes: bytes });
});

smallDiskTest("a disk that gets full in the middle costs nothing of what arrived", async () => {
  await using temp = await TempFolder.make();
  const bytes = await makeSource(temp);
  await using disk = await SmallDisk.mount(40 * MIB);
  await using sender = startSend([temp.at("source")], { args: LIMIT });
  const receiver = await attempt(await codeOf(sender), disk.path, DISK_FULL, {
    during: async (receiver) => {
      await receiver.event("progress", ({ bytesDone }) => bytesDone > 8 * MIB);
      fill(`${disk.path}/filler`);
    },
  });
  assert.match((await receiver.event("error")).message, /: there is no space left on the disk$/);
  const arrivedBytes = movedBytes(receiver);
  assert.ok(arrivedBytes > 8 * MIB && arrivedBytes < bytes, `${arrivedBytes}`);
  Deno.removeSync(`${disk.path}/filler`);
  // Groups that had no room, and those in the making.
  const mostBytes = bytes - arrivedBytes + 4 * MIB;
  await finish(temp, { sender, target: disk.path, mostBytes });
});

smallDiskTest("receive into a file system that can only be read says so", async () => {
  await using temp = await TempFolder.make();
  await makeSource(temp);
  await using disk = await SmallDisk.mount(40 * MIB);
  await disk.makeReadOnly();
  await using sender = startSend([temp.at("source")], { args: LIMIT });
  const receiver = await attempt(await codeOf(sender), disk.path, WRITE_FAILED);
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

Deno.test(`receive into a folder that may not be written says so${NO_PLAIN_USER}`, {
  ignore: NO_PLAIN_USER !== "",
}, async () => {
  await using temp = await TempFolder.make();
  const mostBytes = await makeSource(temp);
  const target = await temp.folder("target");
  Deno.chmodSync(target, 0o555);
  await using sender = startSend([temp.at("source")], { args: LIMIT });
  const receiving = { wrapper: AS_PLAIN_USER! };
  const receiver = await attempt(await codeOf(sender), target, WRITE_FAILED, { receiving });
  assert.match((await receiver.event("error")).message, /source: permission denied for this user$/);
  Deno.chmodSync(target, 0o755);
  await finish(temp, { sender, target, mostBytes });
});

Deno.test("receive into something that is no folder says so, and leaves it alone", async () => {
  await using temp = await TempFolder.make();
  await makeSource(temp);
  Deno.writeTextFileSync(temp.at("target"), "precious");
  await using sender = startSend([temp.at("source")], { args: LIMIT });
  const receiver = await attempt(await codeOf(sender), temp.at("target"), WRITE_FAILED);
  assert.match((await receiver.event("error")).message, /target/);
  assert.equal(Deno.readTextFileSync(temp.at("target")), "precious");
});

Deno.test("receive keeps the beginning of a file that is too large for a limit of the system", {
  ignore: IS_WINDOWS,
}, async () => {
  await using temp = await TempFolder.make();
  const mostBytes = await makeSource(temp) - 8 * MIB;
  const target = await temp.folder("target");
  await using sender = startSend([temp.at("source")], { args: LIMIT });
  // In blocks of 512 bytes. Without the trap a signal would end the program.
  const limited = `trap '' XFSZ; ulimit -f ${8 * MIB / 512}; exec "$@"`;
  const receiving = { wrapper: ["sh", "-c", limited, "sh"] };
  const receiver = await attempt(await codeOf(sender), target, DISK_FULL, { receiving });
  const { message } = await receiver.event("error");
  assert.match(message, /: the file is too large for this file system$/);
  await finish(temp, { sender, target, mostBytes });
});

/** Whether strace is here and may look at other programs. */
function hasStrace(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    const args = ["-o", "/dev/null", "-e", "trace=none", "true"];
    return new Deno.Command("strace", { args, stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

const NO_STRACE = hasStrace() ? "" : " [skipped: needs strace]";
const strace = { ignore: NO_STRACE !== "" };

/** Lets system calls of a program fail. */
function failing(calls: string, how: string): SideOptions {
  const options = ["-f", "-qq", "-o", "/dev/null", "-e", `trace=${calls}`];
  return { wrapper: ["strace", ...options, "-e", `inject=${calls}:${how}`, "--"] };
}

Deno.test(`a file whose sync fails does not get its name${NO_STRACE}`, strace, async () => {
  await using temp = await TempFolder.make();
  const mostBytes = await makeSource(temp);
  const target = await temp.folder("target");
  await using sender = startSend([temp.at("source")], { args: LIMIT });
  const receiving = failing("fsync,fdatasync,syncfs", "error=EIO");
  const receiver = await attempt(await codeOf(sender), target, WRITE_FAILED, { receiving });
  assert.match(
    (await receiver.event("error")).message,
    /source.*: .*\b(?:i\/o|input\/output) error/i,
  );
  const names = Array.from(Deno.readDirSync(`${target}/source`), ({ name }) => name);
  assert.deepEqual(names.filter((name) => name.endsWith(".bin") || name === "empty"), []);
  assert.deepEqual(Array.from(Deno.readDirSync(`${target}/source/folder`)), []);
  await finish(temp, { sender, target, mostBytes });
});

Deno.test(`a quota that is used up in the middle is named${NO_STRACE}`, strace, async () => {
  await using temp = await TempFolder.make();
  const mostBytes = await makeSource(temp);
  const target = await temp.folder("target");
  await using sender = startSend([temp.at("source")], { args: LIMIT });
  // Network drives find it out when they are to have it on their disks.
  const receiving = failing("fsync,fdatasync,syncfs", "error=EDQUOT");
  const receiver = await attempt(await codeOf(sender), target, DISK_FULL, { receiving });
  const { message } = await receiver.event("error");
  assert.match(message, /: the quota of this user on the disk is used up$/);
  await finish(temp, { sender, target, mostBytes });
});

Deno.test("send names what vanishes, shrinks or is not readable any more, and sends the rest", async () => {
  await using temp = await TempFolder.make();
  await makeSource(temp);
  const source = (name: string) => temp.at("source", name);
  writeFileSync(source("z gone"), 3 * MIB, 91);
  writeFileSync(source("z shorter"), 3 * MIB, 93);
  const target = await temp.folder("target");
  await using sender = startSend([temp.at("source")], { args: LIMIT });
  await using receiver = startReceive(await codeOf(sender), target);
  await receiver.event("progress", ({ bytesDone }) => bytesDone > 4 * MIB);
  Deno.removeSync(source("z gone"));
  Deno.truncateSync(source("z shorter"), 2 * MIB);
  Deno.truncateSync(source("large.bin"), 15 * MIB);
  await receiver.expectExit(14);
  await sender.expectExit(14);
  const about = (side: CliProcess): string[] =>
    side.eventsNamed("warning")
      .filter(({ path }) => path !== undefined)
      .map(({ code, path }) => `${code} ${path}`)
      .sort();
  assert.deepEqual(about(receiver), [
    "source_changed source/large.bin",
    "source_changed source/z shorter",
    "unreadable source/z gone",
  ]);
  assert.deepEqual(about(sender), about(receiver));
  await using again = startSend([temp.at("source")], { args: LIMIT });
  // Of what changed the beginning is still right.
  await finish(temp, { sender: again, target, mostBytes: 13 * MIB });
});
