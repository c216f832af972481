/**
 * The names on a disk with a volatile cache, as a journaling file system keeps them: changes reach the
 * disk in their order, and a power cut takes any number of those that were not saved, from the end.
 */
import { StorageError } from "../../lib/storage/storage.ts";
import { type DiskNode, newNode, NOW_MS, type Survival, survivorOf } from "./disk_node.ts";

/** A change of names. */
export interface NameOperation {
  readonly path: string;
  /** What is there now; undefined: nothing. */
  readonly node: DiskNode | undefined;
  /** The name that is gone with it: both or none, in a rename. */
  readonly gone?: string;
}

/** Every name of a disk. */
export class DiskNames {
  readonly #lasting: Map<string, DiskNode>;
  readonly #present: Map<string, DiskNode>;
  readonly #operations: NameOperation[] = [];
  /** How many of them are on the disk for sure. */
  #savedCount = 0;

  /** @param lasting What is there for good. */
  constructor(lasting: ReadonlyMap<string, DiskNode> = new Map([["/", newNode("directory", -1)]])) {
    this.#lasting = new Map(lasting);
    this.#present = new Map(lasting);
  }

  /** Every path. */
  get paths(): IterableIterator<string> {
    return this.#present.keys();
  }

  /** What has a name. */
  get nodes(): Set<DiskNode> {
    return new Set(this.#present.values());
  }

  /** How many changes there were: the number of the next. */
  get operationCount(): number {
    return this.#operations.length;
  }

  /** What is at a path now. */
  get(path: string): DiskNode | undefined {
    return this.#present.get(path);
  }

  /** Puts something at a path for good, making folders above it. */
  addForGood(path: string, node: DiskNode): void {
    const parent = parentOf(path);
    if (!this.#lasting.has(parent)) this.addForGood(parent, newNode("directory", -1));
    node.names = 1;
    this.#lasting.set(path, node);
    this.#present.set(path, node);
  }

  /** Takes something away for good. */
  removeForGood(path: string): void {
    this.#lasting.delete(path);
    this.#present.delete(path);
  }

  /** Changes names, which may be lost. */
  change(operation: NameOperation): void {
    const { path, node, gone } = operation;
    const parent = this.#present.get(parentOf(path));
    if (parent?.kind !== "directory") throw new StorageError("not_found", `No folder of ${path}`);
    this.#operations.push(operation);
    this.#forget(path);
    if (node !== undefined) {
      node.names++;
      this.#present.set(path, node);
    }
    if (gone !== undefined) this.#forget(gone);
    // Every change in a folder changes its time.
    parent.mtimeMs = NOW_MS;
  }

  /** The first changes are on the disk for sure. */
  save(count: number): void {
    this.#savedCount = Math.max(this.#savedCount, count);
  }

  /** The changes up to the last in a folder are on the disk for sure. */
  saveFolder(folder: string): void {
    const last = this.#operations.findLastIndex(({ path, gone }) =>
      parentOf(path) === folder || (gone !== undefined && parentOf(gone) === folder)
    );
    this.save(last + 1);
  }

  /** Another of the same, with all that may still be lost. */
  copy(): DiskNames {
    const copies = new Map<DiskNode, DiskNode>();
    const copyOf = (node: DiskNode): DiskNode => {
      const copy = copies.get(node) ?? { ...node, pending: [...node.pending] };
      copies.set(node, copy);
      return copy;
    };
    const names = new DiskNames(mapNodes(this.#lasting, copyOf));
    names.#present.clear();
    for (const [path, node] of this.#present) names.#present.set(path, copyOf(node));
    for (const { node, ...operation } of this.#operations) {
      names.#operations.push({ ...operation, node: node && copyOf(node) });
    }
    names.#savedCount = this.#savedCount;
    return names;
  }

  /** What is left after a power cut; all of that is lasting. */
  survivors(survival: Survival): DiskNames {
    const names = new Map(this.#lasting);
    for (const { path, node, gone } of this.#operations.slice(0, this.#survivingCount(survival))) {
      if (node === undefined) names.delete(path);
      else names.set(path, node);
      if (gone !== undefined) names.delete(gone);
    }
    const survivors = new Map<DiskNode, DiskNode>();
    return new DiskNames(mapNodes(names, (node) => {
      const survivor = survivors.get(node) ?? survivorOf(node, survival);
      survivors.set(node, survivor);
      survivor.names++;
      return survivor;
    }));
  }

  #survivingCount(survival: Survival): number {
    if (survival === "least") return this.#savedCount;
    if (survival === "all") return this.#operations.length;
    return survival.integer(this.#savedCount, this.#operations.length);
  }

  #forget(path: string): void {
    const node = this.#present.get(path);
    if (node === undefined) return;
    node.names--;
    this.#present.delete(path);
  }
}

function mapNodes(
  names: ReadonlyMap<string, DiskNode>,
  change: (node: DiskNode) => DiskNode,
): Map<string, DiskNode> {
  return new Map(Array.from(names, ([path, node]) => [path, change(node)]));
}

/** The folder a path is in. */
function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
