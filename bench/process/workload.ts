/** The files that are sent: made before the clock starts, and written out to the disk by then. */
import { join } from "node:path";
import { writeFileSync } from "../../tests/support/tree.ts";

/** What to send. */
export type Workload =
  | { readonly kind: "file"; readonly bytes: number }
  | { readonly kind: "small files"; readonly count: number; readonly fileBytes: number };

/** Bytes of all its files. */
export function workloadBytes(workload: Workload): number {
  return workload.kind === "file" ? workload.bytes : workload.count * workload.fileBytes;
}

/**
 * Whether its files stay until all has been measured. An ext4 without a journal does not take an inode
 * that was deleted in the last minutes: it looks at one after the other for each file that is made, and
 * thousands cleared away after one run make the next ones ten times as slow.
 */
export function isKeptToTheEnd({ kind }: Workload): boolean {
  return kind === "small files";
}

/** Files in one folder of many small ones. */
const FILES_PER_FOLDER = 100;

/**
 * Makes a workload in `folder`, without waiting for the disk.
 *
 * @returns The path to send.
 */
export function makeWorkload(workload: Workload, folder: string): string {
  const path = join(folder, "data");
  if (workload.kind === "file") {
    writeFileSync(path, workload.bytes, 1);
  } else {
    for (let index = 0; index < workload.count; index++) {
      const parent = join(path, `${Math.floor(index / FILES_PER_FOLDER)}`);
      if (index % FILES_PER_FOLDER === 0) Deno.mkdirSync(parent, { recursive: true });
      writeFileSync(join(parent, `${index}`), workload.fileBytes, index);
    }
  }
  return path;
}

/** Has the system write everything to the disk, so that it does not do so while the clock runs. */
export async function writeOut(): Promise<void> {
  if (Deno.build.os !== "windows") await new Deno.Command("sync").output();
}
