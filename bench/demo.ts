/**
 * `deno task demo`: a real sender and a real receiver, each `cli.ts` in its own process with just
 * the permissions docs/cli.md lists, move a real folder over the loopback interface of this machine.
 * Both are shown as they run; then the two folders are compared byte by byte.
 *
 * Not a measurement: those are in docs/benchmarks.md.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("../", import.meta.url));
const CLI = join(PROJECT, "cli.ts");
const CONFIG = join(PROJECT, "deno.json");
const FOLDER = "Holiday in Malmö 写真";
const MIB = 1_048_576;

function say(text: string): void {
  const bytes = new TextEncoder().encode(`${text}\n`);
  for (let offset = 0; offset < bytes.length;) {
    offset += Deno.stdout.writeSync(bytes.subarray(offset));
  }
}

/** Writes a file of bytes that cannot be guessed or compressed. */
async function writeRandomFile(path: string, bytes: number): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  const chunk = new Uint8Array(65_536);
  for (let left = bytes; left > 0; left -= chunk.length) {
    crypto.getRandomValues(chunk);
    const part = chunk.subarray(0, Math.min(left, chunk.length));
    for (let offset = 0; offset < part.length;) offset += await file.write(part.subarray(offset));
  }
}

/** The folder to move: large and small files, nested and empty ones, names of several scripts. */
async function makeFolder(folder: string): Promise<void> {
  const days = ["1 Göteborg", "2 Lund ✈", "3 東京/夜"];
  for (const day of days) await Deno.mkdir(join(folder, day), { recursive: true });
  await Deno.mkdir(join(folder, "empty folder", "in an empty folder"), { recursive: true });
  await writeRandomFile(join(folder, "film.mkv"), 40 * MIB);
  await writeRandomFile(join(folder, "1 Göteborg", "panorama.tif"), 7 * MIB + 12_345);
  for (let index = 0; index < 200; index++) {
    await writeRandomFile(join(folder, days[index % 3]!, `picture ${index}.jpg`), 37 * index);
  }
  await Deno.writeTextFile(join(folder, "empty.txt"), "");
  await Deno.writeTextFile(
    join(folder, "3 東京", "ελληνικά – עברית – 😀.txt"),
    "Any name will do.\n",
  );
  await Deno.writeTextFile(join(folder, "play.sh"), "#!/bin/sh\nmpv film.mkv\n");
  if (Deno.build.os !== "windows") await Deno.chmod(join(folder, "play.sh"), 0o755);
  await Deno.utime(join(folder, "film.mkv"), 1_000_000_000, 1_000_000_000);
}

/** `cli.ts` in a process of its own, its lines shown as they come. */
class ShownProgram {
  readonly #child: Deno.ChildProcess;
  readonly #showing: Promise<unknown>;
  readonly firstLine: Promise<string>;

  constructor(
    label: string,
    options: { permissions: string[]; args: string[]; env?: Record<string, string> },
  ) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--config",
        CONFIG,
        "--unstable-net",
        ...options.permissions,
        CLI,
        ...options.args,
      ],
      env: options.env ?? {},
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const { promise, resolve } = Promise.withResolvers<string>();
    this.firstLine = promise;
    const show = async (stream: ReadableStream<Uint8Array>, onLine: (line: string) => void) => {
      let rest = "";
      for await (const text of stream.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + text).split("\n");
        rest = lines.pop()!;
        for (const line of lines) {
          say(`${label} | ${line}`);
          onLine(line);
        }
      }
      onLine("");
    };
    this.#showing = Promise.all([
      show(this.#child.stdout, resolve),
      show(this.#child.stderr, () => {}),
    ]);
  }

  /** Waits for the end; throws unless it was a good one. */
  async end(): Promise<void> {
    const { code } = await this.#child.status;
    await this.#showing;
    if (code !== 0) throw new Error(`It ended with exit code ${code}`);
  }

  /** Makes sure that the process is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already, as it should.
    }
    await this.#child.status;
  }
}

/** What was compared. */
interface Comparison {
  files: number;
  folders: number;
  bytes: number;
}

