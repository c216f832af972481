/**
 * A part file with its journal: what was written is synced about every 64 MiB, beside the writing,
 * and then the journal says so [DISK-7]. A later run takes both up again, and with them what was
 * written and not synced: it is there unless the power was cut.
 *
 * A journal that cannot be written costs a later run time and nothing else, so that is no error.
 */
import type { TransferCrypto } from "../hash_tree.ts";
import { decodeJournal, encodeJournal } from "./journal.ts";
import { type GroupRanges, otherGroups } from "./kept_groups.ts";
import { GROUP_BYTES, MAX_JOURNAL_BYTES } from "../limits.ts";
import { RangeSet } from "./range_set.ts";
import {
  type PartFile,
  type PlaceResult,
  type Storage,
  StorageError,
  type StorageErrorKind,
  type TargetFile,
} from "../../storage/storage.ts";

/** Whose part file it is, and where. */
export interface PartPlan {
  readonly storage: Storage;
  readonly crypto: TransferCrypto;
  readonly target: TargetFile;
  /** Bytes of the file that is offered; of a stream 0. */
  readonly sizeBytes: number;
  /** Whether a later run could go on with it: not with a stream. */
  readonly isResumable: boolean;
  /** How many bytes are written between two syncs. */
  readonly syncBytes: number;
}

/** Why something is no part file or journal that this program can go on with. */
const FOREIGN: ReadonlySet<StorageErrorKind> = new Set(["not_found", "replaced", "denied"]);

/** Groups that an earlier run left in a part file. */
export interface LeftGroups {
  /** Those that were synced, as the journal says. */
  readonly synced: GroupRanges;
  /**
   * All others up to the end of the file. They are to be written once more: after a sync that failed
   * the system may read back what will never be on the disk.
   */
  readonly unsynced: GroupRanges;
}

// Shared by all: filled by RangeSet and not looked at.
const gaps: number[] = [];

/** A part file whose synced groups are written down. Calls do not overlap. */
export class JournaledPart {
  /** Whether groups have to be written in their order: what they are written to has no other way. */
  readonly isOrdered: boolean;
  readonly #plan: PartPlan;
  readonly #part: PartFile;
  /** Groups that are known to be on the disk. */
  readonly #synced = new RangeSet();
  /** Groups that were written since the last sync began. */
  #written = new RangeSet();
  #writtenBytes = 0;
  /** Whether there is nothing in it that a later run could use. */
  #isEmpty: boolean;
  /** The sync that goes on beside the writing. */
  #syncing: Promise<void> | undefined;
  #failure: unknown;

