/** Memory of a program over time, and whether it stays what it was. */

/** It is called flat when the median of its last third is at most this much above that of the first. */
const MAX_GROWTH = 1.2;

/** Samples at equal distances, in order. */
export class MemoryLog {
  readonly #bytes: number[] = [];

  /** Notes how much is in use now. */
  add(bytes: number): void {
    this.#bytes.push(bytes);
  }

  /** Median of the first third; 0 without samples. */
  get firstBytes(): number {
    return median(this.#bytes.slice(0, this.#third));
  }

  /** Median of the last third. */
  get lastBytes(): number {
    return median(this.#bytes.slice(this.#bytes.length - this.#third));
  }

  /** The largest. */
  get peakBytes(): number {
    return this.#bytes.reduce((peak, bytes) => Math.max(peak, bytes), 0);
  }

  /** Whether the last third is no higher than the first, within what chance does. */
  get isFlat(): boolean {
    return this.lastBytes <= this.firstBytes * MAX_GROWTH;
  }

  get #third(): number {
    return Math.ceil(this.#bytes.length / 3);
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