async function sortedNames(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort();
}

/** Compares two folders: names, kinds, contents, times and exec bits. */
async function compare(expected: string, actual: string, totals: Comparison): Promise<void> {
  const [a, b] = [await Deno.lstat(expected), await Deno.lstat(actual)];
  assert.equal(b.isDirectory, a.isDirectory, actual);
  if (a.isDirectory) {
    totals.folders++;
    const names = await sortedNames(expected);
    assert.deepEqual(await sortedNames(actual), names, actual);
    for (const name of names) await compare(join(expected, name), join(actual, name), totals);
    return;
  }
  assert.ok(b.isFile, actual);
  assert.equal(b.size, a.size, actual);
  assert.equal(b.mtime?.getTime(), a.mtime?.getTime(), `time of ${actual}`);
  if (Deno.build.os !== "windows") {
    assert.equal((b.mode ?? 0) & 0o111, (a.mode ?? 0) & 0o111, `exec bit of ${actual}`);
  }
  await compareBytes(expected, actual, a.size);
  totals.files++;
  totals.bytes += a.size;
}

async function compareBytes(expected: string, actual: string, size: number): Promise<void> {
  using left = await Deno.open(expected);
  using right = await Deno.open(actual);
  const buffers = [new Uint8Array(MIB), new Uint8Array(MIB)] as const;
  for (let offset = 0; offset < size;) {
    const count = await left.read(buffers[0]) ?? 0;
    assert.ok(count > 0, `${expected} became shorter`);
    for (let filled = 0; filled < count;) {
      const read = await right.read(buffers[1].subarray(filled, count));
      assert.ok(read, `${actual} became shorter`);
      filled += read;
    }
    const isEqual = buffers[0].subarray(0, count).every((byte, index) =>
      byte === buffers[1][index]
    );
    assert.ok(isEqual, `${actual} differs between bytes ${offset} and ${offset + count}`);
    offset += count;
  }
}

async function demo(root: string): Promise<void> {
  const source = join(root, FOLDER);
  const target = join(root, "received");
  say(`Making a folder to send: ${source}`);
  await makeFolder(source);
  await Deno.mkdir(target);

  await using sender = new ShownProgram("sender  ", {
    permissions: ["--allow-net", "--allow-sys=networkInterfaces", `--allow-read=${source}`],
    args: [
      "send",
      source,
      "--yes",
      "--allow-loopback",
      "--bind",
      "127.0.0.1:0",
      "--address",
      "127.0.0.1",
      "--no-local-addresses",
    ],
  });
  const code = await sender.firstLine;
  if (code === "") {
    await sender.end();
    throw new Error("The sender printed no code");
  }
  await using receiver = new ShownProgram("receiver", {
    permissions: [
      "--allow-net",
      "--allow-sys=networkInterfaces,statfs",
      "--allow-env=P2PFT_CODE",
      `--allow-read=${target}`,
      `--allow-write=${target}`,
    ],
    args: ["receive", "-o", target, "--yes", "--allow-loopback", "--stun", "none", "--no-portmap"],
    // As a program would hand it over: other users cannot see it, unlike words on a command line.
    env: { P2PFT_CODE: code },
  });
  await receiver.end();
  await sender.end();

  say("Comparing what was sent with what was received …");
  const totals: Comparison = { files: 0, folders: 0, bytes: 0 };
  await compare(source, join(target, FOLDER), totals);
  say(
    `Verified: ${totals.files} files in ${totals.folders} folders, ${
      (totals.bytes / 1e6).toFixed(1)
    } MB, are the same byte by byte, with their times and exec bits.`,
  );
}

// Ctrl-C reaches the two programs as well; they end, and so does the demo, after cleaning up.
Deno.addSignalListener("SIGINT", () => {});
const root = await Deno.makeTempDir({ prefix: "p2pft-demo-" });
try {
  await demo(root);
} catch (error) {
  say(`The demo failed: ${error instanceof Error ? error.message : error}`);
  Deno.exitCode = 1;
} finally {
  await Deno.remove(root, { recursive: true });
}
Deno.exit();
