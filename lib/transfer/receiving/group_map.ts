/**
 * Values by group number. Most files have one group and there are tens of thousands of them, so the
 * first value costs no Map.
 */

/** Values by group number, few at a time or many. */
export class GroupMap<T> {
  /** The group of the value that is kept here; −1 when none is. */
  #group = -1;
  #value: T | undefined;
  #others: Map<number, T> | undefined;

  /** How many values there are. */
  get size(): number {
    return (this.#group < 0 ? 0 : 1) + (this.#others?.size ?? 0);
  }

  /** The value of a group, if it has one. */
  get(group: number): T | undefined {
    return group === this.#group ? this.#value : this.#others?.get(group);
  }

  /** Gives a group a value; it must have none. */
  add(group: number, value: T): void {
    if (this.#group < 0) {
      this.#group = group;
      this.#value = value;
    } else {
      (this.#others ??= new Map()).set(group, value);
    }
  }

  /** Takes the value of a group away; whether there was one. */
  delete(group: number): boolean {
    if (group !== this.#group || group < 0) return this.#others?.delete(group) ?? false;
    this.#group = -1;
    this.#value = undefined;
    return true;
  }

  /** Groups and values now; they may be taken away meanwhile. */
  entries(): [number, T][] {
    const others = Array.from(this.#others ?? []);
    return this.#group < 0 ? others : [[this.#group, this.#value!], ...others];
  }

  /** Takes all values away. */
  clear(): void {
    this.#group = -1;
    this.#value = undefined;
    this.#others = undefined;
  }
}
