/**
 * Goal: what is on the wire does not depend on how a side sends and receives: one with trains and
 * one without understand each other, either way.
 * Method: two processes of the program on loopback, one of which may not use FFI.
 */
import { codeOf, startReceive, startSend } from "../support/cli_transfer.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { assertSameTree, writeFileSync } from "../support/tree.ts";
import { ALL_FLAGS } from "../support/cli_process.ts";

const FILE_BYTES = 30_000_000;
const LIMIT_MS = 60_000;
const BASE_FLAGS = [...ALL_FLAGS, "--deny-ffi"];

for (
  const [name, sending, receiving] of [
    ["with trains sends to one without", ALL_FLAGS, BASE_FLAGS],
    ["without trains sends to one with them", BASE_FLAGS, ALL_FLAGS],
    ["without trains sends to one without", BASE_FLAGS, BASE_FLAGS],
  ] as const
) {
  Deno.test(`A side ${name}`, async () => {
    await using temp = await TempFolder.make();
    const source = await temp.folder("source");
    const file = temp.at("source", "file.bin");
    writeFileSync(file, FILE_BYTES, 1);
    await using sender = startSend([file], { flags: sending });
    await using receiver = startReceive(await codeOf(sender), temp.at("target"), {
      flags: receiving,
    });
    await receiver.expectExit(0, LIMIT_MS);
    await sender.expectExit(0, LIMIT_MS);
    await assertSameTree(temp.at("target"), source);
  });
}
