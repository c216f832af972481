/**
 * Goal: the same transfers arrive over paths with delay and with random loss.
 * Method: the user-space link emulator between two processes of the program. Where datagrams are
 * lost the round trip is short: CUBIC's rate falls with the round trip and the square root of the
 * loss, so that 64 MiB at 5 % would take minutes over a long path, without showing anything more.
 */
import { transferCompletely } from "../support/cli_transfer.ts";
import type { LinkOptions } from "../support/link.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { assertSameTree, makeTree, writeFileSync } from "../support/tree.ts";

const MIB = 1_048_576;
const LIMIT_MS = 300_000;

/** Sends all of `source` through a link and compares. */
async function transferThrough(link: LinkOptions, temp: TempFolder): Promise<void> {
  const paths: string[] = [];
  for await (const { name } of Deno.readDir(temp.at("source"))) paths.push(temp.at("source", name));
  await transferCompletely(paths, temp.at("target"), { link, limitMs: LIMIT_MS });
  await assertSameTree(temp.at("target"), temp.at("source"));
}

Deno.test("send and receive move a file of 1 GiB through an emulated link", async () => {
  await using temp = await TempFolder.make();
  await temp.folder("source");
  writeFileSync(temp.at("source", "large.bin"), 1024 * MIB, 1);
  await transferThrough({ delayMs: 1 }, temp);
});

Deno.test("send and receive move a tree of 10,000 files through an emulated link", async () => {
  await using temp = await TempFolder.make();
  await makeTree(temp.at("source", "tree"), { files: 10_000, fileBytes: 4096 });
  await transferThrough({ delayMs: 1 }, temp);
});

// Lossy paths leave the processors idle most of the time, so both are tried at the same time.
Deno.test("send and receive move 64 MiB and a tree over lossy links", async (test) => {
  const links: LinkOptions[] = [{ lossRate: 0.01, delayMs: 1 }, { lossRate: 0.05, delayMs: 0.5 }];
  await Promise.all(links.map((link) =>
    test.step({
      name: `at ${link.lossRate! * 100} % loss`,
      fn: async () => {
        await using temp = await TempFolder.make();
        await makeTree(temp.at("source", "tree"), { files: 500, fileBytes: 4096 });
        writeFileSync(temp.at("source", "large.bin"), 64 * MIB, 1);
        await transferThrough(link, temp);
      },
      // Steps side by side cannot be told apart by what they leave open.
      sanitizeOps: false,
      sanitizeResources: false,
      sanitizeExit: false,
    })
  ));
});
