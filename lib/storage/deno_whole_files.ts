/**
 * Small files on their way to the disk: written into their part files, then made durable together and
 * moved into their places [DISK-6]. With calls that block, as long as the disk is quick.
 */
import { storageError } from "./deno_errors.ts";
import type { FolderLooks } from "./deno_folder_looks.ts";
import type { FileIdentity } from "./deno_file_info.ts";
import { DenoPartFile } from "./deno_part_file.ts";
import { assertSame, move } from "./deno_place.ts";
import {
  createSmallFile,
  fillSmallFile,
  placeSmallFile,
  removeQuietly,
} from "./deno_small_files.ts";
import { UnplacedFiles } from "./deno_unplaced_files.ts";
import { loadFileCalls } from "./file_calls.ts";
import { type DiskPace, QUICK_BYTES } from "./disk_pace.ts";
import { Lanes } from "./lanes.ts";
import type { PlaceResult, StorageError, TargetFile } from "./storage.ts";

/** How many files are moved into their places at a time where the disk is slow. */
const SLOW_LANES = 16;
/**
 * Batches that are not large begin so far apart at least: a sync costs much the same for ten files as
 * for hundreds. The first one waits for nothing, and the last so long at most.
 */
const BATCH_MS = 25;
/** So many files are a large batch. */
const LARGE_BATCH = 1024;

/** The small files of one storage. */
export class DenoWholeFiles {
  readonly #pace: DiskPace;
  readonly #looks: FolderLooks;
  readonly #unplaced = new UnplacedFiles(loadFileCalls());
  /** When the last batch began, by the clock of the system. */
  #batchStart = -Infinity;

  /**
   * @param pace Whether to block.
   * @param looks Which folders were looked at.
   */
  constructor(pace: DiskPace, looks: FolderLooks) {
    this.#pace = pace;
    this.#looks = looks;
  }

  /** See {@linkcode Storage.writeWhole}. */
  write(target: TargetFile, bytes: Uint8Array): void | Promise<void> {
    if (bytes.length > QUICK_BYTES || !this.#pace.begin()) return this.#writeLater(target, bytes);
    // No closure, nor a promise: this is once for each small file.
    if (!this.#pace.isSliceOver) return this.#writeNow(target, bytes);
    return this.#pace.breathe().then(() => this.#writeNow(target, bytes));
  }

  /** See {@linkcode Storage.placeWhole}. */
  async place(targets: readonly TargetFile[]): Promise<(PlaceResult | StorageError)[]> {
    const files = this.#unplaced.take(targets);
    if (targets.length < LARGE_BATCH) await this.#keepApart();
    this.#batchStart = performance.now();
    const errors = await this.#unplaced.sync(files);
    const results = new Array<PlaceResult | StorageError>(targets.length);
    const lanes = new Lanes(SLOW_LANES);
    for (let index = 0; index < targets.length; index++) {
      const target = targets[index]!;
      const file = files[index];
      const error = file && errors.get(file);
      if (error !== undefined) {
        results[index] = error;
        await removePart(target);
      } else if (this.#pace.begin()) {
        if (this.#pace.isSliceOver) await this.#pace.breathe();
        results[index] = this.#placeNow(target, file);
      } else {
        void lanes.run(async () => results[index] = await this.#placeLater(target, file));
      }
    }
    await lanes.idle();
    this.#unplaced.closeUnused();
    return results;
  }

  /** See {@linkcode Storage.discardWhole}. */
  async discard(target: TargetFile): Promise<void> {
    const [file] = this.#unplaced.take([target]);
    if (file === undefined) return;
    this.#unplaced.close(file);
    await removePart(target);
    this.#unplaced.closeUnused();
  }

  /** Waits until a batch may begin; files that are written meanwhile are in the next one. */
  async #keepApart(): Promise<void> {
    const waitMs = this.#batchStart + BATCH_MS - performance.now();
    if (waitMs > 0) await new Promise<void>((resolve) => setTimeout(resolve, waitMs));
  }

  #writeNow(target: TargetFile, bytes: Uint8Array): void {
    this.#pace.startBlocking();
    try {
      this.#looks.check(target.folder);
      const file = createSmallFile(target);
      this.#unplaced.add(target, fillSmallFile(file, target, bytes), file);
    } finally {
      this.#pace.endBlocking();
    }
  }

  async #writeLater(target: TargetFile, bytes: Uint8Array): Promise<void> {
    const part = await DenoPartFile.create(target, this.#looks);
    try {
      await part.write(0, bytes);
      this.#unplaced.add(target, await part.finish());
    } catch (error) {
      await part.discard();
      throw error;
    }
  }

  #placeNow(target: TargetFile, file: FileIdentity | undefined): PlaceResult | StorageError {
    this.#pace.startBlocking();
    try {
      this.#looks.check(target.folder);
      return placeSmallFile(target, file);
    } catch (error) {
      return givenUp(target, error);
    } finally {
      this.#pace.endBlocking();
    }
  }

  async #placeLater(
    target: TargetFile,
    file: FileIdentity | undefined,
  ): Promise<PlaceResult | StorageError> {
    try {
      this.#looks.check(target.folder);
      await assertSame(target.partPath, file);
      return await move(target);
    } catch (error) {
      return givenUp(target, error);
    }
  }
}

async function removePart({ partPath }: TargetFile): Promise<void> {
  try {
    await Deno.remove(partPath);
  } catch {
    // Gone already or not removable: the next run replaces it.
  }
}

/** Removes the part file of a file that cannot be placed. */
function givenUp({ path, partPath }: TargetFile, error: unknown): StorageError {
  const known = storageError(`put ${path} in its place`, error);
  // What took its place, or that of its folder, is not ours to remove.
  if (known.kind !== "replaced") removeQuietly(partPath);
  return known;
}