  private constructor(plan: PartPlan, part: PartFile, left?: LeftGroups) {
    this.#plan = plan;
    this.#part = part;
    this.isOrdered = part.isOrdered === true;
    this.#isEmpty = left === undefined;
    addAll(this.#synced, left?.synced ?? []);
  }

  /**
   * Makes a part file, replacing one that was left behind.
   *
   * @throws {StorageError} When it cannot be made.
   */
  static async create(plan: PartPlan): Promise<JournaledPart> {
    // First: a journal that outlived its part file would say of this one that it is on the disk.
    if (plan.isResumable) await plan.storage.removeState(plan.target);
    return new JournaledPart(plan, await plan.storage.createPart(plan.target));
  }

  /**
   * Opens a part file that was left behind.
   *
   * @returns The file and what may be in it; undefined when there is no such file, or nothing in it.
   * @throws {StorageError} When it cannot be told now.
   */
  static async resume(
    plan: PartPlan,
  ): Promise<{ readonly part: JournaledPart; readonly left: LeftGroups } | undefined> {
    const { storage, crypto, target, sizeBytes } = plan;
    try {
      const info = await storage.inspect(target.partPath);
      const end = Math.ceil(Math.min(sizeBytes, info?.sizeBytes ?? 0) / GROUP_BYTES);
      if (end === 0) return undefined;
      const state = await storage.readState(target, MAX_JOURNAL_BYTES);
      const journal = state === undefined ? undefined : decodeJournal(crypto, state);
      const synced = clip(journal?.groups ?? [], end);
      const left = { synced, unsynced: otherGroups(synced, end) };
      const part = await storage.resumePart(target);
      return part && { part: new JournaledPart(plan, part, left), left };
    } catch (error) {
      // Not ours, or not any more: it is replaced. Any other trouble may pass, and costs nothing then.
      if (error instanceof StorageError && FOREIGN.has(error.kind)) return undefined;
      throw error;
    }
  }

  /**
   * Writes a group.
   *
   * @throws {StorageError} When that fails, or a sync of earlier groups did.
   */
  async write(group: number, bytes: Uint8Array): Promise<void> {
    this.#assertSynced();
    await this.#part.write(group * GROUP_BYTES, bytes);
    this.#isEmpty = false;
    this.#written.add(group, group + 1, gaps);
    this.#writtenBytes += bytes.length;
    if (this.#writtenBytes < this.#plan.syncBytes || this.#syncing !== undefined) return;
    this.#syncing = this.#checkpoint()
      .catch((error) => void (this.#failure = error))
      .finally(() => void (this.#syncing = undefined));
  }

  /**
   * Reads bytes back.
   *
   * @returns How many there were.
   */
  async read(offset: number, into: Uint8Array): Promise<number> {
    return await this.#part.read(offset, into);
  }

  /**
   * Puts the file into its place; the journal goes.
   *
   * @throws {StorageError} When it cannot be put there; the part file is still there.
   */
  async place(sizeBytes: number): Promise<PlaceResult> {
    await this.#syncing;
    this.#assertSynced();
    try {
      const result = await this.#part.place(sizeBytes);
      await this.#removeJournal();
      return result;
    } catch (error) {
      // Perhaps it was the sync that failed: the journal says no more than it did.
      this.#failure = error;
      throw error;
    }
  }

  /** Leaves the part file for a later run, with all that is known of it; never fails. */
  async leave(): Promise<void> {
    await this.#syncing;
    if (!this.#plan.isResumable || this.#isEmpty) return await this.discard();
    try {
      if (this.#writtenBytes > 0 && this.#failure === undefined) await this.#checkpoint();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      // Then the journal that is there holds; on a full disk there may be no room for one.
    }
    this.#part.keep();
  }

  /** Removes the part file and its journal; never fails. */
  async discard(): Promise<void> {
    await this.#syncing;
    // In this order: a journal without a part file is nothing, a part file without a journal neither.
    await this.#part.discard();
    await this.#removeJournal();
  }

  /** After a sync that failed nobody knows what of the file is on the disk. */
  #assertSynced(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #checkpoint(): Promise<void> {
    const written = this.#takeWritten();
    await this.#part.sync();
    await this.#writeJournal(written);
  }

  #takeWritten(): RangeSet {
    const written = this.#written;
    this.#written = new RangeSet();
    this.#writtenBytes = 0;
    return written;
  }

  /** Writes down what was there before, and `synced`. */
  async #writeJournal(synced: RangeSet): Promise<void> {
    const { storage, crypto, target, sizeBytes, isResumable } = this.#plan;
    if (!isResumable) return;
    addAll(this.#synced, synced.bounds);
    const groups = this.#synced.bounds;
    try {
      await storage.replaceState(target, encodeJournal(crypto, { sizeBytes, groups }));
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
  }

  async #removeJournal(): Promise<void> {
    if (this.#plan.isResumable) await this.#plan.storage.removeState(this.#plan.target);
  }
}

function addAll(set: RangeSet, bounds: readonly number[]): void {
  for (let index = 0; index < bounds.length; index += 2) {
    set.add(bounds[index]!, bounds[index + 1]!, gaps);
  }
}

/** Ranges without what lies at `end` or behind it. */
function clip(groups: readonly number[], end: number): number[] {
  const clipped: number[] = [];
  for (let index = 0; index < groups.length && groups[index]! < end; index += 2) {
    clipped.push(groups[index]!, Math.min(groups[index + 1]!, end));
  }
  return clipped;
}
