/**
 * Small files on their way to the disk: written into their part files, then made durable together and
 * moved into their places [DISK-6]. With calls that block, as long as the disk is quick.
 */
import { storageError } from "./deno_errors.ts";
import type { FolderLooks } from "./deno_folder_looks.ts";
import { DenoPartFile } from "./deno_part_file.ts";
import { assertSame, move } from "./deno_place.ts";
import { placeSmallFile, removeQuietly, writeSmallFile } from "./deno_small_files.ts";
import { UnplacedFiles } from "./deno_unplaced_files.ts";
import { type DiskPace, QUICK_BYTES } from "./disk_pace.ts";
import { Lanes } from "./lanes.ts";
import type { PlaceResult, StorageError, TargetFile } from "./storage.ts";

/** How many files are moved into their places at a time where the disk is slow. */
const SLOW_LANES = 16;

/** The small files of one storage. */
export class DenoWholeFiles {
  readonly #pace: DiskPace;
  readonly #looks: FolderLooks;
  readonly #unplaced = new UnplacedFiles();

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
    const errors = await this.#unplaced.sync(targets);
    const results = new Array<PlaceResult | StorageError>(targets.length);
    const lanes = new Lanes(SLOW_LANES);
    for (const [index, target] of targets.entries()) {
      const error = errors.get(target);
      if (error !== undefined) {
        results[index] = error;
        await this.discard(target);
      } else if (this.#pace.begin()) {
        if (this.#pace.isSliceOver) await this.#pace.breathe();
        results[index] = this.#placeNow(target);
      } else {
        void lanes.run(async () => results[index] = await this.#placeLater(target));
      }
    }
    await lanes.idle();
    return results;
  }

  /** See {@linkcode Storage.discardWhole}. */
  async discard(target: TargetFile): Promise<void> {
    if (this.#unplaced.take(target) === undefined) return;
    try {
      await Deno.remove(target.partPath);
    } catch {
      // Gone already or not removable: the next run replaces it.
    }
  }

  #writeNow(target: TargetFile, bytes: Uint8Array): void {
    this.#pace.startBlocking();
    try {
      this.#looks.check(target.folder);
      this.#unplaced.add(target, writeSmallFile(target, bytes));
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

  #placeNow(target: TargetFile): PlaceResult | StorageError {
    this.#pace.startBlocking();
    try {
      this.#looks.check(target.folder);
      return placeSmallFile(target, this.#unplaced.take(target));
    } catch (error) {
      return givenUp(target, error);
    } finally {
      this.#pace.endBlocking();
    }
  }

  async #placeLater(target: TargetFile): Promise<PlaceResult | StorageError> {
    const identity = this.#unplaced.take(target);
    try {
      this.#looks.check(target.folder);
      await assertSame(target.partPath, identity);
      return await move(target);
    } catch (error) {
      return givenUp(target, error);
    }
  }
}

/** Removes the part file of a file that cannot be placed. */
function givenUp({ path, partPath }: TargetFile, error: unknown): StorageError {
  const known = storageError(`put ${path} in its place`, error);
  // What took its place, or that of its folder, is not ours to remove.
  if (known.kind !== "replaced") removeQuietly(partPath);
  return known;
}
