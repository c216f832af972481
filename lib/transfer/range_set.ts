/** Which bytes are there: sorted ranges that neither overlap nor touch. */

/** A set of byte positions, as few ranges. */
export class RangeSet {
  // start, end, start, end, … in ascending order; ends are exclusive.
  readonly #bounds: number[] = [];

  /** How many separate ranges there are. */
  get count(): number {
    return this.#bounds.length / 2;
  }

  /** Whether every position from `start` up to, not including, `end` is in the set. */
  covers(start: number, end: number): boolean {
    const bounds = this.#bounds;
    // Searched from the right: bytes mostly arrive near the end.
    for (let index = bounds.length - 2; index >= 0; index -= 2) {
      if (bounds[index]! <= start) return end <= bounds[index + 1]!;
    }
    return false;
  }

  /**
   * Adds the positions from `start` up to, not including, `end`.
   *
   * @param gaps Emptied, then given the start and end of each part that was not in the set before.
   * @returns How many positions were new.
   */
  add(start: number, end: number, gaps: number[]): number {
    gaps.length = 0;
    const bounds = this.#bounds;
    const last = bounds.length - 1;
    if (last < 0 || start > bounds[last]!) {
      bounds.push(start, end);
      gaps.push(start, end);
      return end - start;
    }
    if (start === bounds[last]) {
      bounds[last] = end;
      gaps.push(start, end);
      return end - start;
    }
    // The first range that overlaps or touches.
    let from = bounds.length;
    while (from >= 2 && bounds[from - 1]! >= start) from -= 2;
    let mergedStart = start;
    let mergedEnd = end;
    let cursor = start;
    let added = 0;
    let to = from;
    for (; to < bounds.length && bounds[to]! <= end; to += 2) {
      const rangeStart = bounds[to]!;
      const rangeEnd = bounds[to + 1]!;
      if (cursor < rangeStart) {
        gaps.push(cursor, rangeStart);
        added += rangeStart - cursor;
      }
      if (rangeEnd > cursor) cursor = rangeEnd;
      if (rangeStart < mergedStart) mergedStart = rangeStart;
      if (rangeEnd > mergedEnd) mergedEnd = rangeEnd;
    }
    if (cursor < end) {
      gaps.push(cursor, end);
      added += end - cursor;
    }
    if (added > 0) bounds.splice(from, to - from, mergedStart, mergedEnd);
    return added;
  }
}
