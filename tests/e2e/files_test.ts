/**
 * Goal: what is in the way, unreadable, unwritable or unusual is left alone and said, and the rest
 * goes on; nothing that is here already is lost.
 * Method: two processes of the program on loopback, folders prepared and looked at here.
 */
import assert from "node:assert/strict";
import { codeOf, startReceive, startSend, transferCompletely } from "../support/cli_transfer.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { assertSameTree, makeTree, writeFileSync } from "../support/tree.ts";
import { weakRootWrapper } from "../support/weak_root.ts";

const IS_WINDOWS = Deno.build.os === "windows";
const WEAK_ROOT = weakRootWrapper();

/** A test that needs files which the program may not read or write. */
function rightsTest(name: string, run: (wrapper: readonly string[]) => Promise<void>): void {
  const reason = WEAK_ROOT === undefined ? " [skipped: cannot take rights away here]" : "";
  Deno.test({
    name: name + reason,
    ignore: WEAK_ROOT === undefined,
    fn: () => run(WEAK_ROOT ?? []),
  });
}

/** Names in a folder, in order. */
function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("receive sends nothing again that is here already", async () => {
  await using temp = await TempFolder.make();
  const tree = temp.at("source", "tree");
  await makeTree(tree, { files: 10, fileBytes: 100_000 });
  await transferCompletely([tree], temp.at("target"));
  const { received } = await transferCompletely([tree], temp.at("target"));
  assert.equal(received.bytes, 0);
  await assertSameTree(temp.at("target"), temp.at("source"));
});

Deno.test("receive keeps a file that differs, says so and takes the rest", async () => {
  await using temp = await TempFolder.make();
  for (const folder of ["source", "target"]) await temp.folder(folder);
  writeFileSync(temp.at("source", "kept"), 1000, 1);
  writeFileSync(temp.at("source", "fresh"), 1000, 2);
  Deno.writeTextFileSync(temp.at("target", "kept"), "mine");
  await using sender = startSend([temp.at("source", "kept"), temp.at("source", "fresh")]);
  await using receiver = startReceive(await codeOf(sender), temp.at("target"));
  await receiver.expectExit(13);
  const offer = await receiver.event("offer");
  assert.deepEqual([offer.newItems, offer.sameItems, offer.differItems], [1, 0, 1]);
  assert.equal((await receiver.event("warning", ({ code }) => code === "kept")).path, "kept");
  assert.equal((await receiver.event("done")).leftOut, 1);
  assert.equal(Deno.readTextFileSync(temp.at("target", "kept")), "mine");
  assert.deepEqual(namesIn(temp.at("target")), ["fresh", "kept"]);
  await sender.exit();
});

Deno.test("receive --overwrite always replaces a file that differs", async () => {
  await using temp = await TempFolder.make();
  for (const folder of ["source", "target"]) await temp.folder(folder);
  writeFileSync(temp.at("source", "file"), 3_000_000, 1);
  Deno.writeTextFileSync(temp.at("target", "file"), "mine");
  await using sender = startSend([temp.at("source", "file")]);
  await using receiver = startReceive(await codeOf(sender), temp.at("target"), {
    args: ["--overwrite", "always"],
  });
  await receiver.expectExit(0);
  await sender.expectExit(0);
  await assertSameTree(temp.at("target"), temp.at("source"));
});

Deno.test("receive does not let an empty file truncate one that is here", async () => {
  await using temp = await TempFolder.make();
  for (const folder of ["source", "target"]) await temp.folder(folder);
  writeFileSync(temp.at("source", "thesis.tex"), 0, 1);
  Deno.writeTextFileSync(temp.at("target", "thesis.tex"), "years of work");
  await using sender = startSend([temp.at("source", "thesis.tex")]);
  await using receiver = startReceive(await codeOf(sender), temp.at("target"));
  await receiver.expectExit(13);
  assert.equal(Deno.readTextFileSync(temp.at("target", "thesis.tex")), "years of work");
});

Deno.test("receive skips names that begin with a dot unless they are allowed", async () => {
  await using temp = await TempFolder.make();
  await temp.folder("source", ".ssh");
  writeFileSync(temp.at("source", ".ssh", "authorized_keys"), 100, 1);
  writeFileSync(temp.at("source", "plain"), 100, 2);
  const paths = [temp.at("source", ".ssh"), temp.at("source", "plain")];
  {
    await using sender = startSend(paths);
    await using receiver = startReceive(await codeOf(sender), temp.at("target"), {
      args: ["--yes"],
    });
    await receiver.expectExit(13);
    assert.deepEqual((await receiver.event("offer")).dotNames, [".ssh"]);
    assert.equal((await receiver.event("warning", (w) => w.code === "dot_name")).path, ".ssh");
    assert.deepEqual(namesIn(temp.at("target")), ["plain"]);
    await sender.exit();
  }
  await using sender = startSend(paths);
  await using receiver = startReceive(await codeOf(sender), temp.at("target"), {
    args: ["--allow-dotfiles"],
  });
  await receiver.expectExit(0);
  await assertSameTree(temp.at("target"), temp.at("source"));
});

