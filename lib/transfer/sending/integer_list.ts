/** A list of whole numbers that grows: half the memory of an array, and nothing for the collector. */

const FIRST_LENGTH = 256;

/** Whole numbers from −2^31 to 2^31 − 1. */
export class IntegerList {
  /** How many there are. */
  length = 0;
  #values = new Int32Array(FIRST_LENGTH);

  /** Adds one at the end. */
  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Int32Array(2 * this.#values.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  /** The one at a place; undefined when there are not so many. */
  get(index: number): number | undefined {
    return index < this.length ? this.#values[index] : undefined;
  }
}
