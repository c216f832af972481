/** A part file on a disk that loses what was not synced. */
import { CHUNK_BYTES } from "../../lib/transfer/limits.ts";
import type { PartFile, PlaceResult, TargetFile } from "../../lib/storage/storage.ts";
import type { DiskNode } from "./disk_node.ts";
import type { DiskSteps } from "./disk_steps.ts";

/** A part file; makes the calls of `deno_part_file.ts`. */
export class CrashPart implements PartFile {
  readonly #steps: DiskSteps;
  readonly #target: TargetFile;
  readonly #node: DiskNode;
  readonly #close: () => void;

  constructor(steps: DiskSteps, target: TargetFile, node: DiskNode) {
    this.#steps = steps;
    this.#target = target;
    this.#node = node;
    this.#close = steps.open();
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    const { disk } = this.#steps;
    const { partPath } = this.#target;
    for (const run of writtenRuns(this.#node, offset, bytes)) {
      await this.#steps.call(() => disk.write(partPath, this.#node, run.offset, run.bytes));
    }
  }

  read(offset: number, into: Uint8Array): Promise<number> {
    const { disk } = this.#steps;
    return this.#steps.call(() => disk.read(this.#target.partPath, this.#node, offset, into));
  }

  sync(): Promise<void> {
    return this.#steps.call(() => this.#steps.disk.sync(this.#target.partPath, this.#node));
  }

  async place(sizeBytes: number): Promise<PlaceResult> {
    const { disk } = this.#steps;
    const { partPath, mtimeMs } = this.#target;
    await this.#steps.call(() => disk.resize(partPath, this.#node, sizeBytes));
    await this.#steps.call(() => disk.setTime(partPath, this.#node, mtimeMs));
    await this.sync();
    this.#close();
    return await this.#steps.place(this.#target);
  }

  keep(): void {
    this.#close();
  }

  async discard(): Promise<void> {
    this.#close();
    await this.#steps.remove(this.#target.partPath);
  }
}

/** What is written of some bytes: aligned chunks of zeros are left out where nothing was before. */
function writtenRuns(
  node: DiskNode,
  offset: number,
  bytes: Uint8Array,
): { readonly offset: number; readonly bytes: Uint8Array }[] {
  const runs: { offset: number; bytes: Uint8Array }[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    const end = Math.min(at + CHUNK_BYTES, bytes.length);
    const isHole = end - at === CHUNK_BYTES && (offset + at) % CHUNK_BYTES === 0 &&
      isZero(bytes.subarray(at, end)) &&
      isZero(node.bytes.subarray(offset + at, offset + end));
    if (!isHole) continue;
    if (start < at) runs.push({ offset: offset + start, bytes: bytes.subarray(start, at) });
    start = end;
  }
  if (start < bytes.length) runs.push({ offset: offset + start, bytes: bytes.subarray(start) });
  return runs;
}

function isZero(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) if (bytes[index] !== 0) return false;
  return true;
}
