/**
 * Goal: what the receiving person chose is what happens to files on a real disk: what differs, links,
 * one file into a pipe, texts.
 * Method: two processes of the program on loopback, folders prepared and looked at here.
 */
import assert from "node:assert/strict";
import { CliProcess } from "../support/cli_process.ts";
import { codeOf, type SideOptions, startReceive, startSend } from "../support/cli_transfer.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { writeFileSync } from "../support/tree.ts";

const IS_WINDOWS = Deno.build.os === "windows";
const MIB = 1_048_576;

/** Names in a folder, in order. */
function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

/** Sends `paths` into `directory`, and gives the receiver's exit status and last event. */
async function transfer(
  paths: readonly string[],
  directory: string,
  options: { readonly send?: readonly string[]; readonly receive?: readonly string[] } = {},
) {
  await using sender = startSend(paths, { args: options.send ?? [] });
  await using receiver = startReceive(await codeOf(sender), directory, {
    args: options.receive ?? [],
  });
  const exit = await receiver.exit();
  const warnings = receiver.eventsNamed("warning").map(({ code, path }) => `${code} ${path}`);
  const done = exit < 20 ? await receiver.event("done") : undefined;
  return { exit, warnings, done };
}

/** A folder with `source/f.txt`, which differs from `target/f.txt`. */
async function differing(mineIsOlder: boolean): Promise<TempFolder> {
  const temp = await TempFolder.make();
  for (const folder of ["source", "target"]) await temp.folder(folder);
  Deno.writeTextFileSync(temp.at("source", "f.txt"), "theirs");
  Deno.writeTextFileSync(temp.at("target", "f.txt"), "mine");
  const time = new Date(1_700_000_000_000);
  const other = new Date(1_700_000_000_000 + (mineIsOlder ? -1000 : 1000));
  Deno.utimeSync(temp.at("source", "f.txt"), time, time);
  Deno.utimeSync(temp.at("target", "f.txt"), other, other);
  return temp;
}

Deno.test("receive --overwrite rename keeps both, and makes no third", async () => {
  await using temp = await differing(true);
  for (let run = 1; run <= 2; run++) {
    const { exit, done } = await transfer([temp.at("source", "f.txt")], temp.at("target"), {
      receive: ["--overwrite", "rename"],
    });
    assert.deepEqual([exit, done?.leftOut], [0, 0]);
    assert.deepEqual(namesIn(temp.at("target")), ["f (2).txt", "f.txt"]);
    assert.equal(Deno.readTextFileSync(temp.at("target", "f.txt")), "mine");
    assert.equal(Deno.readTextFileSync(temp.at("target", "f (2).txt")), "theirs");
  }
});

Deno.test("receive --overwrite newer replaces what is older here, and nothing else", async () => {
  for (const mineIsOlder of [true, false]) {
    await using temp = await differing(mineIsOlder);
    const { exit } = await transfer([temp.at("source", "f.txt")], temp.at("target"), {
      receive: ["--overwrite", "newer"],
    });
    assert.equal(exit, mineIsOlder ? 0 : 13);
    const text = Deno.readTextFileSync(temp.at("target", "f.txt"));
    assert.equal(text, mineIsOlder ? "theirs" : "mine");
  }
});

Deno.test("receive --yes replaces nothing", async () => {
  await using temp = await differing(true);
  const { exit, warnings } = await transfer([temp.at("source", "f.txt")], temp.at("target"), {
    receive: ["--yes"],
  });
  assert.deepEqual([exit, warnings], [13, ["kept f.txt"]]);
  assert.equal(Deno.readTextFileSync(temp.at("target", "f.txt")), "mine");
});

Deno.test("receive does not send again what has another name or time", async () => {
  await using temp = await TempFolder.make();
  await temp.folder("source", "tree");
  writeFileSync(temp.at("source", "tree", "moved"), 3 * MIB, 1);
  writeFileSync(temp.at("source", "tree", "touched"), 3 * MIB, 2);
  await transfer([temp.at("source", "tree")], temp.at("target"));
  Deno.renameSync(temp.at("source", "tree", "moved"), temp.at("source", "tree", "new name"));
  const now = new Date();
  Deno.utimeSync(temp.at("source", "tree", "touched"), now, now);
  await using sender = startSend([temp.at("source", "tree")]);
  await using receiver = startReceive(await codeOf(sender), temp.at("target"));
  await receiver.expectExit(0);
  const { files, bytes } = await receiver.event("resumed");
  assert.deepEqual([files, bytes], [2, 6 * MIB]);
  for (const name of ["moved", "new name", "touched"]) {
    assert.equal(Deno.statSync(temp.at("target", "tree", name)).size, 3 * MIB);
  }
  assert.deepEqual(
    Deno.readFileSync(temp.at("target", "tree", "new name")),
    Deno.readFileSync(temp.at("source", "tree", "new name")),
  );
});

