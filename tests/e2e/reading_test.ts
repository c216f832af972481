/**
 * Goal: what is sent is what was asked for: patterns and links as people know them, standard input
 * without a copy and to its very end, a text; and it is said when a stream is lost.
 * Method: two processes of the program on loopback; other programs write and read beside them.
 */
import assert from "node:assert/strict";
import { receive } from "../../lib/receive.ts";
import type { ShareOptions } from "../../lib/options.ts";
import { send, share } from "../../lib/share.ts";
import { CliProcess } from "../support/cli_process.ts";
import { codeOf, startReceive, startSend } from "../support/cli_transfer.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { assertSameContent, assertSameTree, makeTree, writeFileSync } from "../support/tree.ts";

const IS_WINDOWS = Deno.build.os === "windows";

/** Paths below a folder, in order; folders end in a slash. */
function pathsIn(folder: string, prefix = ""): string[] {
  const paths: string[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    paths.push(isDirectory ? `${prefix}${name}/` : `${prefix}${name}`);
    if (isDirectory) paths.push(...pathsIn(`${folder}/${name}`, `${prefix}${name}/`));
  }
  return paths.sort();
}

/** Runs another program; gives what it printed. */
async function run(cwd: string, program: string, ...args: string[]): Promise<string> {
  const env = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  const { success, stdout, stderr } = await new Deno.Command(program, { args, cwd, env }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

function hasProgram(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"], stdout: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** Writes files with a line in each. */
async function writeFiles(temp: TempFolder, files: Readonly<Record<string, string>>) {
  for (const [path, text] of Object.entries(files)) {
    const parts = path.split("/");
    await temp.folder(...parts.slice(0, -1));
    Deno.writeTextFileSync(temp.at(...parts), text);
  }
}

Deno.test("send --exclude leaves out what patterns name, and says how much", async () => {
  await using temp = await TempFolder.make();
  await writeFiles(temp, {
    "source/tree/main.c": "x",
    "source/tree/main.o": "x",
    "source/tree/cache/a": "x",
    "source/tree/deep/cache/b": "x",
    "source/tree/deep/keep.o": "x",
  });
  await using sender = startSend([temp.at("source", "tree")], {
    args: ["--exclude", "*.o", "--exclude", "!keep.o", "--exclude", "/cache"],
  });
  await using receiver = startReceive(await codeOf(sender), temp.at("target"));
  await receiver.expectExit(0);
  await sender.expectExit(0);
  assert.deepEqual(pathsIn(temp.at("target")), [
    "tree/",
    "tree/deep/",
    "tree/deep/cache/",
    "tree/deep/cache/b",
    "tree/deep/keep.o",
    "tree/main.c",
  ]);
  const warning = await sender.event("warning", ({ code }) => code === "excluded");
  assert.match(warning.message, /^Left out 2 items/);
});

Deno.test("send says when patterns leave nothing to send", async () => {
  await using temp = await TempFolder.make();
  await writeFiles(temp, { "source/tree/a.o": "x" });
  await using sender = startSend([temp.at("source", "tree")], { args: ["--exclude", "*.o"] });
  await sender.expectExit(2);
  assert.match((await sender.event("error")).message, /patterns leave out all/);
  assert.deepEqual(sender.eventsNamed("code"), []);
});

const NO_GIT = hasProgram("git") ? "" : " [skipped: no git here]";
Deno.test({
  name: `send --gitignore sends the files that git would add${NO_GIT}`,
  ignore: NO_GIT !== "",
  async fn() {
    await using temp = await TempFolder.make();
    await writeFiles(temp, {
      "source/tree/.gitignore": "build/\n*.log\n!important.log\n/top\n**/x/*.tmp\n*.[oa]\n" +
        "\\#odd\ntrailing   \nfoo/bar\n",
      "source/tree/build/out": "x",
      "source/tree/a.log": "x",
      "source/tree/important.log": "x",
      "source/tree/top": "x",
      "source/tree/sub/top": "x",
      "source/tree/sub/x/a.tmp": "x",
      "source/tree/sub/a.tmp": "x",
      "source/tree/lib.a": "x",
      "source/tree/#odd": "x",
      "source/tree/trailing": "x",
      "source/tree/foo/bar": "x",
      "source/tree/sub/foo/bar": "x",
      "source/tree/sub/.gitignore": "!build/\n!*.log\nsecret\n",
      "source/tree/sub/build/kept.txt": "x",
      "source/tree/sub/build/out.o": "x",
      "source/tree/sub/b.log": "x",
      "source/tree/sub/deeper/secret": "x",
      "source/tree/sub/deeper/.gitignore": "!secret\n*.txt\n",
      "source/tree/sub/deeper/note.txt": "x",
      "source/tree/Build/case": "x",
      "source/tree/build2/ok": "x",
    });
    const tree = temp.at("source", "tree");
    await run(tree, "git", "init", "-q");
    const listed = await run(tree, "git", "ls-files", "-z", "-co", "--exclude-standard");
    await using sender = startSend([tree], { args: ["--gitignore"] });
    await using receiver = startReceive(await codeOf(sender), temp.at("target"));
    await receiver.expectExit(0);
    await sender.expectExit(0);
    const files = pathsIn(temp.at("target", "tree")).filter((path) => !path.endsWith("/"));
    assert.deepEqual(files, listed.split("\0").filter((path) => path !== "").sort());
    assert.ok(files.includes("sub/build/kept.txt") && !files.includes("sub/build/out.o"));
  },
});

Deno.test("send --symlinks follow sends what links lead to, not in circles", {
  ignore: IS_WINDOWS,
}, async () => {
  await using temp = await TempFolder.make();
  await temp.folder("outside", "folder");
  await temp.folder("source", "tree", "inner");
  writeFileSync(temp.at("outside", "folder", "file"), 3_000_000, 1);
  writeFileSync(temp.at("outside", "small"), 100, 2);
  const tree = temp.at("source", "tree");
  Deno.symlinkSync(temp.at("outside", "folder"), `${tree}/folder`);
  Deno.symlinkSync("../../outside/small", `${tree}/small`);
  Deno.symlinkSync("..", `${tree}/inner/up`);
  Deno.symlinkSync("nowhere", `${tree}/inner/broken`);
  await using sender = startSend([tree], { args: ["--symlinks", "follow"] });
  await using receiver = startReceive(await codeOf(sender), temp.at("target"));
  await receiver.expectExit(0);
  await sender.expectExit(13);
  const received = temp.at("target", "tree");
  assert.deepEqual(pathsIn(received), ["folder/", "folder/file", "inner/", "small"]);
  await assertSameTree(`${received}/folder`, temp.at("outside", "folder"));
  assert.ok(!Deno.lstatSync(`${received}/folder`).isSymlink);
  assert.deepEqual(
    Deno.readFileSync(`${received}/small`),
    Deno.readFileSync(temp.at("outside", "small")),
  );
  const warned = sender.eventsNamed("warning").map(({ code, path }) => `${code} ${path}`).sort();
  assert.deepEqual(warned.slice(-2), [
    "symlink_skipped tree/inner/up",
    "unreadable tree/inner/broken",
  ]);
});

Deno.test("send --symlinks keep sends links as links", { ignore: IS_WINDOWS }, async () => {
  await using temp = await TempFolder.make();
  await temp.folder("source", "tree", "inner");
  writeFileSync(temp.at("source", "tree", "inner", "file"), 100, 1);
  Deno.symlinkSync("inner/file", temp.at("source", "tree", "link"));
  await using sender = startSend([temp.at("source", "tree")], { args: ["--symlinks", "keep"] });
  await using receiver = startReceive(await codeOf(sender), temp.at("target"));
  await receiver.expectExit(0);
  await sender.expectExit(0);
  assert.equal(Deno.readLinkSync(temp.at("target", "tree", "link")), "inner/file");
});

/** Sends bytes through standard input into a folder. */
async function pipe(temp: TempFolder, bytes: Uint8Array, args: readonly string[]) {
  await using sender = startSend(["-"], { args });
  await using receiver = startReceive(await codeOf(sender), temp.at("target"));
  for (let at = 0; at < bytes.length; at += 300_000) {
    await sender.write(bytes.subarray(at, at + 300_000));
  }
  await sender.closeInput();
  await receiver.expectExit(0);
  await sender.expectExit(0);
  const [sent, received] = [await sender.event("done"), await receiver.event("done")];
  assert.deepEqual([sent.bytes, received.bytes], [bytes.length, bytes.length]);
  assert.equal(sent.root, received.root);
}

Deno.test("send - sends standard input to its very end, whatever its length", async () => {
  const lengths = [0, 1, 1_048_575, 1_048_576, 1_048_577, 3_145_728, 5_000_000];
  for (const length of lengths) {
    await using temp = await TempFolder.make();
    writeFileSync(temp.at("bytes"), length, length);
    const bytes = Deno.readFileSync(temp.at("bytes"));
    await pipe(temp, bytes, ["--name", "dump.bin"]);
    assert.deepEqual(Deno.readFileSync(temp.at("target", "dump.bin")), bytes);
  }
});

const NO_TAR = hasProgram("tar") ? "" : " [skipped: no tar here]";
Deno.test({
  name: `send - sends what tar writes, in a pipeline${NO_TAR}`,
  ignore: NO_TAR !== "" || IS_WINDOWS,
  async fn() {
    await using temp = await TempFolder.make();
    await makeTree(temp.at("source", "tree"), { files: 50, fileBytes: 100_000 });
    const pipeline = 'folder=$1; shift; tar cf - -C "$folder" tree | "$@"';
    const wrapper = ["sh", "-c", pipeline, "sh", temp.at("source")];
    await using sender = startSend(["-"], { wrapper });
    await using receiver = startReceive(await codeOf(sender), temp.at("target"));
    await receiver.expectExit(0);
    await sender.expectExit(0);
    await run(temp.at("target"), "tar", "xf", "stdin");
    Deno.removeSync(temp.at("target", "stdin"));
    // Most versions of tar keep whole seconds only.
    await assertSameContent(temp.at("target"), temp.at("source"));
  },
});

Deno.test("send - ends when its client does, and says that a stream cannot be resumed", {
  ignore: IS_WINDOWS,
}, async () => {
  await using temp = await TempFolder.make();
  await using sender = startSend(["-"]);
  await using receiver = startReceive(await codeOf(sender), temp.at("target"));
  // The input stays open, as that of a program with nothing to say for a while.
  await sender.write(new Uint8Array(2_000_000));
  await receiver.event("progress", ({ bytesDone }) => bytesDone >= 1_048_576);
  receiver.kill("SIGINT");
  await receiver.expectExit(130);
  await sender.expectExit(130);
  const error = await sender.event("error");
  assert.ok(error.fatal);
  assert.match(error.message, /a stream cannot be resumed$/);
});

Deno.test("send - waits for another client while none has begun to read", async () => {
  await using temp = await TempFolder.make();
  await using sender = startSend(["-"]);
  const code = await codeOf(sender);
  {
    // A file where the folder should be: it goes before it asks for anything.
    Deno.writeTextFileSync(temp.at("blocked"), "");
    await using other = startReceive(code, temp.at("blocked"));
    await other.expectExit(9);
  }
  await using receiver = startReceive(code, temp.at("target"));
  await sender.write(new TextEncoder().encode("still here"));
  await sender.closeInput();
  await receiver.expectExit(0);
  await sender.expectExit(0);
  assert.equal(Deno.readTextFileSync(temp.at("target", "stdin")), "still here");
});

Deno.test("send - says when the other side did not take the stream", async () => {
  await using temp = await TempFolder.make();
  await temp.folder("target");
  Deno.writeTextFileSync(temp.at("target", "stdin"), "mine");
  await using sender = startSend(["-"]);
  await using receiver = startReceive(await codeOf(sender), temp.at("target"));
  await receiver.expectExit(13);
  // Its input is still open.
  await sender.expectExit(13);
  const warning = await sender.event("warning", ({ code }) => code === "not_taken");
  assert.equal(warning.path, "stdin");
  assert.equal(Deno.readTextFileSync(temp.at("target", "stdin")), "mine");
});

Deno.test("send --text sends a text to be read, from the command line or standard input", async () => {
  const text = "zoë: https://example.org/?q=1\n\ttwo lines\n";
  for (const isPiped of [false, true]) {
    await using temp = await TempFolder.make();
    await using sender = startSend([], { args: ["--text", isPiped ? "-" : text] });
    if (isPiped) {
      await sender.write(new TextEncoder().encode(text));
      await sender.closeInput();
    }
    const words = ["receive", "--json", "--allow-loopback", await codeOf(sender)];
    await using receiver = new CliProcess(words, { cwd: await temp.folder("target") });
    await receiver.expectExit(0);
    await sender.expectExit(0);
    assert.equal((await receiver.event("text")).text, text);
    assert.deepEqual(pathsIn(temp.at("target")), []);
    assert.deepEqual([(await sender.event("done")).leftOut, sender.stderr], [0, ""]);
  }
});

Deno.test("send --text --name says what the text is called where it is stored", async () => {
  await using temp = await TempFolder.make();
  for (const [name, args] of [["text.txt", []], ["link.md", ["--name", "link.md"]]] as const) {
    await using sender = startSend([], { args: ["--text", "hello", ...args] });
    await using receiver = startReceive(await codeOf(sender), temp.at("target"));
    await receiver.expectExit(0);
    await sender.expectExit(0);
    assert.equal(Deno.readTextFileSync(temp.at("target", name)), "hello");
  }
});

Deno.test("send refuses a text that is too long, and standard input beside paths", async () => {
  await using long = startSend([], { args: ["--text", "-"] });
  await long.write(new Uint8Array(65_537).fill(97));
  await long.expectExit(2);
  assert.match((await long.event("error")).message, /more than 64 KiB/);
  await using mixed = startSend(["-", "photos"]);
  await mixed.expectExit(2);
  assert.match((await mixed.event("error")).message, /cannot stand beside other paths/);
});

Deno.test("send ends with Ctrl-C while it waits for input", { ignore: IS_WINDOWS }, async () => {
  await using waiting = startSend(["-"]);
  await codeOf(waiting);
  waiting.kill("SIGINT");
  await waiting.expectExit(130);
});

const LOOPBACK: ShareOptions = {
  addresses: ["127.0.0.1"],
  allowLoopback: true,
  stunServers: [],
  portMapping: false,
};

/** A stream that never ends, and whether somebody told it to. */
function endless() {
  const seen = { pulls: 0, isCancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      seen.pulls++;
      controller.enqueue(new Uint8Array(65_536));
    },
    cancel: () => void (seen.isCancelled = true),
  }, { highWaterMark: 0 });
  return { stream, seen };
}

Deno.test("share takes a stream, reads no more than is wanted, and lets go of it at its end", async () => {
  await using temp = await TempFolder.make();
  const { stream, seen } = endless();
  const sharing = await send({ stream, name: "endless" }, LOOPBACK);
  assert.equal(seen.pulls, 0);
  {
    await using receiving = receive(sharing.code, {
      directory: temp.at("target"),
      allowLoopback: true,
      stunServers: [],
    });
    for await (const event of receiving) {
      if (event.event === "progress" && event.bytesDone > 2_000_000) break;
    }
  }
  const events = await Array.fromAsync(sharing);
  const last = events.at(-1)!;
  assert.ok(last.event === "error" && last.fatal, JSON.stringify(last));
  assert.match(last.message, /a stream cannot be resumed$/);
  assert.ok(seen.isCancelled);
});

Deno.test("share lets go of a stream that nobody asked for", async () => {
  const { stream, seen } = endless();
  const sharing = await send({ stream, name: "endless" }, LOOPBACK);
  await sharing.close();
  assert.deepEqual(seen, { pulls: 0, isCancelled: true });
});

Deno.test("share takes a text with a name and a time", async () => {
  await using temp = await TempFolder.make();
  const mtimeMs = 1_600_000_000_123;
  const sharing = await send({ text: "hello", name: "note.md", mtimeMs }, LOOPBACK);
  await using receiving = receive(sharing.code, {
    directory: temp.at("target"),
    allowLoopback: true,
    stunServers: [],
  });
  await Array.fromAsync(receiving);
  await Array.fromAsync(sharing);
  assert.equal(Deno.readTextFileSync(temp.at("target", "note.md")), "hello");
  assert.equal(Deno.statSync(temp.at("target", "note.md")).mtime?.getTime(), mtimeMs);
});

Deno.test("share refuses sources that make no sense, and holds nothing then [XFER-20]", async () => {
  await assert.rejects(send([], LOOPBACK), TypeError);
  await assert.rejects(send({ text: "" }, LOOPBACK), TypeError);
  const { stream } = endless();
  await assert.rejects(share({ stream, name: "x" }, { ...LOOPBACK, readLimit: 2 }), TypeError);
  await assert.rejects(send({ stream, name: "a/b" }, LOOPBACK), TypeError);
  assert.ok(!stream.locked);
  stream.getReader();
  await assert.rejects(send({ stream, name: "x" }, LOOPBACK), TypeError);
});
