/**
 * How long it takes to go on with a large file that is half here: from the start of the program to the
 * first byte that is new, and until all that is here was hashed and compared.
 */
import { closeSync, fsyncSync, openSync } from "node:fs";
import { loadFileCalls } from "../../lib/storage/file_calls.ts";
import { hashGroup } from "../../lib/transfer/hash_tree.ts";
import { GROUP_BYTES } from "../../lib/transfer/limits.ts";
import { selectSystemProvider } from "../../lib/operation/system_provider.ts";
import { codeOf, startReceive, startSend } from "../../tests/support/cli_transfer.ts";
import { TempFolder } from "../../tests/support/temp_folder.ts";
import { writeFileSync } from "../../tests/support/tree.ts";
import { renderParagraph, renderTable } from "../document_section.ts";
import { formatBytes, formatSeconds, type Section } from "./section.ts";

const GIB = 1_073_741_824;
const LIMIT_MS = 1_800_000;
/** What starting, connecting and the list of files may add to hashing. */
const MARGIN_SECONDS = 2;
/** So that it does not get to the end before the kill. */
const QUICK_LINE = { args: ["--limit", "300mb"] };
/** What arrives meanwhile takes the processors as little as it does on most lines. */
const LINE = { args: ["--limit", "20mb"] };

/**
 * Measures it.
 *
 * @param parent A folder with room for twice the file.
 */
export async function measureResumeStart(gib: number, parent: string): Promise<Section> {
  await using folder = await TempFolder.make(parent);
  const sizeBytes = Math.round(gib * GIB);
  const source = folder.at("file");
  const target = await folder.folder("target");
  writeFileSync(source, sizeBytes, 1);
  {
    await using sender = startSend([source], QUICK_LINE);
    await using receiver = startReceive(await codeOf(sender), target);
    // The end of the scope kills both.
    await receiver.event("progress", ({ bytesDone }) => bytesDone >= sizeBytes / 2, LIMIT_MS);
  }
  const part = partIn(target);
  await dropFromCache(part);
  const resumed = await resume(source, target);
  await dropFromCache(part);
  const hashSeconds = await hashFile(part, resumed.bytes);
  const text = [
    renderTable(["of a file of", "was here", "first new byte", "all compared", "plain hashing"], [[
      formatBytes(sizeBytes),
      formatBytes(resumed.bytes),
      formatSeconds(resumed.newByteSeconds),
      formatSeconds(resumed.comparedSeconds),
      formatSeconds(hashSeconds),
    ]]),
    renderParagraph(
      `Both sides were killed (\`kill -9\`) when half of the file was there. Times count from the ` +
        `start of the new receiver, with a new sharer and a line of 20 MB/s. Plain hashing is one ` +
        `process that reads and hashes as many bytes of the same file and does nothing else. The ` +
        `receiver's file was not in memory before.`,
    ),
  ];
  const isSlow = resumed.comparedSeconds > hashSeconds + MARGIN_SECONDS;
  return {
    text: text.join("\n\n"),
    problems: isSlow ? ["resuming takes longer than hashing"] : [],
  };
}

/** Goes on until all that is here was compared; both sides are killed then. Times in s. */
async function resume(source: string, target: string) {
  await using sender = startSend([source], LINE);
  const code = await codeOf(sender);
  const startMs = performance.now();
  const secondsNow = (): number => (performance.now() - startMs) / 1000;
  await using receiver = startReceive(code, target);
  const newByte = receiver.event(
    "progress",
    ({ bytesDone, keptBytes = 0 }) => bytesDone > keptBytes,
    LIMIT_MS,
  ).then(secondsNow);
  const { bytes } = await receiver.event("resumed", undefined, LIMIT_MS);
  const comparedSeconds = secondsNow();
  return { bytes, comparedSeconds, newByteSeconds: await newByte };
}

/** The part file in a folder. */
function partIn(folder: string): string {
  for (const { name } of Deno.readDirSync(folder)) {
    if (name.endsWith(".part")) return `${folder}/${name}`;
  }
  throw new Error("Nothing was kept");
}

/**
 * Has a file read from the disk the next time, where the system can be told. Not so the sharer's: it
 * would read from the same disk at the same time, as two machines do not.
 */
async function dropFromCache(path: string): Promise<void> {
  const descriptor = openSync(path, "r");
  fsyncSync(descriptor);
  await loadFileCalls()?.dropFromCache(descriptor);
  closeSync(descriptor);
}

/** Reads and hashes the beginning of a file; gives how long that took, s. */
async function hashFile(path: string, bytes: number): Promise<number> {
  const crypto = await selectSystemProvider();
  const buffer = new Uint8Array(GROUP_BYTES);
  const startMs = performance.now();
  using file = Deno.openSync(path);
  for (let at = 0; at < bytes; at += GROUP_BYTES) {
    let length = 0;
    while (length < GROUP_BYTES) {
      const read = file.readSync(buffer.subarray(length));
      if (read === null) break;
      length += read;
    }
    hashGroup(crypto, buffer.subarray(0, length));
  }
  return (performance.now() - startMs) / 1000;
}