rightsTest("send leaves out a file it may not read, and the receiver is told", async (wrapper) => {
  await using temp = await TempFolder.make();
  await temp.folder("source", "tree");
  writeFileSync(temp.at("source", "tree", "secret"), 100, 1);
  writeFileSync(temp.at("source", "tree", "plain"), 100, 2);
  Deno.chmodSync(temp.at("source", "tree", "secret"), 0);
  await using sender = startSend([temp.at("source", "tree")], { wrapper });
  await using receiver = startReceive(await codeOf(sender), temp.at("target"));
  await receiver.expectExit(13);
  const warning = await receiver.event("warning", ({ code }) => code === "unreadable");
  assert.equal(warning.path, "tree/secret");
  assert.deepEqual(namesIn(temp.at("target", "tree")), ["plain"]);
  await sender.event("warning", ({ code }) => code === "unreadable");
  await sender.expectExit(13);
});

Deno.test("send leaves out a file that vanished after it was offered", async () => {
  await using temp = await TempFolder.make();
  await temp.folder("source", "tree");
  writeFileSync(temp.at("source", "tree", "gone"), 100, 1);
  writeFileSync(temp.at("source", "tree", "plain"), 100, 2);
  await using sender = startSend([temp.at("source", "tree")]);
  const code = await codeOf(sender);
  Deno.removeSync(temp.at("source", "tree", "gone"));
  await using receiver = startReceive(code, temp.at("target"));
  const exit = await receiver.exit();
  assert.ok(exit === 13 || exit === 14, `${exit}`);
  assert.equal((await receiver.event("warning")).path, "tree/gone");
  assert.deepEqual(namesIn(temp.at("target", "tree")), ["plain"]);
});

Deno.test("send leaves out what is no file, and says so", { ignore: IS_WINDOWS }, async () => {
  await using temp = await TempFolder.make();
  await temp.folder("source", "tree");
  writeFileSync(temp.at("source", "tree", "plain"), 100, 1);
  Deno.symlinkSync("/etc/passwd", temp.at("source", "tree", "link"));
  const made = await new Deno.Command("mkfifo", { args: [temp.at("source", "tree", "pipe")] })
    .output();
  assert.ok(made.success);
  await using sender = startSend([temp.at("source", "tree")]);
  await using receiver = startReceive(await codeOf(sender), temp.at("target"));
  await receiver.exit();
  await sender.exit();
  const warned = sender.eventsNamed("warning").map(({ code, path }) => `${code} ${path ?? ""}`);
  assert.ok(warned.includes("special_skipped tree/pipe"), `${warned}`);
  assert.ok(warned.includes("symlink_skipped tree/link"), `${warned}`);
  assert.deepEqual(namesIn(temp.at("target", "tree")), ["plain"]);
});

Deno.test("send ends with read_failed when there is nothing at a path", async () => {
  await using temp = await TempFolder.make();
  await using sender = startSend([temp.at("missing")]);
  await sender.expectExit(10);
  const error = await sender.event("error");
  assert.equal(error.code, "read_failed");
  assert.ok(error.fatal);
  assert.deepEqual(sender.eventsNamed("code"), []);
});

rightsTest("receive ends with write_failed where it may not write", async (wrapper) => {
  await using temp = await TempFolder.make();
  writeFileSync((await temp.folder("source")) + "/file", 100, 1);
  Deno.chmodSync(await temp.folder("target"), 0o555);
  await using sender = startSend([temp.at("source", "file")]);
  await using receiver = startReceive(await codeOf(sender), temp.at("target"), { wrapper });
  await receiver.expectExit(9);
  assert.equal((await receiver.event("error")).code, "write_failed");
  assert.deepEqual(namesIn(temp.at("target")), []);
});

Deno.test("receive ends with write_failed when its folder cannot be made", async () => {
  await using temp = await TempFolder.make();
  writeFileSync((await temp.folder("source")) + "/file", 100, 1);
  Deno.writeTextFileSync(temp.at("in the way"), "");
  await using sender = startSend([temp.at("source", "file")]);
  await using receiver = startReceive(await codeOf(sender), temp.at("in the way", "target"));
  await receiver.expectExit(9);
  assert.equal(Deno.readTextFileSync(temp.at("in the way")), "");
});

Deno.test("receive does not follow a link out of its folder", { ignore: IS_WINDOWS }, async () => {
  await using temp = await TempFolder.make();
  await temp.folder("source", "tree", "inner");
  writeFileSync(temp.at("source", "tree", "inner", "file"), 100, 1);
  writeFileSync(temp.at("source", "tree", "plain"), 100, 2);
  await temp.folder("outside");
  await temp.folder("target", "tree");
  Deno.symlinkSync(temp.at("outside"), temp.at("target", "tree", "inner"));
  await using sender = startSend([temp.at("source", "tree")]);
  await using receiver = startReceive(await codeOf(sender), temp.at("target"), {
    args: ["--overwrite", "always"],
  });
  await receiver.expectExit(13);
  assert.deepEqual(namesIn(temp.at("outside")), []);
  assert.deepEqual(namesIn(temp.at("target", "tree")), ["inner", "plain"]);
});
