/**
 * Goal: what is sent arrives, byte by byte, with times and executable bits, whatever its shape.
 * Method: two processes of the program on loopback, trees made here and compared here.
 */
import assert from "node:assert/strict";
import { transferCompletely } from "../support/cli_transfer.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { assertSameTree, makeTree, writeFileSync } from "../support/tree.ts";

const GIB = 1_073_741_824;
const LARGE_LIMIT_MS = 300_000;

Deno.test("send and receive move a file of 1 GiB", async () => {
  await using temp = await TempFolder.make();
  const source = await temp.folder("source");
  writeFileSync(temp.at("source", "large.bin"), GIB, 1);
  const { received } = await transferCompletely(
    [temp.at("source", "large.bin")],
    temp.at("target"),
    { limitMs: LARGE_LIMIT_MS },
  );
  assert.equal(received.bytes, GIB);
  await assertSameTree(temp.at("target"), source);
});

Deno.test("send and receive move a tree of 10,000 files with odd names and empty entries", async () => {
  await using temp = await TempFolder.make();
  const tree = temp.at("source", "tree");
  const entries = await makeTree(tree, { files: 10_000, fileBytes: 4096 });
  const { received } = await transferCompletely([tree], temp.at("target"), {
    limitMs: LARGE_LIMIT_MS,
  });
  assert.equal(received.items, entries);
  await assertSameTree(temp.at("target"), temp.at("source"));
});

Deno.test("send and receive move several files and folders at once", async () => {
  await using temp = await TempFolder.make();
  await makeTree(temp.at("source", "one"), { files: 20, fileBytes: 70_000 });
  await makeTree(temp.at("source", "two"), { files: 1, fileBytes: 1 });
  await temp.folder("source", "empty");
  // Around the borders of chunks (64 KiB) and groups (1 MiB).
  const sizes = [0, 1, 65_535, 65_536, 65_537, 1_048_575, 1_048_576, 1_048_577, 5_000_000];
  for (const size of sizes) writeFileSync(temp.at("source", `${size} bytes`), size, size);
  const paths: string[] = [];
  for await (const { name } of Deno.readDir(temp.at("source"))) paths.push(temp.at("source", name));
  const { received } = await transferCompletely(paths, temp.at("target"));
  await assertSameTree(temp.at("target"), temp.at("source"));
  assert.equal(received.leftOut, 0);
});

Deno.test("send takes a folder by its own name, whatever follows it in the path", async () => {
  await using temp = await TempFolder.make();
  await makeTree(temp.at("source", "tree"), { files: 3, fileBytes: 10 });
  await transferCompletely([`${temp.at("source", "tree")}/`], temp.at("target"));
  await assertSameTree(temp.at("target"), temp.at("source"));
});

Deno.test("receive makes the folder it is given, in any depth", async () => {
  await using temp = await TempFolder.make();
  writeFileSync((await temp.folder("source")) + "/file", 1000, 1);
  await transferCompletely([temp.at("source", "file")], temp.at("not", "there", "yet"));
  await assertSameTree(temp.at("not", "there", "yet"), temp.at("source"));
});
