/** Which bytes are there: sorted ranges that neither overlap nor touch. */

const NOTHING: readonly number[] = [];

/** A set of byte positions, as few ranges. */
export class RangeSet {
  // start, end, start, end, … in ascending order; ends are exclusive. Made with the first range: most
  // sets never have another.
  #bounds: number[] | undefined;

  /** How many separate ranges there are. */
  get count(): number {
    return this.#bounds === undefined ? 0 : this.#bounds.length / 2;
  }

  /** The ranges: start, end, start, end, … in ascending order; a view. */
  get bounds(): readonly number[] {
    return this.#bounds ?? NOTHING;
  }

  /** Whether every position from `start` up to, not including, `end` is in the set. */
  covers(start: number, end: number): boolean {
    const bounds = this.#bounds ?? NOTHING;
    // Searched from the right: bytes mostly arrive near the end.
    for (let index = bounds.length - 2; index >= 0; index -= 2) {
      if (bounds[index]! <= start) return end <= bounds[index + 1]!;
    }
    return false;
  }

  /**
   * Adds the positions from `start` up to, not including, `end`.
   *
   * @param gaps Given the start and end of each part that was not in the set before, in place of
   * what was in it.
   * @returns How many positions were new.
   */
  add(start: number, end: number, gaps: number[]): number {
    const bounds = this.#bounds ??= [start, start];
    const last = bounds.length - 1;
    if (start >= bounds[last]!) {
      if (start === bounds[last]) bounds[last] = end;
      else bounds.push(start, end);
      // Not emptied first: an array that is gives its memory back, and this is once for each datagram.
      gaps[0] = start;
      gaps[1] = end;
      if (gaps.length > 2) gaps.length = 2;
      return end - start;
    }
    gaps.length = 0;
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