Deno.test("links are sent and made when both want them", { ignore: IS_WINDOWS }, async () => {
  await using temp = await TempFolder.make();
  await temp.folder("source", "tree", "sub");
  writeFileSync(temp.at("source", "tree", "sub", "file"), 100, 1);
  Deno.symlinkSync("sub/file", temp.at("source", "tree", "good"));
  Deno.symlinkSync("../../etc/passwd", temp.at("source", "tree", "sub", "out"));
  const source = [temp.at("source", "tree")];
  const { exit, warnings } = await transfer(source, temp.at("target"), {
    send: ["--symlinks", "keep"],
  });
  assert.equal(Deno.readLinkSync(temp.at("target", "tree", "good")), "sub/file");
  assert.deepEqual(namesIn(temp.at("target", "tree", "sub")), ["file"]);
  // Whichever side leaves it out.
  if (exit === 0) assert.deepEqual(warnings, []);
  else assert.deepEqual([exit, warnings], [13, ["unsafe_link tree/sub/out"]]);
  const skipped = await transfer(source, temp.at("skipped"), {
    send: ["--symlinks", "keep"],
    receive: ["--symlinks", "skip"],
  });
  assert.ok(skipped.warnings.includes("symlink_skipped tree/good"));
  assert.deepEqual(namesIn(temp.at("skipped", "tree")), ["sub"]);
});

/** Starts `receive -o -` without `--json`. */
function startOutput(code: string, options: SideOptions = {}): CliProcess {
  const words = ["receive", "--allow-loopback", "--no-local-addresses", "--output", "-"];
  return new CliProcess([...words, ...options.args ?? [], code], options);
}

Deno.test("receive -o - writes the one file to standard output, and nothing else", async () => {
  await using temp = await TempFolder.make();
  await temp.folder("source");
  for (const length of [0, 1000, 3 * MIB + 5]) {
    const text = Array.from({ length }, (_, index) => index % 64 === 63 ? "\n" : "x").join("");
    Deno.writeTextFileSync(temp.at("source", "one.txt"), text);
    await using sender = startSend([temp.at("source", "one.txt")]);
    // Without any permission to read or write files.
    await using receiver = startOutput(await codeOf(sender), {
      flags: ["--unstable-net", "--allow-net", "--allow-env"],
    });
    await receiver.expectExit(0);
    assert.ok(receiver.stdout === text, `${receiver.stdout.length} of ${length} bytes`);
    assert.match(receiver.stderr, /Everything verified/);
    await sender.expectExit(0);
  }
});

Deno.test("receive -o - of anything but one file is a usage error, and takes nothing", async () => {
  await using temp = await TempFolder.make();
  await temp.folder("source", "tree");
  writeFileSync(temp.at("source", "tree", "one"), 100, 1);
  await using sender = startSend([temp.at("source", "tree")]);
  await using receiver = startOutput(await codeOf(sender), { args: ["--json"] });
  await receiver.expectExit(2);
  assert.equal(receiver.stdout, "");
  const events = receiver.stderr.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(events.at(-1).code, "usage");
  assert.match(events.at(-1).message, /into one stream: 2 items, 1 of them files/);
  assert.equal((await sender.event("error")).code, "refused");
});

Deno.test(
  "receive -o - ends with 9 when whoever reads is gone",
  { ignore: IS_WINDOWS },
  async () => {
    await using temp = await TempFolder.make();
    await temp.folder("source");
    writeFileSync(temp.at("source", "one"), 5 * MIB, 1);
    await using sender = startSend([temp.at("source", "one")]);
    await using receiver = startOutput(await codeOf(sender), {
      wrapper: ["sh", "-c", '{ "$@"; echo "exit $?" >&2; } | head -c 10 >/dev/null', "sh"],
    });
    await receiver.exit();
    assert.match(receiver.stderr, /exit 9\n/);
    assert.match(receiver.stderr, /Cannot write the output/);
  },
);

Deno.test("a text is told of, or stored where a folder was given", async () => {
  await using temp = await TempFolder.make();
  const text = "two\nlines \x1b[31m\n";
  const withText = { args: ["--text", text] };
  {
    await using sender = startSend([], withText);
    const words = ["receive", "--allow-loopback", "--no-local-addresses"];
    await using receiver = new CliProcess([...words, await codeOf(sender)], { cwd: temp.at() });
    await receiver.expectExit(0);
    assert.equal(receiver.stdout, text);
    assert.deepEqual(namesIn(temp.at()), []);
    await sender.expectExit(0);
  }
  await using sender = startSend([], withText);
  await using receiver = startReceive(await codeOf(sender), temp.at("target"));
  await receiver.expectExit(0);
  assert.deepEqual(receiver.eventsNamed("text"), []);
  assert.equal(Deno.readTextFileSync(temp.at("target", "text.txt")), text);
});
