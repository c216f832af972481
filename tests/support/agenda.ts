/**
 * Things to come, earliest first; what is due at the same time comes in the order it was added.
 * A binary heap.
 */
export class Agenda<T> {
  // Three columns in place of objects: the link emulator moves tens of thousands a second.
  readonly #times: number[] = [];
  readonly #orders: number[] = [];
  readonly #items: T[] = [];
  #nextOrder = 0;

  /** How many there are. */
  get size(): number {
    return this.#items.length;
  }

  /** When the first is due; +Infinity when there is none. */
  get nextMs(): number {
    return this.#times.length === 0 ? Number.POSITIVE_INFINITY : this.#times[0]!;
  }

  /** Adds one, due at `atMs`. */
  add(atMs: number, item: T): void {
    let index = this.#items.length;
    const order = this.#nextOrder++;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      // The newcomer has the highest order: at equal times it stays behind.
      if (this.#times[parent]! <= atMs) break;
      this.#move(parent, index);
      index = parent;
    }
    this.#times[index] = atMs;
    this.#orders[index] = order;
    this.#items[index] = item;
  }

  /** Removes the first; undefined when there is none. */
  take(): T | undefined {
    if (this.#items.length === 0) return undefined;
    const first = this.#items[0];
    const time = this.#times.pop()!;
    const order = this.#orders.pop()!;
    const item = this.#items.pop()!;
    const count = this.#items.length;
    if (count === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= count) break;
      if (child + 1 < count && this.#isBefore(child + 1, child)) child++;
      const childTime = this.#times[child]!;
      if (time < childTime || (time === childTime && order < this.#orders[child]!)) break;
      this.#move(child, index);
      index = child;
    }
    this.#times[index] = time;
    this.#orders[index] = order;
    this.#items[index] = item;
    return first;
  }

  #isBefore(a: number, b: number): boolean {
    const timeA = this.#times[a]!;
    const timeB = this.#times[b]!;
    return timeA < timeB || (timeA === timeB && this.#orders[a]! < this.#orders[b]!);
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from]!;
    this.#orders[to] = this.#orders[from]!;
    this.#items[to] = this.#items[from]!;
  }
}
