/**
 * The packet numbers a connection has received, as ranges, newest first, in fixed memory. More of
 * them than an ACK names: on a fast path that reorders by 20 ms there are hundreds of gaps that will
 * still be filled, and what fills one must be told.
 */
import { MAX_REMEMBERED_RANGES } from "./params.ts";

/** ACKs that name a range after it has changed: any of them may be lost. */
const TELLINGS = 3;

/** A bounded set of packet numbers. When there are too many ranges the oldest are forgotten. */
export class AckRanges {
  /** How many ranges there are. */
  count = 0;
  // Ascending in memory: the newest range is the last, where nearly every insertion happens.
  readonly #smallest = new Float64Array(MAX_REMEMBERED_RANGES + 1);
  readonly #largest = new Float64Array(MAX_REMEMBERED_RANGES + 1);
  /** How many ACKs should still name the range for its last change. */
  readonly #tellings = new Uint8Array(MAX_REMEMBERED_RANGES + 1);

  /** Largest number of the range `index`, 0 being the newest. */
  largest(index: number): number {
    return this.#largest[this.count - 1 - index]!;
  }

  /** Smallest number of the range `index`, 0 being the newest. */
  smallest(index: number): number {
    return this.#smallest[this.count - 1 - index]!;
  }

  /** Whether the range `index` has changed and too few ACKs have named it since. */
  isNews(index: number): boolean {
    return this.#tellings[this.count - 1 - index]! > 0;
  }

  /** An ACK names the range `index`. */
  markTold(index: number): void {
    const at = this.count - 1 - index;
    if (this.#tellings[at]! > 0) this.#tellings[at] = this.#tellings[at]! - 1;
  }

  /**
   * Adds a packet number.
   *
   * @returns False when it was there already.
   */
  add(packetNumber: number): boolean {
    const smallest = this.#smallest;
    const largest = this.#largest;
    let at = this.count - 1;
    if (at >= 0 && packetNumber === largest[at]! + 1) { // the common case
      largest[at] = packetNumber;
      this.#tellings[at] = TELLINGS;
      return true;
    }
    while (at >= 0 && smallest[at]! > packetNumber) at--;
    // Now range `at` is the last that starts at or below the number.
    if (at >= 0 && packetNumber <= largest[at]!) return false;
    const joinsBelow = at >= 0 && largest[at]! + 1 === packetNumber;
    const joinsAbove = at + 1 < this.count && smallest[at + 1]! - 1 === packetNumber;
    if (joinsBelow && joinsAbove) {
      largest[at] = largest[at + 1]!;
      this.#tellings[at] = TELLINGS;
      this.#remove(at + 1);
    } else if (joinsBelow) {
      largest[at] = packetNumber;
      this.#tellings[at] = TELLINGS;
    } else if (joinsAbove) {
      smallest[at + 1] = packetNumber;
      this.#tellings[at + 1] = TELLINGS;
    } else {
      this.#insert(at + 1, packetNumber);
    }
    return true;
  }

  /** Forgets everything below `packetNumber`: the peer knows that we have it. */
  removeBelow(packetNumber: number): void {
    let gone = 0;
    while (gone < this.count && this.#largest[gone]! < packetNumber) gone++;
    if (gone > 0) {
      this.#smallest.copyWithin(0, gone, this.count);
      this.#largest.copyWithin(0, gone, this.count);
      this.#tellings.copyWithin(0, gone, this.count);
      this.count -= gone;
    }
    if (this.count > 0 && this.#smallest[0]! < packetNumber) this.#smallest[0] = packetNumber;
  }

  #insert(at: number, packetNumber: number): void {
    this.#smallest.copyWithin(at + 1, at, this.count);
    this.#largest.copyWithin(at + 1, at, this.count);
    this.#tellings.copyWithin(at + 1, at, this.count);
    this.#smallest[at] = packetNumber;
    this.#largest[at] = packetNumber;
    this.#tellings[at] = TELLINGS;
    this.count++;
    if (this.count > MAX_REMEMBERED_RANGES) this.#remove(0);
  }

  #remove(at: number): void {
    this.#smallest.copyWithin(at, at + 1, this.count);
    this.#largest.copyWithin(at, at + 1, this.count);
    this.#tellings.copyWithin(at, at + 1, this.count);
    this.count--;
  }
}
