/**
 * What becomes of files and links when something else is in their place: the decision of the
 * receiving person, applied to each (docs/transfer.md, "Files") [KEEP-2]. Looks, and changes nothing.
 */
import type { DifferingItem, OverwriteChooser, OverwritePolicy } from "../../options.ts";
import type { OwnNaming } from "../own_names.ts";
import { GROUP_BYTES, MAX_CHECK_GROUPS } from "../limits.ts";
import { placeOf } from "../names.ts";
import type { Placeable, Plan, PlannedFile, PlannedLink } from "./plan.ts";
import { mayHavePart } from "./planner.ts";
import type { FileInfo, Storage } from "../../storage/storage.ts";

/** How an item is to be taken; `same`: it is in its place after all; `kept`: it is not taken. */
export type Chosen<Item> = Item | "same" | "kept";

/** What an {@linkcode OverwriteDecision} looks at. */
export interface OverwriteWorld {
  readonly storage: Storage;
  readonly names: OwnNaming;
  readonly plan: Plan;
}

/** Most numbers that are tried for one name: who has more has a loop somewhere. */
const MAX_NUMBERS = 10_000;

/** Applies one policy, or asks for one each time. */
export class OverwriteDecision {
  readonly #policy: OverwritePolicy | OverwriteChooser;
  readonly #world: OverwriteWorld;

  /**
   * @param policy For everything, or who chooses for each.
   * @param world What is looked at.
   */
  constructor(policy: OverwritePolicy | OverwriteChooser, world: OverwriteWorld) {
    this.#policy = policy;
    this.#world = world;
  }

  /** How to take a file that differs from what is in its place. */
  async chooseFile(file: PlannedFile): Promise<Chosen<PlannedFile>> {
    const policy = await this.#policyFor(file);
    const { entry, here } = file;
    const path = this.#pathOf(file.parent, file.storedAs);
    const isPlain = here?.kind === "file" && entry.kind === "file";
    const hasBytes = isPlain && here.sizeBytes > 0 && entry.sizeBytes > 0;
    if (policy === "rename") {
      const reuse = hasBytes ? { path, isInPlace: false } : undefined;
      return await this.#rename({ ...file, reuse }, (other) => isSameFile(other, file));
    }
    const reuse = hasBytes ? { path, isInPlace: true } : undefined;
    if (isReplaced(policy, file)) return { ...file, overwrite: true, reuse };
    const mayBeSame = isPlain && here.sizeBytes === entry.sizeBytes &&
      entry.sizeBytes <= MAX_CHECK_GROUPS * GROUP_BYTES;
    if (!mayBeSame) return "kept";
    // Only the times differ: comparing the bytes says whether anything is missing. Of none there is
    // nothing to compare.
    return entry.sizeBytes === 0 ? "same" : { ...file, reuse };
  }

  /** How to take a link that differs from what is in its place. */
  async chooseLink(link: PlannedLink): Promise<Chosen<PlannedLink>> {
    const policy = await this.#policyFor(link);
    if (policy === "rename") {
      return await this.#rename(link, async (other, path) =>
        other.kind === "symlink" &&
        await this.#world.storage.readLink(path) === link.entry.linkTarget);
    }
    return isReplaced(policy, link) ? { ...link, overwrite: true } : "kept";
  }

  async #policyFor({ entry, here }: Placeable): Promise<OverwritePolicy> {
    if (typeof this.#policy === "string") return this.#policy;
    const { path, kind, sizeBytes, mtimeMs } = entry;
    const item: DifferingItem = {
      path,
      ...(kind === "file" ? { sizeBytes } : {}),
      mtimeMs,
      here: {
        kind: here!.kind === "symlink" ? "symlink" : "file",
        sizeBytes: here!.sizeBytes,
        mtimeMs: here!.mtimeMs,
      },
    };
    return await this.#policy(item);
  }

  /** The item under the next free number, unless it was stored under one before [KEEP-3]. */
  async #rename<Item extends PlannedFile | PlannedLink>(
    item: Item,
    isSame: (here: FileInfo, path: string) => boolean | Promise<boolean>,
  ): Promise<Chosen<Item>> {
    const { storage, names, plan } = this.#world;
    const { entry, parent } = item;
    let triesLeft = MAX_NUMBERS;
    for (const storedAs of plan.gate.otherNames(entry, item.storedAs)) {
      if (triesLeft-- === 0) break;
      const path = this.#pathOf(parent, storedAs);
      const name = storedAs.slice(storedAs.lastIndexOf("/") + 1);
      const mayBeThere = !plan.here.isListed(parent) ||
        plan.here.spelling(parent, name) !== undefined;
      const info = mayBeThere ? await storage.inspect(path) : undefined;
      if (info !== undefined) {
        if (await isSame(info, path)) return "same";
        continue;
      }
      const renamed = { ...item, storedAs, state: "new" as const, here: undefined };
      if (!("hasPart" in renamed)) return renamed;
      return { ...renamed, hasPart: mayHavePart(renamed, plan.here, names) };
    }
    return "kept";
  }

  #pathOf(parent: string, storedAs: string): string {
    return placeOf(this.#world.storage, parent, storedAs);
  }
}

function isReplaced(policy: OverwritePolicy, { entry, here }: Placeable): boolean {
  return policy === "always" || (policy === "newer" && entry.mtimeMs > here!.mtimeMs);
}

function isSameFile(here: FileInfo, { entry }: PlannedFile): boolean {
  return here.kind === "file" && here.mtimeMs === entry.mtimeMs &&
    (entry.kind === "stream" || here.sizeBytes === entry.sizeBytes);
}
