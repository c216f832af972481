/**
 * Which groups that nobody uses are kept for clients that come a little later. A group is kept only
 * when a client is known to come to it soon: what a request asks for says so. When there are too many,
 * the one goes that is needed last. So one client alone keeps nothing, clients too far apart for the
 * memory do not drive out what others will have, and positions that a client makes up cost nobody
 * anything.
 */
import { CLIENT_GROUP_BYTES, GROUP_BYTES, SHARED_GROUP_BYTES } from "../limits.ts";
import type { SharedGroup } from "./shared_group.ts";

/** A group's file, as far as keeping it goes. */
export interface CachedFile {
  /** How many groups from now on somebody will want a group; Infinity when nobody will. */
  distanceTo(index: number): number;
  /** The group was dropped, and its buffer is free. */
  handleDropped(group: SharedGroup): void;
}

/** The groups a share keeps. */
export class GroupCache {
  readonly #kept = new Map<SharedGroup, CachedFile>();
  #maxGroups = 0;

  /** How many groups are kept. */
  get size(): number {
    return this.#kept.size;
  }

  /** Says how many clients there are: with fewer less is kept, and nothing before the first. */
  setClients(count: number): void {
    const maxBytes = Math.min(count * CLIENT_GROUP_BYTES, SHARED_GROUP_BYTES);
    this.#maxGroups = maxBytes / GROUP_BYTES;
    while (this.#kept.size > this.#maxGroups) this.#dropFarthest(Number.NEGATIVE_INFINITY);
  }

  /** Takes a group that nobody uses; whether it is kept, perhaps in the place of another one. */
  keep(group: SharedGroup, file: CachedFile): boolean {
    const distance = file.distanceTo(group.index);
    // Farther than there is room for: others will be wanted before.
    if (distance > this.#maxGroups) return false;
    if (this.#kept.size >= this.#maxGroups && !this.#dropFarthest(distance)) return false;
    this.#kept.set(group, file);
    return true;
  }

  /** Drops the group that is wanted last, if it is farther away than this; whether there was one. */
  #dropFarthest(distance: number): boolean {
    let farthest: SharedGroup | undefined;
    let most = distance;
    for (const [other, itsFile] of this.#kept) {
      const itsDistance = itsFile.distanceTo(other.index);
      if (itsDistance <= most) continue;
      most = itsDistance;
      farthest = other;
    }
    if (farthest === undefined) return false;
    this.#kept.get(farthest)!.handleDropped(farthest);
    this.#kept.delete(farthest);
    return true;
  }

  /** A group is used again. */
  take(group: SharedGroup): void {
    this.#kept.delete(group);
  }

  /** Drops the groups of a file that nobody will want any more. */
  drop(file: CachedFile): void {
    for (const [group, itsFile] of this.#kept) {
      if (itsFile !== file || file.distanceTo(group.index) !== Infinity) continue;
      this.#kept.delete(group);
      file.handleDropped(group);
    }
  }
}
